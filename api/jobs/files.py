"""Results as files: which format a request asks for, and the answer that holds it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from flask import Response
from werkzeug.datastructures import MIMEAccept
from werkzeug.wsgi import FileWrapper

from api.formats import archive
from api.formats.format import BINARY, Choices, Format, Source
from api.formats.table import BY_NAME, DEFAULT, FORMATS
from api.jobs.schemas import FormatQuery
from api.service.results import check_choices
from shared import errors

SHOWN = ("application/json", "text/plain")
"""What a browser may show; everything else it keeps as a file."""
ZIP: dict[Any, Any] = {"content": {archive.MEDIA_TYPE: {"schema": BINARY}}}
RESULT: dict[Any, Any] = {
    "content": {**{form.media_type: {"schema": form.schema} for form in FORMATS}, **ZIP["content"]},
}


def chosen(name: str | None, accept: MIMEAccept) -> Format:
    """The format by its name, else what the client accepts best; raises NotAcceptable."""
    if name is not None:
        return BY_NAME[name]
    if not accept:
        return DEFAULT
    media_type = accept.best_match([form.media_type for form in FORMATS])
    if media_type is None:
        raise errors.NotAcceptable(media_types=[form.media_type for form in FORMATS])
    return next(form for form in FORMATS if form.media_type == media_type)


def choices_of(query: FormatQuery, form: Format) -> Choices:
    """What was chosen beside the format; raises InvalidOption where the format does not know it."""
    choices = Choices(layout=query.layout, pdfa=query.pdfa)
    check_choices(form, choices)
    return choices


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
    response.headers["Content-Disposition"] = f'{disposition}; filename="{name}"'
    response.vary.add("Accept")
    return response
