"""The `layout` option: is the upload one text line, a page, or must we look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.options import LayoutName
from worker.ocr.ink import components
from worker.ocr.ink.components import Pieces
from worker.ocr.ink.copies import Copies
from worker.ocr.ink.ink import Gray
from worker.ocr.lines.boxed import with_boxes
from worker.ocr.lines.classical import find as lines
from worker.ocr.lines.classical import fragments
from worker.ocr.lines.learned import detection
from worker.ocr.lines.learned.detection import PageDetector
from worker.ocr.lines.text_line import TextLine, hulls_of
from worker.ocr.page.leaders import without_leaders
from worker.ocr.page.preprocess import Upright

LEAST_HEIGHT = 5  # px; nothing lower can be read
LOOSE_ABOVE = 0.06  # of the height of the image: more free rows than this are cut off
LOOSE_BESIDE = 1.0  # of the height of the ink: more free columns than this at one end are cut off
CROP_HEIGHT = 200  # px; a higher image that is said to be a line is no crop of one, and all its borders may be wide
MOST_CUT = 0.55  # of the height of a crop; where more would be cut off, ink was missed
SPECK = 0.12  # of the tallest piece: lower pieces do not say where the line is
STRIP_HEIGHT = 150  # px; a higher image is searched to see whether it holds a single line
STRIP_SHARE = 0.25  # of the height of the image: a band that takes less lies in a page
STRIP_GAP = 0.12  # of the height of the ink: more free rows than this part two lines
STRIP_TALL = 0.5  # of the height of the ink: the taller characters of a single line reach so far
FAINTEST = 8  # grey levels; an image with less between its darkest and its lightest pixel is blank
ROW_SHARE = 0.4  # of the image's height: a single row that takes more is all that the image shows ...
MOST_TWICE = 0.3  # of a line: where more of it lies in another one it was found before
ROW_GAP = 1.5  # ... as is one whose parts are no further apart, in its own heights


@dataclass(frozen=True)
class Arrangement:
    """Where the writing of a page is.

    upright: the page that was searched. lines: in no order, px of that page.
    searched: whether the lines were found by searching, and may be mistakes, or given by the sender.
    """

    upright: Upright
    lines: list[TextLine]
    searched: bool


def take_as_line(upright: Upright, *, is_crop: bool = False) -> Arrangement:
    """Take the whole image as one text line; wide empty borders are cut off, but not those of a crop."""
    box = _ink_box(upright.copies, is_crop=is_crop and upright.image.shape[0] <= CROP_HEIGHT)
    if box is None:
        return Arrangement(upright, [], searched=False)
    return Arrangement(upright, [TextLine.boxed(np.array(box))], searched=False)


def arrange(upright: Upright, layout: LayoutName, detector: PageDetector | None = None) -> Arrangement:
    """Find the lines of an upright page, with a learned detector or, without one, by classical means.

    With `line`, take all of it as one; with `auto`, do so where the image shows a single row.
    """
    if layout == "line":
        return take_as_line(upright, is_crop=True)
    is_low = layout == "auto" and _is_low_strip(upright.copies)
    if is_low and _has_tall_pieces(upright.copies):
        return take_as_line(upright)
    page = without_leaders(upright)
    found = with_boxes(search_lines(page.copies, detector), page.copies)
    if (is_low and not found) or (layout == "auto" and _is_one_row(page.image, found)):
        return take_as_line(upright)
    return Arrangement(page, found, searched=True)


def search_lines(page: Copies, detector: PageDetector | None) -> list[TextLine]:
    """Return the lines of a page in no order, as a learned detector or, without one, classical means find them."""
    return detection.find_lines(page, detector) if detector else lines.find_lines(page)


def search_all(page: Copies, detector: PageDetector | None) -> list[TextLine]:
    """Return the lines of a page in no order, what only classical means find among them."""
    found = search_lines(page, detector)
    if detector is None:
        return found
    hulls = hulls_of(found)
    return found + [line for line in lines.find_lines(page) if _share_inside(line.hull, hulls) < MOST_TWICE]


def _share_inside(hull: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Return how much of a box, (4,) px, at most lies in one of others, (N, 4), 0..1."""
    area = float((hull[2:] - hull[:2]).prod())
    return float(fragments.overlaps(hull, others).max(initial=0.0)) / max(1e-6, area)


