"""Whose data folder it is: one ``ocrelay up`` at a time, and none while processes of an earlier one still run."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from shared import clock, errors

_TICK_SECONDS = 0.1


class DataDir:
    """The right to work on a data folder.

    Two locks, both of which the kernel gives back when their holder is gone, however it went:

    * ``up.lock`` is held by the supervisor alone; a second one refuses at once.
    * ``family.lock`` is inherited by every child. While a child of a supervisor that was killed still ends, the next
      supervisor waits, so that no two brokers ever write the same file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._up: int | None = None
        self._family: int | None = None

    @property
    def family_lock(self) -> int:
        """The descriptor that children inherit."""
        assert self._family is not None, "take the folder first"
        return self._family

    def take(self, *, wait_seconds: float) -> None:
        """Become the only supervisor of this folder.

        Args:
            wait_seconds: How long children of an earlier supervisor may still take to end.

        Raises:
            AlreadyRunning: Another supervisor works on it, or its children do not end.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._up = _open(self.folder / "up.lock")
        if not _try_lock(self._up):
            pid = os.pread(self._up, 32, 0).decode(errors="replace").strip() or "unknown"
            raise errors.AlreadyRunning(
                f"Another `ocrelay up` (process {pid}) works on {self.folder}. "
                "Stop it, or choose another folder with --data.",
                pid=pid,
            )
        os.ftruncate(self._up, 0)
        os.pwrite(self._up, f"{os.getpid()}\n".encode(), 0)
        self._family = _open(self.folder / "family.lock")
        self._wait_for_family(wait_seconds)

    def _wait_for_family(self, wait_seconds: float) -> None:
        deadline = clock.monotonic() + wait_seconds
        while not _try_lock(self.family_lock):
            if clock.monotonic() > deadline:
                raise errors.AlreadyRunning(
                    f"Processes of an earlier `ocrelay up` still work on {self.folder}. Wait, or end them."
                )
            clock.sleep(_TICK_SECONDS)

    def give_back(self) -> None:
        """Let the next supervisor in. The end of this process does the same."""
        for descriptor in (self._family, self._up):
            if descriptor is not None:
                os.close(descriptor)
        self._family = self._up = None


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
