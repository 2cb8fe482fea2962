"""Temporary folders that servers left behind that were killed: the next one that starts removes them."""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
from pathlib import Path

from shared import clock

SETTLED_SECONDS = 60.0
"""A folder of a socket that is younger may belong to a server that is just starting."""


def folder_of_this_process(kind: str) -> Path:
    """Make a temporary folder that names its process, and remove those of processes that are gone."""
    prefix = f"ocrelay-{kind}-{os.getuid()}-"
    for path in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        found = re.fullmatch(re.escape(prefix) + r"(\d+)-\w+", path.name)
        if found and not _is_alive(int(found[1])):
            _remove(path)
    return Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-"))


def remove_deaf_sockets(parent: Path, kept: Path) -> None:
    """Remove this user's folders of brokers that nobody listens in any more, but for the one that is wanted."""
    for path in parent.glob(f"ocrelay-{os.getuid()}-*"):
        if path != kept and re.fullmatch(r"ocrelay-\d+-[0-9a-f]{12}", path.name) and _is_deaf(path):
            _remove(path)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_deaf(folder: Path) -> bool:
    try:
        if clock.now().timestamp() - folder.stat().st_mtime < SETTLED_SECONDS:
            return False
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(1)
            asking.connect(str(folder / "broker.sock"))
    except (ConnectionRefusedError, FileNotFoundError):
        return folder.exists()
    except OSError:
        return False
    return False


def _remove(path: Path) -> None:
    if not path.is_symlink() and path.stat().st_uid == os.getuid():
        shutil.rmtree(path, ignore_errors=True)