def _is_low_strip(page: Copies) -> bool:
    """Tell whether a low image shows a single band of ink from top to bottom, which needs no search."""
    height, width = page.gray.shape
    if not LEAST_HEIGHT <= height <= min(STRIP_HEIGHT, width):
        return False
    rows = np.flatnonzero(page.main_ink(1.0).any(axis=1))
    tall = rows[-1] - rows[0] + 1 if len(rows) else 0
    return bool(tall >= STRIP_SHARE * height and np.diff(rows).max(initial=0) <= STRIP_GAP * tall)


def _has_tall_pieces(page: Copies) -> bool:
    """Tell whether the characters are about as tall as all of the ink; those of several close lines are not."""
    mask = page.main_ink(1.0)
    rows = np.flatnonzero(mask.any(axis=1))
    boxes = components.find_pieces(mask).boxes
    return len(boxes) > 0 and fragments.height_of(boxes) >= STRIP_TALL * (rows[-1] - rows[0] + 1)


def _is_one_row(gray: Gray, found: Sequence[TextLine]) -> bool:
    """Tell whether all lines found stand in one row that is a line: it takes most of the image, or has no wide gap."""
    if not found:
        return False
    hulls = hulls_of(found)
    hulls = hulls[np.argsort(hulls[:, 0], kind="stable")]
    tall = hulls[:, 3].max() - hulls[:, 1].min()
    gap = (hulls[1:, 0] - np.maximum.accumulate(hulls[:-1, 2])).max(initial=0)
    is_row = hulls[:, 1].max() < hulls[:, 3].min()
    return bool(is_row and (tall >= ROW_SHARE * gray.shape[0] or (len(found) > 1 and gap <= ROW_GAP * tall)))


def _ends_with_strokes(strokes: Pieces, box: tuple[float, float, float, float]) -> tuple[float, float]:
    """Return left and right of a line with the flat strokes before and after it: 一 is one."""
    left, top, right, bottom = box
    levels = strokes.boxes[:, [1, 3]].mean(axis=1)
    flat = strokes.boxes[(levels > top) & (levels < bottom)]
    return float(flat[:, 0].min(initial=left)), float(flat[:, 2].max(initial=right))


def _ink_box(page: Copies, *, is_crop: bool) -> tuple[float, float, float, float] | None:
    """Return left, top, right, bottom of the line in px: the image, or less where its border is clearly too wide.

    A crop keeps its whole width, and all of its height where the ink that was found is so low that more must have been
    missed: a border costs less than a character.
    """
    height, width = page.gray.shape
    if height < LEAST_HEIGHT or width < 2:
        return None
    pieces = page.main_pieces(1.0)
    least = max(2, SPECK * pieces.heights.max(initial=0))
    boxes = pieces.boxes[pieces.heights >= least]
    if len(boxes) == 0:  # too faint for the search, and yet the sender says that it is a line
        return (0.0, 0.0, float(width), float(height)) if np.ptp(page.gray) >= FAINTEST else None
    left, top, right, bottom = (float(v) for v in fragments.hull_of(boxes))
    tall = bottom - top
    left, right = _ends_with_strokes(pieces.select(pieces.widths >= least), (left, top, right, bottom))
    if tall < LEAST_HEIGHT and not is_crop:
        return None
    cut = (top + height - bottom) / height
    if cut <= LOOSE_ABOVE or (is_crop and cut > MOST_CUT):
        top, bottom = 0.0, float(height)
    if is_crop:
        return 0.0, top, float(width), bottom
    left = left - 0.5 * tall if left > LOOSE_BESIDE * tall else 0.0
    right = right + 0.5 * tall if width - right > LOOSE_BESIDE * tall else float(width)
    return left, top, right, bottom
