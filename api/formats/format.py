"""What an output format is, and what a file is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import IO, Any

from shared.result import DocumentResult

BINARY: dict[str, Any] = {"type": "string", "format": "binary"}
TEXT: dict[str, Any] = {"type": "string"}


@dataclass(frozen=True)
class Choices:
    """What may be chosen beside the format.

    layout: keep columns and indentation by spaces. pdfa: make it PDF/A-2b. Each format names those that it knows.
    """

    layout: bool = False
    pdfa: bool = False

    def names(self) -> set[str]:
        """Those that were chosen."""
        return {name for name, is_chosen in vars(self).items() if is_chosen}


@dataclass(frozen=True)
class Source:
    """What a file is made of.

    name: of the document, as its files are called. made_at: when it was read. media_type: of the upload.
    upload: returns its bytes; only formats that show the page ask for them. It raises DocumentMissing where the upload
    was deleted, DocumentChanged where the disk changed it.
    """

    result: DocumentResult
    name: str
    made_at: datetime
    media_type: str
    upload: Callable[[], bytes]
    choices: Choices = Choices()

    def by_pages(self) -> list[Source]:
        """The same for each page alone."""
        pages = self.result.pages
        if len(pages) == 1:
            return [self]
        return [
            replace(self, name=f"{self.name}-{page.page_number:04}", result=replace(self.result, pages=(page,)))
            for page in pages
        ]


Writer = Callable[[Source, IO[bytes]], None]


@dataclass(frozen=True)
class Format:
    """One output format.

    name: as `format=` has it. ending: of file names, without the dot. summary: for people who choose.
    write: makes the file. choices: which of `Choices` it knows. is_page_by_page: a file of this format holds one page,
    so a document of many becomes a zip. schema: of the file, for the OpenAPI document.
    """

    name: str
    media_type: str
    ending: str
    summary: str
    write: Writer
    choices: frozenset[str] = frozenset()
    is_page_by_page: bool = False
    schema: dict[str, Any] = field(default_factory=lambda: TEXT, hash=False)

    @property
    def is_text(self) -> bool:
        """Whether it can be shown on a terminal."""
        return self.schema is not BINARY

    def is_zip(self, page_count: int) -> bool:
        """Whether a document of so many pages becomes a zip of files of this format."""
        return self.is_page_by_page and page_count > 1

    def file_name(self, name: str, page_count: int) -> str:
        """How the file of a document is called."""
        return f"{name}.{'zip' if self.is_zip(page_count) else self.ending}"


def as_utf8(make: Callable[[Source], str]) -> Writer:
    """The writer of a format that is text."""

    def write(source: Source, file: IO[bytes]) -> None:
        file.write(make(source).encode())

    return write
