"""Bytes to gray pages, upright, with every limit checked before the first pixel is decoded.

OpenCV decodes what it can: 1.6 to 5 times as fast as Pillow, which decodes the rest (`pictures`); see decision 22.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.errors import CorruptImage
from shared.limits import Limits
from shared.options import TextLayerName, select_pages
from shared.result import Reason
from shared.uploads import pdf as pdf_file
from shared.uploads import reduced
from shared.uploads.header import DocumentHeader, check_size, inspect
from worker.ocr.decode import chunks, completeness, orientation, pdf, pictures, planes
from worker.ocr.decode.layer.damaged import CODE as DAMAGED
from worker.ocr.decode.layer.glyphs import Glyph
from worker.ocr.decode.pdf import LayerPage

Gray = NDArray[np.uint8]

REDUCED_FLAGS = {
    1: cv2.IMREAD_UNCHANGED,
    2: cv2.IMREAD_REDUCED_COLOR_2 | cv2.IMREAD_IGNORE_ORIENTATION,
}
"""By how much a JPEG is reduced, each way. One in colour is decoded so: a look at a small copy first takes longer."""

MOVES = Reason(
    "first_frame_only",
    "frames",
    2,
    1,
    "The file holds several pictures. Only the first was read: send the others singly.",
)


@dataclass(frozen=True)
class DecodedPage:
    """A page before it is read.

    page_number: 1-based. gray: (H, W) uint8, 0 = black, upright by EXIF, transparency over white.
    warnings: what was left out, or is damaged. dpi: resolution at which a page of a PDF was rendered; None: unknown.
    hidden: characters of the text of a PDF's page that nobody sees.
    reduced: so many pixels of the upload, each way, are one of gray. size: (width, height) of the upload in px,
    upright; None: that of gray.
    """

    page_number: int
    gray: Gray
    warnings: tuple[Reason, ...] = ()
    dpi: float | None = None
    reduced: int = 1
    size: tuple[int, int] | None = None
    hidden: tuple[Glyph, ...] = ()

    @property
    def is_damaged(self) -> bool:
        """Whether a part of it could not be decoded, so that nobody knows whether the page is empty."""
        return any(reason.code == DAMAGED for reason in self.warnings)


def decode_pages(
    content: bytes,
    limits: Limits,
    pages: str | None = None,
    *,
    done: Sequence[int] = (),
    text_layer: TextLayerName = "ignore",
) -> Generator[DecodedPage | LayerPage, None, None]:
    """Yield the pages of a document, one at a time in memory.

    Args:
        content: One of the formats of `shared.uploads.header`. Only TIFF and PDF have more than one page.
        limits: Bytes, pixels, sides and pages allowed; checked from the header.
        pages: Which, as in the option; None: all.
        done: Numbers of those that are left out, for they were read before.
        text_layer: Whether pages of a PDF may be taken from theirs.

    Raises:
        DocumentError: One of the errors of `shared.uploads.header.inspect`, before any decode.
        TruncatedImage: The body ends early. Nobody retries: the sender must send the whole file.
        CorruptImage: The decoder gave up for another reason.
    """
    header = inspect(content, limits, pages)
    completeness.require_complete(content, header.media_type)
    left_out = frozenset(done)
    wanted = [number for number in select_pages(pages, header.page_count) if number not in left_out]
    if header.media_type == pdf_file.MEDIA_TYPE:
        yield from map(_in_gray, pdf.read_pages(content, wanted, limits, text_layer))
    elif header.media_type == "image/tiff":
        yield from (_tiff_page(content, number, limits) for number in wanted)
    elif wanted:
        yield _picture(content, header, limits)


def _picture(content: bytes, header: DocumentHeader, limits: Limits) -> DecodedPage:
    """Decode what is one page. Only its gray is held when it comes back: a copy in colour is three times as large."""
    factor = reduced.factor(content, header.media_type, (header.width, header.height), limits.max_pixels)
    if header.media_type in pictures.MEDIA_TYPES:
        image, moves = pictures.decode_first(content, header.media_type, limits, factor)
        gray = to_gray(image)
        return DecodedPage(1, gray, (MOVES,) if moves else (), reduced=factor, size=_size_of(header, gray, factor))
    image = _decode_one(content, header, factor)
    check_size(image.shape[1], image.shape[0], limits)
    way = orientation.read_orientation(content, header.media_type)
    gray = orientation.upright(to_gray(image), way)
    warnings = (MOVES,) if chunks.moves(content, header.media_type) else ()
    return DecodedPage(1, gray, warnings, reduced=factor, size=_size_of(header, gray, factor))


def _size_of(header: DocumentHeader, gray: Gray, factor: int) -> tuple[int, int] | None:
    """Width and height of an upload as it is seen: its sides as they are stored, or the other way round.

    None where nothing was reduced.
    """
    if factor == 1:
        return None
    as_stored = (-(-header.height // factor), -(-header.width // factor)) == gray.shape
    return (header.width, header.height) if as_stored else (header.height, header.width)


def _in_gray(page: pdf.RenderedPage | LayerPage) -> DecodedPage | LayerPage:
    if isinstance(page, LayerPage):
        return page
    return DecodedPage(page.page_number, to_gray(page.image), page.warnings, page.dpi, hidden=page.hidden)


def _decode_one(content: bytes, header: DocumentHeader, factor: int) -> NDArray[np.generic]:
    if header.media_type == "image/jpeg":
        return _imdecode(content, REDUCED_FLAGS[factor])
    if header.media_type == "image/png":
        content = completeness.pixels_of_png(content)
    return _imdecode(content, cv2.IMREAD_UNCHANGED)


def _imdecode(content: bytes, flags: int) -> NDArray[np.generic]:
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error as error:
        raise CorruptImage() from error
    if image is None:
        raise CorruptImage()
    return image


def _tiff_page(content: bytes, number: int, limits: Limits) -> DecodedPage:
    """Decode one page of several. The decoder applies the orientation tag itself."""
    buffer = np.frombuffer(content, np.uint8)
    try:
        decoded, pages = cv2.imdecodemulti(buffer, cv2.IMREAD_UNCHANGED, range=(number - 1, number))
    except cv2.error as error:
        raise CorruptImage(page_number=number) from error
    if not decoded or len(pages) != 1:
        raise CorruptImage(page_number=number)
    check_size(pages[0].shape[1], pages[0].shape[0], limits)
    return DecodedPage(number, to_gray(pages[0]))


def to_gray(image: NDArray[np.generic]) -> Gray:
    """Return (H, W) uint8 from (H, W), (H, W, 3) BGR or (H, W, 4) BGRA of uint8 or uint16.

    Channels go before depth, and no step is wider than it must be: a page of 40 million pixels passes through here.
    """
    if image.dtype not in (np.uint8, np.uint16):
        raise CorruptImage(reason=f"pixels of type {image.dtype}")
    pixels: NDArray[np.integer[Any]] = image  # type: ignore[assignment]
    if pixels.ndim == 2:
        return _to_eight_bits(pixels)
    if pixels.shape[2] == 4:
        gray = _colour_to_gray(np.ascontiguousarray(pixels[:, :, :3]))
        return planes.over_ground(gray, _to_eight_bits(pixels[:, :, 3]))
    if pixels.shape[2] == 3:
        return _colour_to_gray(pixels)
    return _to_eight_bits(pixels[:, :, 0])


def _colour_to_gray(bgr: NDArray[np.integer[Any]]) -> Gray:
    gray = _to_eight_bits(np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), bgr.dtype))
    return planes.clearest(np.asarray(bgr, np.uint8), gray) if bgr.dtype == np.uint8 else gray


def _to_eight_bits(image: NDArray[np.integer[Any]]) -> Gray:
    if image.dtype == np.uint16:
        image = np.asarray(image // np.uint16(257))
    return np.ascontiguousarray(image, np.uint8)
