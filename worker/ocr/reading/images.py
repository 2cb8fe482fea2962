"""What a recogniser is shown of a line."""

from __future__ import annotations

from models.line_image import MARGIN
from worker.ocr.ink.ink import Gray
from worker.ocr.lines.columns import find as columns
from worker.ocr.lines.text_line import TextLine
from worker.ocr.page.combs import without_comb
from worker.ocr.page.islands import in_one_polarity


def image_of(page: Gray, line: TextLine, margin: float = MARGIN) -> Gray:
    """Return a line of a page, (h, w) uint8, in one polarity all along, without boxes around its characters."""
    return without_comb(in_one_polarity(columns.image_of(page, line, margin)))
