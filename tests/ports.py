"""Ports of loopback that no other test process is handed, and that the kernel gives nobody by chance.

A port that was bound once and closed again may be somebody else's by the time a server starts on it. These lie below
the range that the kernel picks from, and each is locked by a file until the process that asked for it ends.
"""

from __future__ import annotations

import fcntl
import getpass
import os
import random
import socket
import tempfile
from pathlib import Path

PORTS = range(20_000, 32_000)
"""Below the ports that Linux (32768 to 60999) and macOS (49152 and up) take for connections and for port 0."""

_held: list[int] = []
"""Locked files, open as long as this process lives."""


def free_port() -> int:
    """A port of 127.0.0.1, for TCP or UDP, that is this test process's own until it ends."""
    chooser = random.Random(os.urandom(8))  # not the shared one, which some tests seed alike in every process
    for _ in range(1000):
        port = chooser.choice(PORTS)
        if _lock(port) and _is_free(port):
            return port
    raise AssertionError(f"No port from {PORTS.start} to {PORTS.stop} is free.")


def _lock(port: int) -> bool:
    folder = Path(tempfile.gettempdir()) / f"ocrelay-test-ports-{getpass.getuser()}"
    folder.mkdir(exist_ok=True)
    file = os.open(folder / str(port), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    _held.append(file)
    return True


def _is_free(port: int) -> bool:
    try:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as probe:
                probe.bind(("", port))
    except OSError:
        return False
    return True
