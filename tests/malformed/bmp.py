"""BMP. Source of the layout: BITMAPFILEHEADER and BITMAPINFOHEADER as Microsoft documents them."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from tests.images import saved
from tests.malformed.case import HEIGHT, WIDTH, Case, cut, picture

BASE = saved(picture(), "BMP")
WIDTH_AT, HEIGHT_AT, BITS_AT, COMPRESSION_AT, COLOURS_AT, DATA_AT, HEADER_AT = 18, 22, 28, 30, 46, 10, 14


def patched(at: int, layout: str, value: int, content: bytes = BASE) -> bytes:
    """A file with another number at one place."""
    changed = bytearray(content)
    struct.pack_into("<" + layout, changed, at, value)
    return bytes(changed)


def cases() -> Iterator[Case]:
    """Every BMP."""
    ends = {
        "inside the file header": 10, "behind the file header": 14, "before the size": 18, "behind the size": 26,
        "behind the headers": 54, "in the middle": len(BASE) // 2, "one byte before its end": len(BASE) - 1,
    }  # fmt: skip
    yield from cut("bmp", BASE, ends, {0: "unreadable_header", 26: "truncated_image"})
    yield Case("bmp that is only its magic", b"BM", "unreadable_header")
    yield Case("bmp of no width", patched(WIDTH_AT, "i", 0), "zero_size_image")
    yield Case("bmp of no height", patched(HEIGHT_AT, "i", 0), "zero_size_image")
    yield Case("bmp of negative width", patched(WIDTH_AT, "i", -WIDTH), "zero_size_image")
    yield Case("bmp from top to bottom", patched(HEIGHT_AT, "i", -HEIGHT), "succeeded")
    yield Case("bmp of the least height there is", patched(HEIGHT_AT, "i", -(2**31)), "too_many_pixels")
    yield Case(
        "bmp that claims 60000 x 60000",
        patched(WIDTH_AT, "i", 60_000, patched(HEIGHT_AT, "i", 60_000)),
        "too_many_pixels",
    )
    yield Case("bmp that claims more rows than it has", patched(HEIGHT_AT, "i", 2 * HEIGHT), "truncated_image")
    yield Case("bmp of 64 bits", patched(BITS_AT, "H", 64), "truncated_image")
    yield Case("bmp of no bits", patched(BITS_AT, "H", 0), "corrupt_image")
    yield Case("bmp of 5 bits", patched(BITS_AT, "H", 5), "corrupt_image")
    yield Case("bmp of compression 99", patched(COMPRESSION_AT, "I", 99), "corrupt_image")
    yield Case("bmp that holds a jpeg", patched(COMPRESSION_AT, "I", 4), "corrupt_image")
    yield Case("bmp whose pixels begin beyond its end", patched(DATA_AT, "I", 2**31), "truncated_image")
    yield Case("bmp whose pixels begin in its header", patched(DATA_AT, "I", 2), "succeeded")
    yield Case("bmp with a header of 2 GiB", patched(HEADER_AT, "I", 2**31), "corrupt_image")
    yield Case("bmp with a header of nothing", patched(HEADER_AT, "I", 0), "corrupt_image")
    palette = saved(picture("P"), "BMP")
    yield Case("bmp with a palette of 2^31 colours", patched(COLOURS_AT, "I", 2**31, palette), "corrupt_image")
    rows = patched(COMPRESSION_AT, "I", 1, palette)
    yield Case("bmp whose run lengths are pixels", rows, "corrupt_image")
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        yield Case(f"bmp {mode}", saved(picture(mode), "BMP"), "succeeded")
    yield Case("bmp 1 x 1", saved(picture().crop((0, 0, 1, 1)), "BMP"), "succeeded")
    yield Case("bmp and zip in one", BASE + b"PK\x03\x04" + bytes(60), "succeeded")
