"""TIFF. Source of the layout: TIFF 6.0, sections 2 to 8."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from PIL import Image

from tests.images import saved
from tests.malformed.case import HEIGHT, WIDTH, Case, cut, picture, zeros

SHORT, LONG = 3, 4
COMPRESSION_LZW, COMPRESSION_OLD_JPEG, COMPRESSION_JPEG, COMPRESSION_DEFLATE = 5, 6, 7, 8
PIXELS = b"\xff" * (WIDTH * HEIGHT)
Entry = tuple[int, int, int, int]
"""Tag, kind, count, value."""


def page(width: int = WIDTH, height: int = HEIGHT, *, at: int, length: int, **other: int) -> list[Entry]:
    """The directory of a gray page in one strip; `t256=...` changes a tag."""
    tags = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: at, 277: 1, 278: height, 279: length}
    tags |= {int(name[1:]): value for name, value in other.items()}
    kinds = dict.fromkeys((256, 257, 273, 278, 279, 322, 323, 324, 325), LONG)
    return [(tag, kinds.get(tag, SHORT), 1, value) for tag, value in sorted(tags.items())]


def directory(entries: list[Entry], following: int = 0) -> bytes:
    """One image file directory, little-endian."""
    return (
        struct.pack("<H", len(entries))
        + b"".join(struct.pack("<HHII", *entry) for entry in entries)
        + struct.pack("<I", following)
    )


def tiff(pixels: bytes = PIXELS, width: int = WIDTH, height: int = HEIGHT, **tags: int) -> bytes:
    """A file of one page: its pixels, then its directory."""
    entries = page(width, height, at=8, length=tags.pop("length", len(pixels)), **tags)
    start = 8 + len(pixels)
    return b"II*\0" + struct.pack("<I", start) + pixels + directory(entries)


def chained(*following: int) -> bytes:
    """Directories of the same pixels, each leading to the one with that number; -1 leads nowhere."""
    start = 8 + len(PIXELS)
    size = len(directory(page(at=8, length=len(PIXELS))))
    places = [start + index * size for index in range(len(following))]
    next_at = [0 if to < 0 else places[to] for to in following]
    body = b"".join(directory(page(at=8, length=len(PIXELS)), to) for to in next_at)
    return b"II*\0" + struct.pack("<I", start) + PIXELS + body


def lzw_zeros(codes: int) -> bytes:
    """An LZW stream that grows with each code: clear, 0, and then always the newest entry of the table."""
    bits, width, following = "", 9, 258
    for code in [256, 0, *range(258, 258 + codes)]:
        bits += format(code, f"0{width}b")
        following += code != 256
        width = 9 + (following > 511) + (following > 1023) + (following > 2047)
    bits += format(257, f"0{width}b")
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def cases() -> Iterator[Case]:
    """Every TIFF."""
    yield from _cuts()
    yield from _chains()
    yield from _lies()
    yield from _bombs()
    yield from _kinds()


def _cuts() -> Iterator[Case]:
    base = tiff()
    table = 8 + len(PIXELS)
    ends = {
        "inside its magic": 3, "behind its magic": 4, "behind its header": 8, "in the middle of its strip": table // 2,
        "behind its strip": table, "behind the count of its directory": table + 2,
        "inside its directory": table + 60, "before the end of its directory": len(base) - 4,
    }  # fmt: skip
    yield from cut("tiff", base, ends, {0: "unsupported_media_type", 10: "unreadable_header"})
    first = saved(picture(), "TIFF", compression="tiff_lzw")
    (table,) = struct.unpack_from("<I", first, 4)
    if table < len(first) // 2:
        yield from cut("tiff lzw", first, {"inside its strip": len(first) - 100}, {0: "truncated_image"})
    pages = saved(picture(), "TIFF", save_all=True, append_images=[picture(), picture()])
    yield Case("tiff cut in its last page", pages[:-2000], "truncated_image")


def _chains() -> Iterator[Case]:
    yield Case("tiff without a page", b"II*\0" + bytes(40), "unreadable_header")
    yield Case("tiff whose first page lies beyond its end", b"II*\0\xff\xff\xff\x7f" + bytes(60), "unreadable_header")
    yield Case("tiff whose page leads to itself", chained(0), "too_many_pages")
    yield Case("tiff whose pages lead in a circle", chained(1, 2, 0), "too_many_pages")
    yield Case(
        "tiff whose last page leads beyond its end", chained(1, 0)[:-4] + b"\xff\xff\xff\x7f", "unreadable_header"
    )
    yield Case("tiff of 1,001 pages", chained(*range(1, 1001), -1), "too_many_pages")
    yield Case("tiff of 51 pages", chained(*range(1, 51), -1), "succeeded")
    yield Case("tiff of 5 pages", chained(1, 2, 3, 4, -1), "succeeded")
    yield Case("tiff whose directory is its header", b"II*\0" + struct.pack("<I", 2) + bytes(60), "unreadable_header")
    yield Case("tiff of 65535 entries", b"II*\0\x08\0\0\0\xff\xff" + bytes(100), "unreadable_header")


def _lies() -> Iterator[Case]:
    yield Case("tiff of no width", tiff(width=0), "zero_size_image")
    yield Case("tiff of no height", tiff(height=0), "zero_size_image")
    yield Case("tiff that claims 60000 x 60000", tiff(width=60_000, height=60_000), "too_many_pixels")
    yield Case("tiff 1 x 65535", tiff(width=1, height=65535), "too_many_pixels")
    yield Case("tiff 65535 x 1", tiff(width=65535, height=1), "too_many_pixels")
    yield Case("tiff that claims twice its rows", tiff(height=HEIGHT * 2), "truncated_image")
    yield Case("tiff whose strip reaches beyond its end", tiff(length=2**31), "truncated_image")
    yield Case("tiff whose strip is shorter than it says", tiff(length=10), "truncated_image")
    yield Case("tiff whose strip lies beyond its end", tiff(t273=2**31), "truncated_image")
    yield Case("tiff of 64 samples", tiff(t277=64), "unsupported_media_type")
    yield Case("tiff of no samples", tiff(t277=0), "corrupt_image")
    yield Case("tiff of 32 bits", tiff(t258=32), "unsupported_media_type")
    yield Case("tiff of no bits", tiff(t258=0), "corrupt_image")
    yield Case("tiff of 3 bits", tiff(t258=3), "corrupt_image")
    yield Case("tiff with strips of no rows", tiff(t278=0), "corrupt_image")
    yield Case("tiff of compression 99", tiff(t259=99), "corrupt_image")
    yield Case("tiff in old jpeg", tiff(t259=COMPRESSION_OLD_JPEG), "corrupt_image")
    yield Case("tiff in jpeg that is none", tiff(t259=COMPRESSION_JPEG), "corrupt_image")
    yield Case("tiff with garbage for lzw", tiff(t259=COMPRESSION_LZW), "corrupt_image")
    yield Case("tiff with garbage for deflate", tiff(t259=COMPRESSION_DEFLATE), "truncated_image")
    yield Case("tiff with colours of kind 99", tiff(t262=99), "corrupt_image")
    yield Case("tiff palette without a palette", tiff(t262=3), "corrupt_image")
    yield Case("tiff with planes of kind 9", tiff(t284=9), "corrupt_image")
    yield Case("tiff in CIE L*a*b* of one sample", tiff(t262=8), "corrupt_image")
    tiles = {"t322": 2**30, "t323": 2**30, "t324": 8, "t325": len(PIXELS)}
    yield Case("tiff with tiles of 2^60 pixels", tiff(**tiles), "corrupt_image")
    yield Case("tiff with tiles of no width", tiff(**tiles | {"t322": 0}), "corrupt_image")
    vast = [(tag, kind, 2**32 - 1 if tag == 273 else count, value) for tag, kind, count, value in page(at=8, length=9)]
    yield Case("tiff with 2^32 strips", b"II*\0\x08\0\0\0" + directory(vast), "truncated_image")
    bits = [(tag, kind, 2**32 - 1 if tag == 258 else count, value) for tag, kind, count, value in page(at=8, length=9)]
    yield Case("tiff with 2^32 bit depths", b"II*\0\x08\0\0\0" + directory(bits), "unsupported_media_type")


def _bombs() -> Iterator[Case]:
    yield Case("tiff whose deflate inflates to 64 MiB", tiff(zeros(64), t259=COMPRESSION_DEFLATE), "succeeded")
    yield Case("tiff whose lzw inflates to 7 MiB", tiff(lzw_zeros(3800), t259=COMPRESSION_LZW), "succeeded")
    inner = bytearray(saved(picture("L"), "JPEG"))
    at = inner.index(b"\xff\xc0") + 5
    inner[at : at + 4] = struct.pack(">HH", 65500, 65500)
    yield Case("tiff with a jpeg that claims 65500 x 65500", tiff(bytes(inner), t259=COMPRESSION_JPEG), "corrupt_image")


def _kinds() -> Iterator[Case]:
    for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "LAB", "YCbCr"):
        image = picture(mode) if mode != "LAB" else Image.merge("LAB", picture("RGB").split())
        yield Case(f"tiff {mode}", saved(image, "TIFF"), "succeeded")
    yield Case("tiff I;16", saved(picture("L").convert("I;16"), "TIFF"), "succeeded")
    floats = Image.fromarray(np.full((HEIGHT, WIDTH), 0.5, np.float32))
    yield Case("tiff of floats", saved(floats, "TIFF"), "unsupported_media_type")
    yield Case("tiff of 32-bit integers", saved(picture("L").convert("I"), "TIFF"), "unsupported_media_type")
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        yield Case(f"tiff {compression}", saved(picture(), "TIFF", compression=compression), "succeeded")
    yield Case("tiff group4", saved(picture("1"), "TIFF", compression="group4"), "succeeded")
    yield Case("tiff 1 x 1", tiff(b"\xff", 1, 1), "succeeded")
    yield Case("tiff big", b"II+\0\x08\0\0\0" + struct.pack("<Q", 16) + bytes(60), "unsupported_media_type")
    yield Case("tiff with EXIF beyond its end", tiff(t34665=65000), "succeeded")
    yield Case("tiff and zip in one", tiff() + b"PK\x03\x04" + bytes(60), "succeeded")
