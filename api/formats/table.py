"""All output formats, in the order in which people are told of them; whatever names formats derives from here."""

from __future__ import annotations

from api.formats import alto, as_json, hocr, markdown, page_xml, text, tsv
from api.formats.format import Format
from api.formats.pdf import format as pdf

FORMATS: tuple[Format, ...] = (
    as_json.FORMAT,
    text.FORMAT,
    markdown.FORMAT,
    tsv.FORMAT,
    hocr.FORMAT,
    alto.FORMAT,
    page_xml.FORMAT,
    pdf.FORMAT,
)

BY_NAME = {form.name: form for form in FORMATS}
NAMES = tuple(BY_NAME)
DEFAULT = FORMATS[0]
