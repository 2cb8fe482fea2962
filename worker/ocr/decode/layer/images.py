"""The pictures of a page of a PDF: how much of it they take, and how fine they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pypdfium2 as pdfium
from pypdfium2 import raw

from worker.ocr.decode.layer.glyphs import Points, mapping


@dataclass(frozen=True)
class Picture:
    """A picture on a page. share: of the page. dpi: its own resolution. bounds: left, bottom, right, top in points."""

    share: float
    dpi: float
    bounds: tuple[float, float, float, float]


def pictures(page: pdfium.PdfPage) -> Iterator[Picture]:
    """Yield the pictures of a page, as far as they lie on it."""
    left, bottom, right, top = page.get_cropbox()
    for picture in page.get_objects([raw.FPDF_PAGEOBJ_IMAGE]):
        x0, y0, x1, y1 = picture.get_bounds()
        shown = max(0.0, min(x1, right) - max(x0, left)) * max(0.0, min(y1, top) - max(y0, bottom))
        if shown <= 0 or x1 <= x0 or y1 <= y0:
            continue
        columns, rows = picture.get_px_size()
        dpi = 72.0 * (columns * rows / ((x1 - x0) * (y1 - y0))) ** 0.5
        yield Picture(shown / max(1.0, (right - left) * (top - bottom)), dpi, (x0, y0, x1, y1))


def corners(page: pdfium.PdfPage, width: int, height: int) -> list[Points]:
    """Return two opposite corners, (2, 2) px, of each picture of a page that is rendered at a size in px."""
    to_px = mapping(page, width, height)
    return [np.array([[*one.bounds[:2], 1.0], [*one.bounds[2:], 1.0]]) @ to_px for one in pictures(page)]
