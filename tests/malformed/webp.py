"""WebP. Source of the layout: WebP container specification; RFC 9649 for the lossless stream."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from PIL import Image

from tests.images import saved
from tests.malformed.case import HEIGHT, WIDTH, Case, cut, exif_block, picture

LOSSY = saved(picture(), "WEBP", quality=90)
LOSSLESS = saved(picture(), "WEBP", lossless=True)


def chunk(kind: bytes, body: bytes, *, length: int | None = None) -> bytes:
    """One chunk, padded to even length; its length may lie."""
    return kind + struct.pack("<I", len(body) if length is None else length) + body + b"\0" * (len(body) % 2)


def riff(*chunks: bytes, length: int | None = None) -> bytes:
    """A file of these chunks."""
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if length is None else length) + body


def extended(width: int, height: int, flags: int = 0) -> bytes:
    """VP8X: size of the canvas, and what else there is."""
    return chunk(
        b"VP8X", struct.pack("<I", flags) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    )


def stream(content: bytes) -> bytes:
    """The chunk with the pixels of a simple file."""
    return content[12:]


def lossless_of(width: int, height: int) -> bytes:
    """LOSSLESS with another size in its own stream."""
    bits = (width - 1) | (height - 1) << 14
    return (
        LOSSLESS[:21] + struct.pack("<I", bits | struct.unpack_from("<I", LOSSLESS, 21)[0] & 0xF0000000) + LOSSLESS[25:]
    )


def lossy_of(width: int, height: int) -> bytes:
    """LOSSY with another size in its own stream."""
    return LOSSY[:26] + struct.pack("<HH", width, height) + LOSSY[30:]


def cases() -> Iterator[Case]:
    """Every WebP."""
    ends = {
        "inside RIFF": 8, "behind RIFF": 12, "inside the chunk header": 18, "behind the chunk header": 20,
        "inside the frame header": 24, "behind the frame header": 30, "in the middle": len(LOSSY) // 2,
        "one byte before its end": len(LOSSY) - 1,
    }  # fmt: skip
    yield from cut("webp", LOSSY, ends, {0: "unsupported_media_type", 14: "unreadable_header", 30: "truncated_image"})
    yield from cut(
        "webp lossless", LOSSLESS, {"in the middle": len(LOSSLESS) // 2}, {0: "truncated_image"}
    )  # fmt: skip
    yield from _lies()
    yield from _kinds()


def _lies() -> Iterator[Case]:
    yield Case("webp that claims 16383 x 16383", lossy_of(16383, 16383), "too_many_pixels")
    yield Case("webp lossless that claims 16384 x 16384", lossless_of(16384, 16384), "too_many_pixels")
    yield Case("webp lossless that claims 5000 x 5000", lossless_of(5000, 5000), "corrupt_image")
    yield Case("webp of no width", lossy_of(0, HEIGHT), "zero_size_image")
    yield Case("webp whose canvas is 2^24 squared", riff(extended(1 << 24, 1 << 24), stream(LOSSY)), "too_many_pixels")
    large = riff(extended(WIDTH, HEIGHT), stream(lossless_of(16384, 16384)))
    yield Case("webp with a small canvas and a vast frame", large, "corrupt_image")
    yield Case("webp with a canvas of another size", riff(extended(WIDTH * 2, HEIGHT), stream(LOSSY)), "corrupt_image")
    yield Case("webp that says it is longer", riff(stream(LOSSY), length=len(LOSSY) + 100), "truncated_image")
    yield Case("webp that says it is shorter", riff(stream(LOSSY), length=40), "corrupt_image")
    yield Case(
        "webp whose chunk says it is longer", LOSSY[:16] + struct.pack("<I", 1 << 30) + LOSSY[20:], "corrupt_image"
    )
    yield Case("webp whose chunk is garbage", LOSSY[:30] + b"\xff" * (len(LOSSY) - 30), "corrupt_image")
    yield Case("webp without pixels", riff(extended(WIDTH, HEIGHT)), "corrupt_image")
    yield Case("webp with an unknown first chunk", riff(chunk(b"ABCD", bytes(40))), "unsupported_media_type")


def _kinds() -> Iterator[Case]:
    yield Case("webp lossy", LOSSY, "succeeded")
    yield Case("webp lossless", LOSSLESS, "succeeded")
    yield Case("webp with alpha", saved(picture("RGBA"), "WEBP"), "succeeded")
    other = picture().rotate(180)
    yield Case(
        "webp that moves", saved(picture(), "WEBP", save_all=True, append_images=[other], duration=50), "succeeded"
    )
    small = saved(Image.new("RGB", (16, 16)), "WEBP")
    far = chunk(b"ANMF", bytes([255] * 6) + bytes([15, 0, 0, 15, 0, 0]) + bytes(4) + stream(small))
    moving = riff(extended(WIDTH, HEIGHT, 2), chunk(b"ANIM", bytes(6)), far)
    yield Case("webp whose moving frame lies outside", moving, "corrupt_image")
    yield Case("webp 1 x 1", saved(picture().crop((0, 0, 1, 1)), "WEBP"), "succeeded")
    bad = riff(extended(WIDTH, HEIGHT, 8), stream(LOSSY), chunk(b"EXIF", b"II*\0" + b"\xff" * 30))
    yield Case("webp with garbage for EXIF", bad, "succeeded")
    yield Case(
        "webp with EXIF that names no way up",
        riff(extended(WIDTH, HEIGHT, 8), stream(LOSSY), chunk(b"EXIF", exif_block(0))),
        "succeeded",
    )
    profile = riff(extended(WIDTH, HEIGHT, 32), chunk(b"ICCP", b"garbage"), stream(LOSSY))
    yield Case("webp with garbage for a colour profile", profile, "succeeded")
    yield Case("webp and zip in one", LOSSY + b"PK\x03\x04" + bytes(60), "succeeded")
