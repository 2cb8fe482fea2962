"""How many bytes an LZW strip of a TIFF holds, and whether all its codes have a meaning. Source: TIFF 6.0, section 13.

libtiff stops where a code has none, and OpenCV gives what was there before. Between two clear codes the widths of codes
follow from their number alone, so a whole run of them is read at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CLEAR, END, FIRST = 256, 257, 258
MOST_CODES = 4096
WIDER_AFTER = (254, 766, 1790)
"""Codes behind a clear one that are at most 9, 10 and 11 bits wide: one earlier than the table is full."""
LEAST_RUN_BYTES = 64
"""Writers clear a table that is full; shorter runs in the mean would cost more to look at than they are worth."""

_WIDTHS = 9 + np.searchsorted(WIDER_AFTER, np.arange(MOST_CODES), side="right")
_STARTS = np.concatenate([[0], np.cumsum(_WIDTHS)[:-1]])


def unpacked_bytes(strip: bytes | memoryview) -> int | None:
    """Return how many bytes a strip holds; None: it is damaged.

    Raises:
        ValueError: Its runs are so short that nobody looks at them all.
    """
    packed = np.concatenate([np.frombuffer(strip, np.uint8), np.zeros(4, np.uint8)]).astype(np.uint32)
    bits = 8 * len(strip)
    runs_left = 16 + len(strip) // LEAST_RUN_BYTES
    at, total = 0, 0
    while at + 9 <= bits:
        codes, used = _run(packed, at, bits)
        held = _held(codes)
        if held is None or len(codes) == MOST_CODES:  # no writer goes on so long without a clear code
            return None
        total += held
        at += used
        width = int(_WIDTHS[len(codes)])
        if used == 0 or _code(packed, at - width, width) == END:
            break
        runs_left -= 1
        if runs_left < 0:
            raise ValueError("a strip of very short runs")
    return total


def _run(packed: NDArray[np.uint32], at: int, bits: int) -> tuple[NDArray[np.int64], int]:
    """Return the codes from a bit on up to a clear or an end code, and how many bits they and it take; 0: the end."""
    starts = at + _STARTS
    starts = starts[starts + _WIDTHS <= bits]
    widths = _WIDTHS[: len(starts)]
    first = starts >> 3
    window = (packed[first] << 16) | (packed[first + 1] << 8) | packed[first + 2]
    codes = (window.astype(np.int64) >> (24 - (starts & 7) - widths)) & ((1 << widths) - 1)
    stops = np.flatnonzero((codes == CLEAR) | (codes == END))
    if not len(stops):
        return codes, 0
    stop = int(stops[0])
    return codes[:stop], int(_STARTS[stop] + _WIDTHS[stop])


def _code(packed: NDArray[np.uint32], at: int, width: int) -> int:
    first = at >> 3
    window = int(packed[first]) << 16 | int(packed[first + 1]) << 8 | int(packed[first + 2])
    return window >> (24 - (at & 7) - width) & ((1 << width) - 1)


def _held(codes: NDArray[np.int64]) -> int | None:
    """Return how many bytes codes stand for; None: one has no meaning yet where it stands.

    A code from FIRST on stands for one byte more than the code that it was made of, which stands before it.
    """
    numbers = np.arange(len(codes))
    if (codes >= FIRST + numbers).any():
        return None
    is_byte = codes < CLEAR
    before = np.where(is_byte, numbers, codes - FIRST)
    more = np.where(is_byte, 0, 1)
    while not is_byte[before].all():
        more = more + more[before]
        before = before[before]
    more = more + np.where(before == numbers, 0, more[before])
    return int((more + 1).sum())
