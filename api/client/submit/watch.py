"""A folder that is watched: what comes into it is sent once it is complete."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from api.client.patience import Patience
from api.client.submit.documents import Document, files_below, is_document
from shared import clock

PAUSE_SECONDS = 1.0
EMPTY_SECONDS = 30.0
"""A file that stayed empty for so long is no file that somebody is about to write."""
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
    is_settled = found.st_size > 0 or clock.now().timestamp() - found.st_mtime > EMPTY_SECONDS
    return (found.st_size, found.st_mtime_ns) if is_settled else None
