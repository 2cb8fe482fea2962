"""Sizes of GIF, JPEG 2000, HEIC and AVIF files by their headers, without a look at their pixels."""

from __future__ import annotations

import io
import struct

import pi_heif
from PIL import Image

JP2_START, CODESTREAM = b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"
MOST_COMPONENTS, MOST_BITS = 4, 16
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
AVIF_BRANDS = {b"avif", b"avis"}
Image.MAX_IMAGE_PIXELS = None  # ours are checked before any pixel is decoded, and can be set


def kind(start: bytes) -> str | None:
    """Return the media type that the first 64 bytes show; None: none of these."""
    if start[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if start.startswith((JP2_START, CODESTREAM)):
        return "image/jp2"
    if start[4:8] == b"ftyp":
        brands = {start[place : place + 4] for place in (8, *range(16, min(64, start[3]), 4))}
        if brands & AVIF_BRANDS:
            return "image/avif"
        if brands & HEIC_BRANDS:
            return "image/heic"
    return None


def gif_size(content: bytes) -> tuple[int, int]:
    """Return the size of the screen, on which all frames lie. Source: GIF89a, section 18."""
    width, height = struct.unpack_from("<HH", content, 6)
    return width, height


def jp2_size(content: bytes) -> tuple[int, int]:
    """Return the size that the codestream says, for that is what is decoded. Source: ISO 15444-1, annex A.5.1.

    Raises:
        ValueError: There is no codestream, or one of unusual samples.
    """
    start = content.find(CODESTREAM)
    if start < 0:
        raise ValueError("no codestream")
    right, bottom, left, top = struct.unpack_from(">IIII", content, start + 8)
    components, bits = struct.unpack_from(">HB", content, start + 40)
    if not 1 <= components <= MOST_COMPONENTS or (bits & 0x7F) >= MOST_BITS:
        raise ValueError("unusual samples")
    return right - left, bottom - top


def heic_size(content: bytes) -> tuple[int, int]:
    """Return the size of the primary image as it is seen, turned as its properties say."""
    width, height = pi_heif.open_heif(io.BytesIO(content)).size
    return int(width), int(height)


def avif_size(content: bytes) -> tuple[int, int]:
    """Return the size of the first frame, as stored."""
    with Image.open(io.BytesIO(content), formats=["AVIF"]) as image:
        return image.size
