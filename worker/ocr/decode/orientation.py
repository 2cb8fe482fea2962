"""EXIF orientation: how the camera was held, and how to turn the page upright.

OpenCV applies it for some formats, versions and flags and not for others, so it is told not to, and it is done here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.uploads import jpeg
from worker.ocr.decode import chunks

ORIENTATION_TAG = 274
UPRIGHT = 1


def read_orientation(content: bytes, media_type: str) -> int:
    """Return the EXIF orientation 1..8 of a JPEG, PNG or WebP; 1 (upright) where there is none or it makes no sense."""
    try:
        for block in _EXIF_BLOCKS.get(media_type, lambda _: iter(()))(content):
            return _orientation_of(block)
    except struct.error:
        pass
    return UPRIGHT


def upright(page: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Turn a page as stored, (H, W) uint8, into the page as seen. Source: EXIF 2.3, tag 274."""
    if orientation in (2, 4):
        page = np.asarray(cv2.flip(page, 1 if orientation == 2 else 0), np.uint8)
    elif orientation == 3:
        page = np.asarray(cv2.rotate(page, cv2.ROTATE_180), np.uint8)
    elif orientation in (5, 7):
        page = np.asarray(cv2.transpose(page if orientation == 5 else cv2.rotate(page, cv2.ROTATE_180)), np.uint8)
    elif orientation in (6, 8):
        turn = cv2.ROTATE_90_CLOCKWISE if orientation == 6 else cv2.ROTATE_90_COUNTERCLOCKWISE
        page = np.asarray(cv2.rotate(page, turn), np.uint8)
    return page


def _orientation_of(block: bytes) -> int:
    """Read tag 274 of the first directory of an EXIF block, which is a small TIFF."""
    block = block.removeprefix(b"Exif\x00\x00")
    order = "<" if block[:2] == b"II" else ">"
    (offset,) = struct.unpack_from(order + "I", block, 4)
    (count,) = struct.unpack_from(order + "H", block, offset)
    for index in range(count):
        tag, _, _, value = struct.unpack_from(order + "HHIH", block, offset + 2 + 12 * index)
        if tag == ORIENTATION_TAG:
            return int(value) if 1 <= value <= 8 else UPRIGHT
    return UPRIGHT


def _jpeg_exif(content: bytes) -> Iterator[bytes]:
    for marker, payload, length in jpeg.segments(content):
        if marker == 0xFFE1 and content[payload : payload + 6] == b"Exif\x00\x00":
            yield content[payload : payload + length]


def _png_exif(content: bytes) -> Iterator[bytes]:
    return (content[start + 8 : end - 4] for kind, start, end in chunks.of_png(content) if kind == b"eXIf")


def _webp_exif(content: bytes) -> Iterator[bytes]:
    return (content[start + 8 : end] for kind, start, end in chunks.of_webp(content) if kind == b"EXIF")


_EXIF_BLOCKS = {"image/jpeg": _jpeg_exif, "image/png": _png_exif, "image/webp": _webp_exif}
