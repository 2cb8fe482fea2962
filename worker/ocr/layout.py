"""The `layout` option: is the upload one text line, a page, or must we look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from worker.ocr import components, lines, preprocess
from worker.ocr.ink import Gray, find_ink
from worker.ocr.lines import TextLine
from worker.ocr.preprocess import Upright

Layout = Literal["line", "page", "auto"]

LEAST_HEIGHT = 5  # px; nothing lower can be read
LOOSE_ABOVE = 0.25  # of the height of the image: more free rows than this are cut off
LOOSE_BESIDE = 1.0  # of the height of the ink: more free columns than this at one end are cut off
SPECK = 0.12  # of the tallest piece: lower pieces do not say where the line is
STRIP_ASPECT = 3.0  # a single line this many times wider than high may be all that the image shows ...
STRIP_SHARE = 0.4  # ... if it is this share of the image's height


@dataclass(frozen=True)
class Arrangement:
    """Where the writing of a page is.

    upright: the page that was searched. lines: in reading order, px of that page.
    searched: whether the lines were found by searching, and may be mistakes, or given by the sender.
    """

    upright: Upright
    lines: list[TextLine]
    searched: bool


def take_as_line(gray: Gray) -> Arrangement:
    """Take the whole image, (H, W) uint8, as one text line; wide empty borders are cut off."""
    box = _ink_box(gray)
    upright = Upright(gray, 0.0, preprocess.IDENTITY)
    if box is None:
        return Arrangement(upright, [], searched=False)
    left, top, right, bottom = box
    polygon = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    return Arrangement(upright, [TextLine(polygon, bottom - top)], searched=False)


def arrange(upright: Upright, layout: Layout) -> Arrangement:
    """Find the lines of an upright page; with `auto`, take an image that shows a single line as that line."""
    found = lines.find_lines(upright.image)
    if layout == "auto" and len(found) <= 1 and _is_strip(upright.image, found):
        return take_as_line(upright.image)
    return Arrangement(upright, found, searched=True)


def _is_strip(gray: Gray, found: list[TextLine]) -> bool:
    height, width = gray.shape
    if not found:
        return width >= STRIP_ASPECT * height and height <= 100
    top, bottom = found[0].polygon[:, 1].min(), found[0].polygon[:, 1].max()
    return bool(bottom - top >= STRIP_SHARE * height)


def _ink_box(gray: Gray) -> tuple[float, float, float, float] | None:
    """Return left, top, right, bottom of the line in px: the image, or less where its border is clearly too wide."""
    height, width = gray.shape
    if height < LEAST_HEIGHT or width < 2:
        return None
    ink = find_ink(gray)
    mask = ink.dark if np.count_nonzero(ink.dark) >= np.count_nonzero(ink.light) else ink.light
    pieces = components.find_pieces(mask)
    if len(pieces) == 0:
        return None
    boxes = pieces.boxes[pieces.heights >= max(2, SPECK * pieces.heights.max())]
    left, top = (float(v) for v in boxes[:, :2].min(0))
    right, bottom = (float(v) for v in boxes[:, 2:].max(0))
    tall = bottom - top
    if tall < LEAST_HEIGHT:
        return None
    if top + height - bottom <= LOOSE_ABOVE * height:
        top, bottom = 0.0, float(height)
    left = left - 0.5 * tall if left > LOOSE_BESIDE * tall else 0.0
    right = right + 0.5 * tall if width - right > LOOSE_BESIDE * tall else float(width)
    return left, top, right, bottom
