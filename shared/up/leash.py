"""``python -m shared.up.leash DESCRIPTOR COMMAND…``: run a foreign program that must not outlive the supervisor.

Our own processes hold the lifeline themselves (``lifeline.py``); the broker is not ours, so this small process does it
in its place: it ends the program when the supervisor is gone, and passes signals and the exit status on.
"""

from __future__ import annotations

import ctypes
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable

STOP_SECONDS = 5.0
_TICK_SECONDS = 0.2
_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    """Run the command until it ends or the supervisor is gone; return its exit status."""
    descriptor, command = int(arguments[0]), arguments[1:]
    process = subprocess.Popen(command, close_fds=False, preexec_fn=_die_with_parent())  # noqa: PLW1509 (no threads)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    signal.signal(signal.SIGINT, lambda *_: process.terminate())
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while process.poll() is None:
            if selector.select(_TICK_SECONDS):  # readable without a writer: the supervisor is gone
                return _end(process)
    return process.returncode


def _end(process: subprocess.Popen[bytes]) -> int:
    process.terminate()
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux the kernel ends the program even when this process is killed with -9."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    status = main(sys.argv[1:])
    os._exit(status if status >= 0 else 128 - status)
