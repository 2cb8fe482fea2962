"""Python imports this at its start where the folder is on PYTHONPATH: some documents now harm their worker.

It stands for the bug in a native library that a document of a client sets off: a process that is gone, or far too slow.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from shared.uploads.blobs import Blobs

POISON, SLOW = b"tests:poison", b"tests:slow"
SLOW_SECONDS = 2.5

_read = Blobs.get


def _read_and_suffer(self: Blobs, sha256: str) -> bytes:
    content = _read(self, sha256)
    if "worker" in sys.argv:
        if POISON in content:
            os.kill(os.getpid(), signal.SIGKILL)
        if SLOW in content:
            time.sleep(SLOW_SECONDS)
    return content


Blobs.get = _read_and_suffer  # type: ignore[method-assign]
