"""Pages of a PDF: rendered so finely that their text is 20 to 40 pixels high, or taken from their text layer."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import pikepdf
import pypdfium2 as pdfium
from numpy.typing import NDArray

from shared.errors import BrokenDocument, CorruptImage
from shared.limits import Limits
from shared.options import TextLayerName
from shared.result import Reason
from shared.uploads import pdf
from shared.uploads.pdf import POINTS_PER_INCH
from worker.ocr.decode import memory
from worker.ocr.decode.layer.damaged import damaged_images
from worker.ocr.decode.layer.glyphs import Glyph, read_glyphs, text_heights
from worker.ocr.decode.layer.hidden import are_few, find_hidden, unseen, without
from worker.ocr.decode.layer.images import corners, pictures
from worker.ocr.decode.layer.lines import LayerLine, to_lines
from worker.ocr.decode.layer.soundness import ink_elsewhere, is_sound

TEXT_PX = 32.0  # from descender to ascender; capitals have 0.7 of it
SMALL_TEXT = 0.2  # share of the characters that may be smaller than the size that counts
DEFAULT_DPI = 200.0
TEXT_DPI = (100.0, 400.0)
PICTURE_DPI = (100.0, 300.0)
LEAST_PICTURE = 0.3  # share of the page; smaller pictures say nothing of its resolution
MEMORY_BYTES = 1 << 30  # for one page; 727 damaged bytes can make pdfium want 300 MB more each second without end
TREE_BYTES = 1 << 27  # to look at the tree of pages; 1,000 take one million, but a tree of nonsense 300 times its bytes
LOOP = "Loop detected in /Pages"  # qpdf's words on a branch that it meets twice; it looks when it opens a file
PROBE_SIDE = 1000  # px; whether the layer is drawn where it says is looked at on a copy with no longer side


@dataclass(frozen=True)
class RenderedPage:
    """A page as pixels.

    image: (H, W, 3) uint8 BGR, forms and annotations drawn. dpi: pixels for each inch. hidden: characters of its text
    that nobody sees, and that are no reading of a scan. warnings: what could not be drawn.
    """

    page_number: int
    image: NDArray[np.uint8]
    dpi: float
    hidden: tuple[Glyph, ...] = ()
    warnings: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class LayerPage:
    """A page that is taken from its text layer.

    image, warnings: as of `RenderedPage`. lines: those that are seen. hidden: characters that nobody sees.
    elsewhere: share of its ink that lies in none of the lines, 0..1. doubtful: the same of what may be writing,
    without rules, filled places and curves.
    """

    page_number: int
    image: NDArray[np.uint8]
    dpi: float
    lines: tuple[LayerLine, ...]
    hidden: tuple[Glyph, ...] = ()
    elsewhere: float = 0.0
    doubtful: float = 0.0
    warnings: tuple[Reason, ...] = ()

    @property
    def width(self) -> int:
        """Of its image, px."""
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        """The same."""
        return int(self.image.shape[0])


def read_pages(
    content: bytes, page_numbers: Sequence[int], limits: Limits, layer: TextLayerName
) -> Iterator[RenderedPage | LayerPage]:
    """Yield pages one by one; one at a time is in memory. Call and close it in one thread.

    Args:
        content: The whole file, looked at before by `shared.uploads.header.inspect`.
        page_numbers: From 1.
        limits: Pixels and sides of a page.
        layer: `auto`: pages with a sound text layer are taken from it.

    Raises:
        CorruptImage: A page cannot be rendered.
        EncryptedDocument, BrokenDocument: As `inspect` says.
    """
    require_tree(content)
    with pdf.opened(content) as document:
        document.init_forms()
        for number in page_numbers:
            try:
                with memory.at_most(MEMORY_BYTES), closing(document.get_page(number - 1)) as page:
                    found = [_read_page(page, number, limits, layer)]
            except pdfium.PdfiumError as error:
                raise CorruptImage(page_number=number) from error
            yield found.pop()  # not held here while it is read


def require_tree(content: bytes) -> None:
    """Refuse a file whose tree of pages leads back to where it was: how many pages it has is anybody's guess.

    pdfium does not see it, and counts pages twice. What else keeps qpdf from opening a file is not looked at.

    Raises:
        BrokenDocument: A branch of the tree is met twice.
    """
    try:
        with memory.at_most(TREE_BYTES):
            pikepdf.open(io.BytesIO(content), attempt_recovery=False, suppress_warnings=True).close()
    except (pikepdf.PikepdfError, MemoryError) as error:
        if LOOP in str(error):
            raise BrokenDocument() from error


def _read_page(page: pdfium.PdfPage, number: int, limits: Limits, layer: TextLayerName) -> RenderedPage | LayerPage:
    with closing(page.get_textpage()) as textpage:
        dpi = within(choose_dpi(page, textpage), page.get_size(), limits)
        image = render(page, dpi)
        damaged = damaged_images(page, image.shape[1], image.shape[0])
        if layer == "auto" and textpage.count_chars():
            height, width = image.shape[:2]
            glyphs = read_glyphs(page, textpage, width, height)
            hidden = find_hidden(glyphs, image)
            scale = min(1.0, PROBE_SIDE / max(width, height))
            probe = render(page, dpi * scale, gray=True)
            if are_few(hidden, glyphs) and is_sound(page, glyphs, to_lines(glyphs), probe, scale):
                lines = to_lines(without(glyphs, hidden))
                elsewhere, doubtful = ink_elsewhere(lines, probe, scale)
                return LayerPage(number, image, dpi, tuple(lines), tuple(hidden), elsewhere, doubtful, damaged)
            left_out = tuple(unseen(hidden, image, corners(page, width, height)))
            return RenderedPage(number, image, dpi, left_out, damaged)
    return RenderedPage(number, image, dpi, warnings=damaged)


def choose_dpi(page: pdfium.PdfPage, textpage: pdfium.PdfTextPage) -> float:
    """Return the resolution that a page is read at: by the size of its text, by its picture, or the usual one."""
    native = _picture_dpi(page)
    heights = text_heights(textpage)
    if not heights:
        return native or DEFAULT_DPI
    wanted = POINTS_PER_INCH * TEXT_PX / float(np.quantile(heights, SMALL_TEXT))
    wanted = min(max(wanted, TEXT_DPI[0]), TEXT_DPI[1])
    return min(wanted, native) if native else wanted  # finer than the scan itself shows nothing more


def _picture_dpi(page: pdfium.PdfPage) -> float | None:
    """Return the resolution of a scan, whose strips count together; None: the page is none."""
    found = list(pictures(page))
    share = sum(picture.share for picture in found)
    if share < LEAST_PICTURE:
        return None
    mean = sum(picture.share * picture.dpi for picture in found) / share
    return min(max(mean, PICTURE_DPI[0]), PICTURE_DPI[1])


def within(dpi: float, size: tuple[float, float], limits: Limits) -> float:
    """Return the resolution, or the finest at which a page of a size in points keeps the limits."""
    width, height = (max(side, 1.0) / POINTS_PER_INCH for side in size)
    by_side = (limits.max_side - 1) / max(width, height)
    by_pixels = (
        ((limits.max_pixels - width - height) / (width * height)) ** 0.5 if limits.max_pixels > width + height else 1
    )
    return max(min(dpi, by_side, by_pixels * 0.999), 1.0)


def render(page: pdfium.PdfPage, dpi: float, *, gray: bool = False) -> NDArray[np.uint8]:
    """Return (H, W, 3) uint8 BGR of a page over white, or (H, W) uint8, with its annotations and filled forms."""
    bitmap = page.render(scale=dpi / POINTS_PER_INCH, grayscale=gray, draw_annots=True)
    pixels_of = np.asarray(bitmap.to_numpy(), np.uint8)  # the memory is Python's and stays: a copy may be 120 MB
    bitmap.close()
    return pixels_of[:, :, 0] if gray and pixels_of.ndim == 3 else pixels_of
