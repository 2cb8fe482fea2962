"""Many files as one zip, which is sent while it is made: no more than one of them is held at a time."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from tempfile import SpooledTemporaryFile
from typing import IO

from api.formats.format import Format, Source

MEDIA_TYPE = "application/zip"
IN_MEMORY_BYTES = 1024 * 1024
"""A larger file waits on the disk until it is sent."""
CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True)
class Entry:
    """One file of a zip. file: made, and closed once it is sent. is_packed: it is compressed already."""

    name: str
    made_at: datetime
    file: IO[bytes]
    is_packed: bool = False


class _Outlet:
    """What the zip is written to: it cannot go back, and gives out what has come."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._waiting.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def taken(self) -> bytes:
        data, self._waiting = b"".join(self._waiting), []
        return data


def zipped(entries: Iterable[Entry]) -> Iterator[bytes]:
    """The zip of some files, in portions; each file is made when its turn comes."""
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w") as archive:  # type: ignore[call-overload]
        for entry in entries:
            with entry.file as file:
                head = zipfile.ZipInfo(entry.name, entry.made_at.astimezone(UTC).timetuple()[:6])
                head.compress_type = zipfile.ZIP_STORED if entry.is_packed else zipfile.ZIP_DEFLATED
                head.file_size = file.seek(0, os.SEEK_END)
                file.seek(0)
                with archive.open(head, "w") as target:
                    while chunk := file.read(CHUNK_BYTES):
                        target.write(chunk)
                        yield outlet.taken()
            yield outlet.taken()
    yield outlet.taken()


def file_of(form: Format, source: Source) -> IO[bytes]:
    """The file of a document, rewound. Whoever gets it closes it. Raises what the format's writer does."""
    with ExitStack() as unless_made:
        file = unless_made.enter_context(SpooledTemporaryFile(IN_MEMORY_BYTES))
        form.write(source, file)
        file.seek(0)
        unless_made.pop_all()
        return file


def made(form: Format, source: Source, prefix: str = "") -> Iterator[Entry]:
    """The files of one document, one or one for each page, with a prefix. Raises what the format's writer does."""
    for one in source.by_pages() if form.is_page_by_page else [source]:
        yield Entry(f"{prefix}{one.name}.{form.ending}", one.made_at, file_of(form, one), not form.is_text)
