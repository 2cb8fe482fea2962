"""One process that a supervisor looks after."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import structlog

from shared import clock

log = structlog.get_logger(__name__)

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
STEADY_SECONDS = 20.0
"""Whoever lived so long starts again at the shortest pause."""
_TICK_SECONDS = 0.05


class ChildProcess:
    """Starts a command in a process group of its own, starts it again with growing pauses, and stops it."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], inherited: tuple[int, ...]) -> None:
        """Describe the process; nothing is started yet.

        Args:
            name: For the log.
            command: Program and arguments.
            environment: The whole environment.
            inherited: Descriptors that stay open in it.
        """
        self.name = name
        self.deaths = 0
        self._command = command
        self._environment = environment
        self._inherited = inherited
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._start_again_at: float | None = None
        self._is_asked = False

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start the process now. What it prints goes to standard error."""
        self._started = clock.monotonic()
        self._start_again_at = None
        self._is_asked = False
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            pass_fds=self._inherited,
            start_new_session=True,
        )

    def tend(self) -> bool:
        """Look after it once: note its death, and start it again when the pause is over. True: it has just died."""
        if self._start_again_at is not None:
            if clock.monotonic() >= self._start_again_at:
                self.start()
        elif self._process is not None and self._process.poll() is not None:
            self._note_death(self._process.returncode)
            return True
        return False

    def _note_death(self, status: int) -> None:
        self._kill_group()  # what it left behind would hold its port or its files
        self.deaths += 1
        if clock.monotonic() - self._started > STEADY_SECONDS:
            self._pause_seconds = FIRST_PAUSE_SECONDS
        self._start_again_at = clock.monotonic() + self._pause_seconds
        log.warning(
            "A process ended by itself; it is started again. Its lines above may say why, or `ocrelay doctor` does.",
            event_name="up.child_died",
            child=self.name,
            status=status,
            pause_seconds=self._pause_seconds,
        )
        self._pause_seconds = min(self._pause_seconds * 2, LONGEST_PAUSE_SECONDS)

    def ask_to_stop(self) -> None:
        """Send SIGTERM once, without waiting; a second one means impatience to some programs."""
        if self._process is not None and self._process.poll() is None and not self._is_asked:
            self._process.send_signal(signal.SIGTERM)
            self._is_asked = True

    def stop(self, *, timeout_seconds: float, in_order: Callable[[], bool] = lambda: True) -> None:
        """Ask it to end, wait, then kill whatever is left of its group.

        Args:
            timeout_seconds: How long it may take.
            in_order: Asked again and again; False ends the patience at once.
        """
        if self._process is None:
            return
        self.ask_to_stop()
        deadline = clock.monotonic() + timeout_seconds
        while self._process.poll() is None and clock.monotonic() < deadline and in_order():
            clock.sleep(_TICK_SECONDS)
        self._kill_group()
        self._process.wait()

    def _kill_group(self) -> None:
        assert self._process is not None
        # Nobody may be left; macOS says PermissionError for zombies.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
