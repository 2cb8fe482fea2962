"""Whether the pixels of a TIFF page are there. libtiff leaves white what it cannot unpack, and OpenCV does not say so.

Source: TIFF 6.0, sections 3, 9, 13 and 15; Adobe's supplement 2 for deflate.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping

from worker.ocr.decode import lzw

Fields = Mapping[int, tuple[int, ...]]
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, PALETTE = 256, 257, 258, 259, 262, 277, 320
TAGS = {WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, PALETTE}
EXTENTS = {273: 279, 324: 325}  # StripOffsets: StripByteCounts, TileOffsets: TileByteCounts
TILES = 324
NONE, LZW, JPEG, DEFLATES = 1, 5, 7, (8, 32946)
KNOWN = {NONE, 2, 3, 4, LZW, JPEG, *DEFLATES, 32773}
BY_PALETTE, YCBCR = 3, 6
MOST_OVERLAP = 4
"""Strips together may be so many times as long as the file: else each byte of it would be unpacked without end."""


def are_sound(content: bytes, fields: Fields) -> bool:
    """Return whether the page can be unpacked: a known compression, a palette where it needs one, no garbage."""
    compression = _first(fields, COMPRESSION, NONE)
    if sum(len(strip) for strip in _strips(content, fields)) > MOST_OVERLAP * len(content):
        return False
    if compression not in KNOWN or (_first(fields, PHOTOMETRIC, 0) == BY_PALETTE and PALETTE not in fields):
        return False
    if compression == LZW:  # each strip begins with the code 256 in 9 bits, in old files from the lowest bit
        is_old = all(bytes(strip[:2]) == b"\x00\x01" for strip in _strips(content, fields))
        begin_well = all(bytes(strip[:1]) == b"\x80" for strip in _strips(content, fields))
        return is_old or (begin_well and _is_whole_lzw(content, fields))
    return True


def _is_whole_lzw(content: bytes, fields: Fields) -> bool:
    """Return whether all codes have a meaning and all strips together hold the page, to the byte.

    A byte that changed makes other lengths of most strings, and codes for strings that are not there yet. Tiles reach
    over the page, and some writers fill up the last strip with whole rows.
    """
    total = 0
    try:
        for strip in _strips(content, fields):
            held = lzw.unpacked_bytes(strip)
            if held is None:
                return False
            total += held
    except ValueError:
        return True
    row_bytes = (_row_bits(fields) + 7) // 8
    over = total - row_bytes * _first(fields, HEIGHT, 0)
    is_exact = fields.keys().isdisjoint({TILES}) and _first(fields, BITS, 1) % 8 == 0
    if _first(fields, PHOTOMETRIC, 0) == YCBCR or not is_exact:
        return True
    is_filled_up = over >= row_bytes * _first(fields, HEIGHT, 0)  # with as much again as the page: no changed byte does
    return over >= 0 and (over % max(row_bytes, 1) == 0 or is_filled_up)


def are_enough(content: bytes, fields: Fields) -> bool:
    """Return whether all strips together hold as many bytes as the page has. Only for what costs little to unpack."""
    compression = _first(fields, COMPRESSION, NONE)
    if compression not in (NONE, *DEFLATES) or _first(fields, PHOTOMETRIC, 0) == YCBCR:
        return True
    left = (_row_bits(fields) + 7) // 8 * _first(fields, HEIGHT, 0)
    for strip in _strips(content, fields):
        if left <= 0:
            break
        left -= len(strip) if compression == NONE else _inflated_bytes(strip, left)
    return left <= 0


def _inflated_bytes(packed: bytes | memoryview, most: int) -> int:
    """Return how much a deflate strip holds, without going on beyond `most`."""
    unpacker, count = zlib.decompressobj(), 0
    try:
        while count < most and packed and not unpacker.eof:
            count += len(unpacker.decompress(packed, min(1 << 20, most - count)))
            packed = unpacker.unconsumed_tail
    except zlib.error:
        pass
    return count


def _strips(content: bytes, fields: Fields) -> Iterator[memoryview]:
    view = memoryview(content)
    for starts, lengths in EXTENTS.items():
        for start, length in zip(fields.get(starts, ()), fields.get(lengths, ()), strict=False):
            yield view[start : start + length]


def _row_bits(fields: Fields) -> int:
    return _first(fields, WIDTH, 0) * _first(fields, BITS, 1) * _first(fields, SAMPLES, 1)


def _first(fields: Fields, tag: int, default: int) -> int:
    return fields.get(tag, (default,))[0]
