"""The segments of a JPEG, without a look at its pixels. Source: ITU-T T.81, annex B."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

MOST_SEGMENTS = 4096
"""A camera's file has a few dozen. Millions of empty ones would cost seconds to walk through."""
START_OF_SCAN = 0xFFDA
FRAMES = frozenset(range(0xFFC0, 0xFFD0)) - {0xFFC4, 0xFFC8, 0xFFCC}
"""Markers of frame headers: all of this row but the tables of codes, a reserved one and arithmetic conditioning."""
HUFFMAN_FRAMES = (0xFFC0, 0xFFC1, 0xFFC2)  # baseline, extended, progressive
SEQUENTIAL_FRAMES = (0xFFC0, 0xFFC1)
_FILL = re.compile(rb"\xff+")


def segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, offset of the payload and its length, for each segment before the first scan ends the list.

    Raises:
        struct.error: The file ends before its first scan, or there are more than MOST_SEGMENTS.
    """
    offset = 2
    for _ in range(MOST_SEGMENTS):
        if fill := _FILL.match(content, offset):  # any number of them may stand before a marker
            offset = fill.end() - 1
        marker, length = struct.unpack_from(">HH", content, offset)
        if marker >> 8 != 0xFF:
            return
        yield marker, offset + 4, length - 2
        if marker == START_OF_SCAN:
            return
        offset += 2 + length
    raise struct.error("too many segments")


def size(content: bytes) -> tuple[int, int] | None:
    """Return width and height of the first frame header; None where there is none. Raises struct.error."""
    for marker, payload, _ in segments(content):
        if marker in FRAMES:
            height, width = struct.unpack_from(">HH", content, payload + 1)
            return width, height
    return None


def scan_offset(content: bytes) -> int:
    """Return the offset of the first scan's data; raises struct.error where the file ends before it."""
    end = 2
    for _, payload, length in segments(content):
        end = payload + length
    return end


def coefficients_bytes(content: bytes) -> int:
    """Return how much memory the coefficients take that a decoder must hold together: none but for a progressive one.

    Two bytes for each, in whole units of blocks. Source: ITU-T T.81, annexes A.2 and G. Raises struct.error.
    """
    for marker, payload, _ in segments(content):
        if marker not in FRAMES:
            continue
        if marker in SEQUENTIAL_FRAMES:
            return 0
        height, width, count = struct.unpack_from(">HHB", content, payload + 1)
        factors = [content[payload + 7 + 3 * index] for index in range(count)]
        across, down = max(one >> 4 for one in factors), max(one & 15 for one in factors)
        units = -(-width // (8 * across)) * -(-height // (8 * down)) if across and down else 0
        return 2 * 64 * units * sum((one >> 4) * (one & 15) for one in factors)
    return 0
