"""GIF, JPEG 2000, AVIF and HEIC: cut, lying about their size, moving."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from tests.images import saved
from tests.malformed.case import Case, cut, exif_block, picture

SAMPLES = Path(__file__).parents[1] / "samples"
GIF = saved(picture("P"), "GIF")
JP2 = saved(picture(), "JPEG2000")
AVIF = saved(picture(), "AVIF")
CUT = "truncated_image"


def gif_of(width: int, height: int) -> bytes:
    """GIF with another size of its screen."""
    return GIF[:6] + struct.pack("<HH", width, height) + GIF[10:]


def jp2_of(width: int, height: int, components: int = 3) -> bytes:
    """JP2 with another size in its codestream."""
    at = JP2.index(b"\xff\x4f\xff\x51") + 8
    return (
        JP2[:at]
        + struct.pack(">II", width, height)
        + JP2[at + 8 : at + 32]
        + struct.pack(">H", components)
        + JP2[at + 34 :]
    )


def avif_of(width: int, height: int) -> bytes:
    """AVIF with another size in the properties of its picture."""
    at = AVIF.index(b"ispe") + 8
    return AVIF[:at] + struct.pack(">II", width, height) + AVIF[at + 8 :]


def cases() -> Iterator[Case]:
    """Every one of them."""
    yield Case("gif", GIF, "succeeded")
    yield Case(
        "gif that moves",
        saved(picture("P"), "GIF", save_all=True, append_images=[picture("P").rotate(90)]),
        "succeeded",
    )
    yield Case("gif with a comment", saved(picture("P"), "GIF", comment=b"x" * 5000), "succeeded")
    yield Case("gif with bytes behind it", GIF + b"\0" * 100, "succeeded")
    yield Case("gif without its end", GIF[:-1], "succeeded")
    ends = {
        "in its magic": 5,
        "behind its magic": 6,
        "in its screen": 9,
        "in its palette": 40,
        "in its pixels": len(GIF) // 2,
    }
    yield from cut("gif", GIF, ends, {0: "unreadable_header", 10: CUT})
    yield Case("gif of no width", gif_of(0, 48), "zero_size_image")
    yield Case("gif of many pixels", gif_of(20_000, 20_000), "too_many_pixels")
    yield Case("gif of only comments", GIF[:13] + b"!\xfe" + b"\x01a" * 50_000 + b"\0", CUT)
    yield Case("jpeg 2000", JP2, "succeeded")
    yield Case("jpeg 2000 codestream", saved(picture(), "JPEG2000", no_jp2=True), "succeeded")
    ends = {
        "in its magic": 11,
        "behind its magic": 12,
        "in its header": 60,
        "in its pixels": len(JP2) // 2,
        "at its end": len(JP2) - 2,
    }
    yield from cut("jpeg 2000", JP2, ends, {0: "unsupported_media_type", 12: "unreadable_header", 200: CUT})
    yield Case("jpeg 2000 of no width", jp2_of(0, 48), "zero_size_image")
    yield Case("jpeg 2000 of many pixels", jp2_of(20_000, 20_000), "too_many_pixels")
    yield Case("jpeg 2000 of many components", jp2_of(96, 48, 500), "unreadable_header")
    yield Case("jpeg 2000 of zeros", b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(200), "unreadable_header")
    yield Case("avif", AVIF, "succeeded")
    yield Case("avif with exif", saved(picture(), "AVIF", exif=exif_block(6)), "succeeded")
    yield Case("avif of many pixels", avif_of(12_000, 12_000), "too_many_pixels")
    yield Case("avif cut in its header", AVIF[:60], "unreadable_header")
    yield Case("avif cut in its pixels", AVIF[:-20], CUT)
    for name in ("turned", "two"):
        yield Case(f"heic {name}", (SAMPLES / f"{name}.heic").read_bytes(), "succeeded")
    yield Case("heic cut", (SAMPLES / "turned.heic").read_bytes()[:-20], "unreadable_header")
    yield Case("heic of zeros", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200), "unreadable_header")
