"""A bound for what foreign code may allocate: better that one child ends than that the machine has no memory left.

And what was freed goes back to the machine.
"""

from __future__ import annotations

import ctypes
import gc
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

MOST_HELD = 320 << 20
"""A process that holds more bytes than this gives back what it freed: one with one model stays below on usual pages."""
LARGE_BYTES = 32 << 20
"""A block of so many bytes goes back to the system as soon as it is freed; glibc's own bound for what may stay."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # Source: malloc.h of glibc
_STATUS, _RESIDENT = Path("/proc/self/status"), Path("/proc/self/statm")
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


@cache
def keep_freed() -> None:
    """Let this process keep what was freed until `give_back`, in one heap, where the allocator can be told: glibc.

    Call before it has threads: each would get a heap of its own otherwise, of a child that reads a page after the other
    90 MB of 500. Left to itself the allocator gives large buffers back as soon as they are free. The detector then
    waited for fresh ones on every page of 1.5 million pixels and more, twice as long as it searched, and a page took a
    tenth longer.
    """
    set_option = getattr(_libc(), "mallopt", None)
    if set_option is not None:
        for option, value in ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, LARGE_BYTES), (_TRIM_THRESHOLD, 2 * MOST_HELD)):
            set_option(option, value)


def give_back() -> None:
    """Give what was freed back to the system where the process holds much, and where the allocator can: glibc.

    Images and batches of many sizes leave holes that nothing fits into: with two models a child grew by 2 MB a page.
    But what was given back must be had anew for the next page: after each page that takes a tenth of the time.
    """
    if _resident_bytes() > MOST_HELD:
        _trim()


def let_go() -> None:
    """Free models that were replaced, now, and give all that is free back to the system.

    Sessions hang on circles of references: what waited for Python's own collector were up to four models, 15 MB each.
    """
    gc.collect()
    _trim()


def _trim() -> None:
    trim = getattr(_libc(), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _resident_bytes() -> int:
    try:
        return int(_RESIDENT.read_text("ascii").split()[1]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return MOST_HELD + 1


@cache
def _libc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if sys.platform == "linux" else None
