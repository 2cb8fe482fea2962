"""Everything under a data folder belongs to its user alone: what is made from now on, and what was made before."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

OTHERS = 0o077
OURS = (
    "blobs",
    "broker",
    "ocrelay.sqlite3*",
    "up.lock",
    "family.lock",
    "sweeper-*",
    "address",
    "secrets.key",
)
"""What we make in a data folder. Somebody may have named a folder that holds other things, too; they are not ours."""


def keep_private() -> None:
    """Let nobody else read what this process and its children make."""
    os.umask(OTHERS)


def mend(folder: Path) -> int:
    """Take from others what an earlier version let them read; return of how many files and folders.

    What belongs to somebody else stays as it is: only they can change it.
    """
    return sum(_close(path) for path in _ours(folder))


def _ours(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield folder
    for pattern in OURS:
        for path in folder.glob(pattern):
            yield path
            if path.is_dir() and not path.is_symlink():
                yield from path.rglob("*")


def _close(path: Path) -> bool:
    try:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode) or not found.st_mode & OTHERS or found.st_uid != os.getuid():
            return False
        path.chmod(stat.S_IMODE(found.st_mode) & ~OTHERS)
    except FileNotFoundError:  # somebody was faster
        return False
    return True
