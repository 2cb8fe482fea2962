"""How a child process notices that its supervisor is gone, also when that was killed with -9.

The supervisor holds the write end of a pipe that nobody else has; a child reads from the other end. The read returns
only when the last holder of the write end is gone, on every Unix.
"""

from __future__ import annotations

import os
import signal
import threading

from shared import clock

GRACE_SECONDS = 5.0
"""An orphan has so long to end in order; then its whole process group is killed."""


def hold(descriptor: int, *, grace_seconds: float = GRACE_SECONDS) -> None:
    """Watch the supervisor from a thread: when it is gone, stop this process in order, and after a while for good.

    Args:
        descriptor: Read end of the supervisor's pipe.
        grace_seconds: Time between the request to stop and the end.
    """
    threading.Thread(target=_watch, args=(descriptor, grace_seconds), name="lifeline", daemon=True).start()


def _watch(descriptor: int, grace_seconds: float) -> None:
    while os.read(descriptor, 1):  # nothing is ever written; an empty read means the end of the supervisor
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    clock.sleep(grace_seconds)
    os.killpg(os.getpgrp(), signal.SIGKILL)
