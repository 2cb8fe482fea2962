"""A folder in memory, where a test's files need not wait for a disk that nobody asks anything of."""

from __future__ import annotations

import shutil
from pathlib import Path

FOLDER = Path("/dev/shm")
ROOM_BYTES = 2 * 1024**3
"""More than all tests at once; a container often has 64 MiB."""


def folder() -> Path | None:
    """The folder, or None where the system has none or too little room in it."""
    if FOLDER.is_dir() and shutil.disk_usage(FOLDER).free >= ROOM_BYTES:
        return FOLDER
    return None
