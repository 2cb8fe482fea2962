"""Images as files, and PNG files put together chunk by chunk. Source: PNG specification, third edition, section 5."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The image as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def saved_together(*pages: Image.Image, kind: str = "TIFF", **options: Any) -> bytes:
    """Images as the pages of one file."""
    return saved(pages[0], kind, save_all=True, append_images=pages[1:], **options)


def chunk(kind: bytes, body: bytes, *, crc: int | None = None, length: int | None = None) -> bytes:
    """One chunk; its length and checksum may lie."""
    checksum = zlib.crc32(kind + body) if crc is None else crc
    return struct.pack(">I", len(body) if length is None else length) + kind + body + struct.pack(">I", checksum)


END = chunk(b"IEND", b"")


def header(width: int, height: int, depth: int = 8, colour: int = 0, interlace: int = 0) -> bytes:
    """IHDR."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


def png_of(*chunks: bytes) -> bytes:
    """A PNG of these chunks."""
    return SIGNATURE + b"".join(chunks)
