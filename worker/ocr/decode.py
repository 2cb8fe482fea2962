"""Bytes to gray pages, upright, with every limit checked before the first pixel is decoded."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.document import DocumentHeader, Limits, check_size, inspect
from shared.errors import CorruptImage
from worker.ocr import completeness, orientation

Gray = NDArray[np.uint8]

GRAY_FLAGS = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION


def decode_pages(content: bytes, limits: Limits) -> Iterator[Gray]:
    """Yield the pages of a document, (H, W) uint8 each, 0 = black, upright by EXIF, transparency over white.

    Args:
        content: PNG, JPEG, WebP, BMP or TIFF. Only TIFF has more than one page.
        limits: Bytes, pixels, sides and pages allowed; checked from the header.

    Raises:
        DocumentError: One of the errors of `shared.document.inspect`, before any decode.
        TruncatedImage: The body ends early. Nobody retries: the sender must send the whole file.
        CorruptImage: The decoder gave up for another reason.
    """
    header = inspect(content, limits)
    completeness.require_complete(content, header.media_type)
    if header.media_type == "image/tiff":
        yield from _tiff_pages(content, header, limits)
    else:
        image = _decode_one(content, header)
        check_size(image.shape[1], image.shape[0], limits)
        yield orientation.upright(to_gray(image), orientation.read_orientation(content, header.media_type))


def _decode_one(content: bytes, header: DocumentHeader) -> NDArray[np.generic]:
    flags = GRAY_FLAGS if header.media_type == "image/jpeg" else cv2.IMREAD_UNCHANGED
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error as error:
        raise CorruptImage() from error
    if image is None:
        raise CorruptImage()
    return image


def _tiff_pages(content: bytes, header: DocumentHeader, limits: Limits) -> Iterator[Gray]:
    """Decode page by page, so that one page at a time is in memory. The decoder applies the orientation tag itself."""
    buffer = np.frombuffer(content, np.uint8)
    for index in range(header.page_count):
        try:
            decoded, pages = cv2.imdecodemulti(buffer, cv2.IMREAD_UNCHANGED, range=(index, index + 1))
        except cv2.error as error:
            raise CorruptImage(page_number=index + 1) from error
        if not decoded or len(pages) != 1:
            raise CorruptImage(page_number=index + 1)
        check_size(pages[0].shape[1], pages[0].shape[0], limits)
        yield to_gray(pages[0])


def to_gray(image: NDArray[np.generic]) -> Gray:
    """Return (H, W) uint8 from (H, W), (H, W, 3) BGR or (H, W, 4) BGRA of uint8, uint16 or float in 0..1."""
    eight = _to_eight_bits(image)
    if eight.ndim == 2:
        return np.ascontiguousarray(eight)
    if eight.shape[2] == 4:
        return _over_white(eight)
    if eight.shape[2] == 3:
        return np.asarray(cv2.cvtColor(eight, cv2.COLOR_BGR2GRAY), np.uint8)
    return np.ascontiguousarray(eight[:, :, 0])


def _to_eight_bits(image: NDArray[np.generic]) -> Gray:
    if image.dtype == np.uint8:
        return image.astype(np.uint8, copy=False)
    if image.dtype == np.uint16:
        return (image.astype(np.uint32) * 255 // 65535).astype(np.uint8)
    if np.issubdtype(image.dtype, np.floating):
        return np.asarray(np.clip(np.nan_to_num(image.astype(np.float32)), 0, 1) * 255, np.uint8)
    raise CorruptImage(reason=f"pixels of type {image.dtype}")


def _over_white(bgra: Gray) -> Gray:
    gray = cv2.cvtColor(bgra, cv2.COLOR_BGRA2GRAY).astype(np.uint16)
    alpha = bgra[:, :, 3].astype(np.uint16)
    return ((gray * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
