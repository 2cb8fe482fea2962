"""Results as files: which format a request asks for."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MIMEAccept

from api.formats import archive
from api.formats.format import BINARY, Choices, Format
from api.formats.table import BY_NAME, DEFAULT, FORMATS
from api.jobs.schemas import FormatQuery
from api.service.results import check_choices
from shared import errors

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
