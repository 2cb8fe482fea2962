"""The documents of a batch as a request brings them: many files or images, options for all, and a name for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Request

from api.http.intake import (
    BASE64_IMAGE,
    FILE_FIELD,
    decode_base64,
    form_schema,
    json_object,
    json_schema,
    merge,
    once_each,
    parse_options,
    typed,
)
from api.service.parts import Parts
from api.service.upload import Upload
from shared import errors
from shared.options import SubmitOptions
from shared.uploads import header

IMAGES_FIELD = "images"
NAME_FIELD, NAMES_FIELD = "filename", "filenames"


def body_schema() -> dict[str, Any]:
    """The body of a request as OpenAPI states it."""
    name = SubmitOptions.model_json_schema()["properties"][NAME_FIELD]
    names = {"type": "array", "description": "one for all documents, or one for each, in their order"}
    form = form_schema({"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}})
    form["properties"][NAME_FIELD] = names | {"items": name["anyOf"][0]}
    images = json_schema(IMAGES_FIELD, {"type": "array", "minItems": 1, "items": BASE64_IMAGE})
    images["properties"][NAMES_FIELD] = names | {"items": {"anyOf": name["anyOf"]}}
    return {
        "required": True,
        "content": {"multipart/form-data": {"schema": form}, "application/json": {"schema": images}},
    }


def read_uploads(request: Request) -> tuple[list[Upload], SubmitOptions]:
    """Take the documents and their common options out of a request; raises as ``intake.read_upload`` does."""
    given = typed(once_each(request.args))
    if request.mimetype == "multipart/form-data":
        contents, named, names = _from_form(request)
    else:
        contents, named, names = _from_json(request)
    if not contents:
        raise errors.MissingFile("The batch holds no file. Send at least one, like curl -F file=@a.png -F file=@b.png.")
    options = merge(given, named)
    if names is None:
        common = parse_options(options)
        return [Upload(content, common) for content in contents], common
    if NAME_FIELD in options or len(names) != len(contents):
        raise errors.InvalidOption(
            f"{len(names)} names are given for {len(contents)} documents. "
            "Send one for each, in their order, or one for all.",
            option=NAME_FIELD,
        )
    each = [parse_options(options | {NAME_FIELD: name}) for name in names]
    return [Upload(content, one) for content, one in zip(contents, each, strict=True)], parse_options(options)


def _from_form(request: Request) -> tuple[list[bytes], dict[str, Any], Sequence[Any] | None]:
    """Contents, options, and the names where there are several."""
    if others := sorted(set(request.files) - {FILE_FIELD}):
        raise errors.MissingFile(f"Send every file in the field `file`; found {', '.join(others)}.")
    contents = [file.read() for file in request.files.getlist(FILE_FIELD)]
    fields, names = request.form.copy(), request.form.getlist(NAME_FIELD)
    if len(names) > 1:
        del fields[NAME_FIELD]
    return contents, typed(once_each(fields)), names if len(names) > 1 else None


def _from_json(request: Request) -> tuple[list[bytes], dict[str, Any], Sequence[Any] | None]:
    named = json_object(request)
    images, names = named.pop(IMAGES_FIELD, None), named.pop(NAMES_FIELD, None)
    if not isinstance(images, list):
        raise errors.MissingFile("The JSON object holds no list `images`. Put each file there, encoded in base64.")
    if names is not None and not isinstance(names, list):
        raise errors.InvalidOption(
            "`filenames` is no list. Put a name or null there for each image.", option=NAMES_FIELD
        )
    return [decode_base64(image) for image in images], named, names


def check(parts: Parts, uploads: list[Upload]) -> None:
    """Refuse a batch that is too large, or that holds a document which cannot be read, with all that are wrong."""
    settings = parts.settings
    if len(uploads) > settings.max_batch_documents:
        raise errors.TooManyDocuments(documents=len(uploads), max_documents=settings.max_batch_documents)
    size = sum(len(upload.content) for upload in uploads)
    if size > settings.max_batch_bytes:
        raise errors.DocumentTooLarge(
            "The documents of the batch hold too many bytes together. Send several batches, or raise "
            "OCRELAY_MAX_BATCH_BYTES on the server.",
            size_bytes=size,
            max_bytes=settings.max_batch_bytes,
        )
    wrong: list[tuple[int, errors.DocumentError]] = []
    for index, upload in enumerate(uploads):
        try:
            header.inspect(upload.content, settings.limits, upload.options.pages)
        except errors.DocumentError as error:
            wrong.append((index, error))
    if wrong:
        index, first = wrong[0]
        raise type(first)(
            f"Document {index + 1} of {len(uploads)}: {first.message}",
            documents=[{"index": index, "code": error.code, **error.details} for index, error in wrong],
        )
