"""A bound for what foreign code may allocate: better that one child ends than that the machine has no memory left.

And what was freed goes back to the machine.
"""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]

LARGE_BYTES = 16 << 20
"""A block of so many bytes goes back to the system as soon as it is freed."""
SPARE_BYTES = 64 << 20
"""So many bytes at the end of the heap may wait for the next block."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # Source: malloc.h of glibc
_STATUS = Path("/proc/self/status")
_HELD = re.compile(r"VmData:\s+(\d+) kB")


@contextmanager
def at_most(more_bytes: int) -> Iterator[None]:
    """Let this process allocate so many bytes more while the block runs; what goes beyond fails, and may end it.

    Where the system does not say what a process holds (it is not Linux) there is no bound.
    """
    held = _held_bytes()
    if resource is None or held is None:
        yield
        return
    before, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = held + more_bytes
    limits = [limit for limit in (before, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min([wanted, *limits]), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (before, hard))


def _held_bytes() -> int | None:
    try:
        found = _HELD.search(_STATUS.read_text("ascii", "replace"))
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


def keep_little() -> None:
    """Let this process keep less of what was freed, where the allocator can be told: glibc.

    Call before it has threads. Each thread would get a heap of its own otherwise, and blocks of up to 32 MB would stay
    in them: of a child that reads a page after the other, 90 MB of 500. Smaller bounds cost half of the pace.
    """
    set_option = getattr(_libc(), "mallopt", None)
    if set_option is not None:
        for option, value in ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, LARGE_BYTES), (_TRIM_THRESHOLD, SPARE_BYTES)):
            set_option(option, value)


def give_back() -> None:
    """Give what was freed back to the system, where the allocator can: glibc.

    Images and batches of many sizes leave holes that nothing fits into: with two models a child grew by 2 MB a page.
    """
    trim = getattr(_libc(), "malloc_trim", None)
    if trim is not None:
        trim(0)


@cache
def _libc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if sys.platform == "linux" else None
