"""PNG. Source of the layout: PNG specification, third edition, section 5."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from tests import images
from tests.images import END, chunk, saved
from tests.images import png_of as png
from tests.malformed.case import HEIGHT, WIDTH, Case, cut, exif_block, picture, zeros

ROWS = zlib.compress((b"\0" + b"\xff" * WIDTH) * HEIGHT)


def header(width: int = WIDTH, height: int = HEIGHT, depth: int = 8, colour: int = 0, interlace: int = 0) -> bytes:
    """IHDR of the picture, if nothing else is said."""
    return images.header(width, height, depth, colour, interlace)


def white(*between: bytes) -> bytes:
    """A white page with these chunks before its pixels."""
    return png(header(), *between, chunk(b"IDAT", ROWS), END)


def chunk_ends(content: bytes) -> dict[str, int]:
    """Where each chunk ends, but the last one, and a place inside each."""
    ends, offset, number = {}, 8, 0
    while offset < len(content):
        (length,) = struct.unpack_from(">I", content, offset)
        kind = content[offset + 4 : offset + 8].decode("ascii")
        ends[f"inside chunk {number} {kind}"] = offset + 8 + length // 2
        offset += 12 + length
        ends[f"behind chunk {number} {kind}"] = offset
        number += 1
    del ends[f"behind chunk {number - 1} IEND"]
    return ends


def cases() -> Iterator[Case]:
    """Every PNG."""
    split = png(
        header(), chunk(b"tEXt", b"Title\0page"), chunk(b"IDAT", ROWS[:20]), chunk(b"IDAT", ROWS[20:]), END
    )  # fmt: skip
    ends = {"inside the signature": 5, "behind the signature": 8, **chunk_ends(split)}
    before_size = {0: "unsupported_media_type", 4: "unreadable_header", 24: "truncated_image"}
    yield from cut("png", split, ends, before_size)
    yield from _lies()
    yield from _bombs()
    yield from _kinds()


def _lies() -> Iterator[Case]:
    rows = chunk(b"IDAT", ROWS)
    yield Case("png of no width", png(header(0), rows, END), "zero_size_image")
    yield Case("png of no height", png(header(height=0), rows, END), "zero_size_image")
    yield Case("png that claims 60000 x 60000", png(header(60_000, 60_000), rows, END), "too_many_pixels")
    yield Case("png that claims 2^31 - 1 squared", png(header(2**31 - 1, 2**31 - 1), rows, END), "too_many_pixels")
    yield Case("png that claims 2^32 - 1 squared", png(header(2**32 - 1, 2**32 - 1), rows, END), "too_many_pixels")
    yield Case("png 1 x 65535", png(header(1, 65535), rows, END), "too_many_pixels")
    yield Case("png 65535 x 1", png(header(65535, 1), rows, END), "too_many_pixels")
    yield Case("png that claims twice its rows", png(header(height=2 * HEIGHT), rows, END), "corrupt_image")
    yield Case("png that claims half its rows", png(header(height=HEIGHT // 2), rows, END), "succeeded")
    wrong = chunk(b"IHDR", header()[8:21], crc=1)
    yield Case("png with a wrong checksum in its header", png(wrong, rows, END), "corrupt_image")
    yield Case(
        "png with a wrong checksum in its pixels", png(header(), chunk(b"IDAT", ROWS, crc=1), END), "corrupt_image"
    )
    yield Case("png of 3 bits", png(header(depth=3), rows, END), "corrupt_image")
    yield Case("png of colour type 7", png(header(colour=7), rows, END), "corrupt_image")
    yield Case("png of interlace method 2", png(header(interlace=2), rows, END), "corrupt_image")
    yield Case("png palette without a palette", png(header(colour=3), rows, END), "corrupt_image")
    yield Case("png whose pixels are no zlib", png(header(), chunk(b"IDAT", b"nothing packed"), END), "corrupt_image")
    yield Case("png without pixels", png(header(), END), "corrupt_image")
    long = chunk(b"IDAT", ROWS, length=0x7FFFFFFF)
    yield Case("png whose chunk claims 2 GiB", png(header(), long, END), "truncated_image")
    yield Case(
        "png whose first chunk is none of its own", png(chunk(b"XXXX", bytes(13)), rows, END), "unreadable_header"
    )


def _bombs() -> Iterator[Case]:
    yield Case("png whose pixels inflate to 64 MiB", png(header(), chunk(b"IDAT", zeros(64)), END), "succeeded")
    yield Case("png whose comment inflates to 64 MiB", white(chunk(b"zTXt", b"Comment\0\0" + zeros(64))), "succeeded")
    yield Case("png whose colour profile inflates to 64 MiB", white(chunk(b"iCCP", b"p\0\0" + zeros(64))), "succeeded")
    yield Case("png with 4 MiB of text", white(chunk(b"tEXt", b"Comment\0" + b"x" * (4 << 20))), "succeeded")
    yield Case("png with 20000 chunks", white(*[chunk(b"tEXt", b"a\0b")] * 20_000), "succeeded")


def _kinds() -> Iterator[Case]:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        image = picture("L").convert("I;16") if mode == "I;16" else picture(mode if mode != "LA" else "L").convert(mode)
        yield Case(f"png {mode}", saved(image, "PNG"), "succeeded")
    yield Case("png palette with transparency", saved(picture("P"), "PNG", transparency=3), "succeeded")
    yield Case("png 1 x 1", saved(picture().crop((0, 0, 1, 1)), "PNG"), "succeeded")
    tall = zlib.compress(b"\0\xff" * 30_000)
    yield Case("png 1 x 30000", png(header(1, 30_000), chunk(b"IDAT", tall), END), "succeeded")
    yield Case(
        "png 30000 x 1",
        png(header(30_000, 1), chunk(b"IDAT", zlib.compress(b"\0" + b"\xff" * 30_000)), END),
        "succeeded",
    )
    moving = saved(
        picture(), "PNG", save_all=True, append_images=[picture("L").convert("RGB").rotate(180)], duration=50
    )
    yield Case("png that moves", moving, "succeeded")
    yield Case("png with garbage for a colour profile", white(chunk(b"iCCP", b"p\0\0" + b"garbage" * 9)), "succeeded")
    yield Case("png with garbage for EXIF", white(chunk(b"eXIf", b"MM\0*" + b"\xff" * 40)), "succeeded")
    yield Case("png with an empty EXIF", white(chunk(b"eXIf", b"")), "succeeded")
    yield Case("png with EXIF that names no way up", white(chunk(b"eXIf", exif_block(9)[6:])), "succeeded")
    yield Case("png and zip in one", white() + b"PK\x03\x04" + bytes(60), "succeeded")
    yield Case("png and page in one", white(chunk(b"tEXt", b"a\0<script>alert(1)</script>")) + b"<html>", "succeeded")
