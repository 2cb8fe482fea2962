"""The format, without what it is made with: that is loaded when somebody asks for it."""

from __future__ import annotations

from typing import IO

from api.formats.format import BINARY, Format, Source


def write(source: Source, file: IO[bytes]) -> None:
    """Write the document; raises what `source.upload` does."""
    from api.formats.pdf.document import write_document

    write_document(source, file)


FORMAT = Format(
    "pdf",
    "application/pdf",
    "pdf",
    "the page as it was sent, searchable; `pdfa=true` makes it PDF/A-2b",
    write,
    choices=frozenset({"pdfa"}),
    schema=BINARY,
)
