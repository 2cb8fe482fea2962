"""A folder that is watched: what comes into it is sent once it is complete."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from api.client.patience import Patience
from api.client.submit.documents import Document, files_below, is_document

PAUSE_SECONDS = 1.0
State = tuple[int, int]


def watch(folder: Path, patience: Patience, *, leave_out: Path | None) -> Iterator[Document | None]:
    """Yield each document of the folder once, as soon as it stayed as it is for a moment; None: none at the moment.

    Args:
        folder: With the folders in it.
        patience: Ends it.
        leave_out: The folder of results.
    """
    seen: dict[Path, State] = {}
    told: dict[Path, State] = {}
    while not patience.is_stopped:
        for file in files_below(folder, leave_out):
            state = _state(file)
            if state is None or told.get(file) == state:
                continue
            if seen.get(file) == state:
                told[file] = state
                if is_document(file):
                    yield Document(file, file.relative_to(folder).as_posix())
            seen[file] = state
        yield None
        patience.pause(PAUSE_SECONDS)


def _state(file: Path) -> State | None:
    """What changes while somebody writes it; None: it is gone, or empty as yet."""
    try:
        found = file.stat()
    except OSError:
        return None
    return (found.st_size, found.st_mtime_ns) if found.st_size else None
