"""Multipart forms as people send them: names in any encoding, and a reason where a form cannot be taken."""

from __future__ import annotations

import io
from typing import IO, Any

from flask import Request
from werkzeug.datastructures import FileStorage, Headers, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from shared import errors

ENCODINGS = ("utf-8", "gb18030", "latin-1")
"""Tried in this order; the last one takes any bytes. Windows in Chinese sends names in the second one."""
CHUNK_BYTES = 64 * 1024


def decode(name: bytes) -> str:
    """Text of a form in the first encoding that fits it; never a replacement character."""
    for encoding in ENCODINGS:
        try:
            return name.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise AssertionError("latin-1 takes any bytes")


class _Decoder(MultipartDecoder):
    """Werkzeug's, but for headers that are not UTF-8: it gives up the whole form for one such name."""

    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        return super()._parse_headers(decode(bytes(data)).encode())


class FormParser(FormDataParser):
    """Reads a multipart form, or says why it cannot."""

    def parse(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str] | None = None
    ) -> tuple[IO[bytes], MultiDict[str, str], MultiDict[str, FileStorage]]:
        """Return the stream, the fields and the files.

        Raises:
            InvalidForm: It has no boundary, or its parts cannot be told apart.
            FormTooLarge: More parts, or longer ones beside files, than options need.
        """
        if mimetype != "multipart/form-data":
            return super().parse(stream, mimetype, content_length, options)
        boundary = (options or {}).get("boundary", "")
        if not boundary:
            raise errors.InvalidForm(
                "The body is called a form, but `Content-Type` names no `boundary`. Leave that header to your client, "
                "which sets it with the boundary: curl -F file=@scan.png."
            )
        limit = self.max_form_memory_size
        try:
            decoder = _Decoder(boundary.encode(), limit, max_parts=self.max_form_parts)
            fields, files = _read(stream, decoder, limit or 0, self.stream_factory)
        except ValueError:
            raise errors.InvalidForm() from None
        return stream, self.cls(fields), self.cls(files)


class FormRequest(Request):
    """A request whose form is read so."""

    form_data_parser_class = FormParser


def _read(stream: IO[bytes], decoder: MultipartDecoder, limit: int, new_file: Any) -> tuple[list[Any], list[Any]]:
    """Fields and files of a form, by name; raises ValueError where it is none, or FormTooLarge."""
    fields: list[tuple[str, str]] = []
    files: list[tuple[str, FileStorage]] = []
    part: Field | File | None = None
    held: IO[bytes] = io.BytesIO()
    is_complete = False
    while not is_complete:
        chunk = stream.read(CHUNK_BYTES)  # what is too long for the server raises here, and is no fault of the form
        try:
            decoder.receive_data(chunk or None)
            event = decoder.next_event()
            while not isinstance(event, NeedData | Epilogue):
                if isinstance(event, Field | File):
                    part = event
                    named = {"filename": event.filename} if isinstance(event, File) else {}
                    held = new_file(total_content_length=None, content_type=None, **named) if named else io.BytesIO()
                elif isinstance(event, Data) and part is not None:
                    held.write(event.data)
                    if isinstance(part, Field) and held.tell() > limit:
                        raise RequestEntityTooLarge
                    if not event.more_data:
                        _add(part, held, fields, files)
                event = decoder.next_event()
        except RequestEntityTooLarge:
            raise errors.FormTooLarge(max_parts=decoder.max_parts, max_field_bytes=limit) from None
        is_complete = not chunk
    return fields, files


def _add(part: Field | File, held: IO[bytes], fields: list[Any], files: list[Any]) -> None:
    if part.name is None:
        raise ValueError("a part without a name")
    held.seek(0)
    if isinstance(part, File):
        files.append((part.name, FileStorage(held, part.filename, part.name, headers=part.headers)))
    else:
        fields.append((part.name, decode(held.read())))
