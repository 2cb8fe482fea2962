"""The answer that holds a result as a file, for the API and for the pages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import quote

from flask import Response
from werkzeug.wsgi import FileWrapper

from api.formats import archive
from api.formats.format import Format, Source

SHOWN = ("application/json", "text/plain")
"""What a browser may show; everything else it keeps as a file."""


def answer(form: Format, source: Source) -> Response:
    """The file, made whole before its first byte is sent: what goes wrong is an error, not a file that breaks off."""
    page_count = len(source.result.pages)
    name = form.file_name(source.name, page_count)
    if form.is_zip(page_count):
        return zip_answer(archive.zipped(archive.made(form, source)), name)
    file = archive.file_of(form, source)
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if size <= archive.IN_MEMORY_BYTES:
        with file:
            response = Response(file.read(), mimetype=form.media_type)
    else:
        body = FileWrapper(file, archive.CHUNK_BYTES)  # closes the file when all is sent, or the client is gone
        response = Response(body, mimetype=form.media_type, direct_passthrough=True)
        response.content_length = size
    return named(response, name, "inline" if form.media_type in SHOWN else "attachment")


def zip_answer(portions: Iterator[bytes], name: str) -> Response:
    """A zip that is made while it is sent."""
    return named(Response(portions, mimetype=archive.MEDIA_TYPE), name, "attachment")


def named(response: Response, name: str, disposition: str) -> Response:
    """The answer with its file name. What it holds depends on `Accept`, too."""
    told = f'filename="{name}"' if name.isascii() else f"filename*=UTF-8''{quote(name)}"  # RFC 6266
    response.headers["Content-Disposition"] = f"{disposition}; {told}"
    response.vary.add("Accept")
    return response
