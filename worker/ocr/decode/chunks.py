"""The chunks that PNG and WebP files are made of."""

from __future__ import annotations

import struct
from collections.abc import Iterator

PNG_START, WEBP_START = 8, 12  # behind the signature
PNG_LAST = b"IEND"
WEBP_HEADER_BYTES = 8
PNG_FRAMES, WEBP_FRAME = b"acTL", b"ANMF"

Chunk = tuple[bytes, int, int]  # kind, where it starts, where the next one does


def of_png(content: bytes) -> Iterator[Chunk]:
    """Yield each chunk up to the last. Source: PNG specification, section 5.3.

    Raises:
        struct.error: The file ends early.
    """
    offset, kind = PNG_START, b""
    while kind != PNG_LAST:
        length, kind = struct.unpack_from(">I4s", content, offset)
        yield kind, offset, offset + 12 + length
        offset += 12 + length


def of_webp(content: bytes) -> Iterator[Chunk]:
    """Yield each chunk. Source: WebP container specification, RIFF file format.

    Raises:
        struct.error: The file ends early.
    """
    offset = WEBP_START
    while offset < len(content):
        kind, length = struct.unpack_from("<4sI", content, offset)
        yield kind, offset, offset + WEBP_HEADER_BYTES + length
        offset += WEBP_HEADER_BYTES + length + length % 2


def moves(content: bytes, media_type: str) -> bool:
    """Tell whether a PNG or a WebP holds more than one frame. Source: PNG specification, section 11.3.6.1; WebP's."""
    try:
        if media_type == "image/png":
            counts = [
                struct.unpack_from(">I", content, start + 8) for kind, start, _ in of_png(content) if kind == PNG_FRAMES
            ]
            return any(count > 1 for (count,) in counts)
        return media_type == "image/webp" and [kind for kind, _, _ in of_webp(content)].count(WEBP_FRAME) > 1
    except struct.error:
        return False
