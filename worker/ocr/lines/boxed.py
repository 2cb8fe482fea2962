"""Boxes for one character each are one line, however far apart the characters stand that are found in them."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.components import Pieces
from worker.ocr.ink.copies import Copies
from worker.ocr.ink.ink import Gray
from worker.ocr.lines.classical import fragments
from worker.ocr.lines.text_line import TextLine, hulls_of
from worker.ocr.page import crops
from worker.ocr.page.combs import DOUBLE, FEWEST, THICKEST, UNEVEN, without_comb

LEAST_HEIGHT, MOST_HEIGHT = 12, 200  # px of a side; lower boxes can hardly be told from letters
MOST_OUTLINES = 300  # that are looked into; a form has fewer
LEVEL = 3  # px: sides whose ends lie in the same steps of this many may belong to one row of boxes
PITCH = (0.4, 3.6)  # of their height: from side to side
WIDEST = 1.4  # of their height: wider boxes, without ticks, are cells of a table
LEAST_RISE, RISE = 0.25, 1.5  # of their height: so far characters between ticks reach above them
MOST_FILLED = 0.4  # share of ink in the outline of boxes
INSIDE = 0.5  # of a line that was found: so much in boxes, and it is a part of what stands in them

LEFT, TOP, RIGHT, BOTTOM = range(4)  # of a box; the last two are exclusive
CORNERS = [(LEFT, TOP), (RIGHT, TOP), (LEFT, BOTTOM), (RIGHT, BOTTOM)]

Sides = NDArray[np.int64]  # (N, 4) px: left, top, right, bottom


def with_boxes(found: list[TextLine], page: Copies) -> list[TextLine]:
    """Return the lines of a page, with what stands in boxes for one character each as one line."""
    combs: list[TextLine] = []
    for box in _rows_of_boxes(page):
        line = TextLine.boxed(box)
        if _holds_writing(page.gray, line) and not _lies_in(line, combs):  # a frame may have another one around it
            combs.append(line)
    return [line for line in found if not _lies_in(line, combs)] + combs


def _lies_in(line: TextLine, others: Sequence[TextLine]) -> bool:
    left, top, right, bottom = hull = line.hull
    area = max((right - left) * (bottom - top), 1e-6)
    return bool(fragments.overlaps(hull, hulls_of(others)).max(initial=0.0) >= INSIDE * area)


def _holds_writing(gray: Gray, line: TextLine) -> bool:
    image = crops.crop_line(gray, line.polygon)
    return without_comb(image) is not image


def _rows_of_boxes(page: Copies) -> Iterator[NDArray[np.float64]]:
    """Yield where thin strokes of one height stand evenly beside each other, (4,) px of the page."""
    scale = page.usual_scale
    mask, pieces = page.main_ink(scale), page.main_pieces(scale)
    for left, top, right, bottom in itertools.islice(_outlines(pieces, mask), MOST_OUTLINES):
        for box in _rows_in(mask[top:bottom, left:right]):
            upper, lower = box[1] + top, box[3] + top
            highest = _top_of_writing(mask, box[0] + left, upper, box[2] + left, lower)
            are_ticks = upper - highest >= LEAST_RISE * (lower - upper)
            if are_ticks or (box[2] - box[0]) <= WIDEST * (lower - upper) * box[4]:
                yield np.array([box[0] + left, highest, box[2] + left, lower]) / scale


def _outlines(pieces: Pieces, mask: Gray) -> Iterator[list[int]]:
    """Yield where boxes may stand: a wide piece with much room in it, or several with four corners at one level."""
    wide, tall = pieces.widths, pieces.heights
    hollow = (tall >= LEAST_HEIGHT) & (tall <= MOST_HEIGHT) & (pieces.areas <= MOST_FILLED * wide * tall)
    yield from pieces.boxes[hollow & (wide >= (FEWEST - 1) * PITCH[0] * tall)].tolist()
    boxes = pieces.boxes[hollow & (wide <= PITCH[1] * tall)]
    cornered = np.all([mask[boxes[:, y] - (y == BOTTOM), boxes[:, x] - (x == RIGHT)] > 0 for x, y in CORNERS], axis=0)
    for row in _levels(boxes[cornered], FEWEST - 1):
        yield [*row[:, :2].min(axis=0).tolist(), *row[:, 2:].max(axis=0).tolist()]


def _rows_in(mask: Gray) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield where thin strokes stand evenly in an outline: left, top, right, bottom in px, and how many boxes."""
    strokes = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((LEAST_HEIGHT, 1), np.uint8))
    _, _, pieces, _ = cv2.connectedComponentsWithStats(strokes, connectivity=8)
    left, top, wide, tall = (pieces[1:, i].astype(np.int64) for i in range(4))
    thin = wide <= np.maximum(2, THICKEST * tall)
    sides = np.stack([left, top, left + wide, top + tall], 1)[thin]
    for row in _levels(sides, FEWEST):
        for part, count in _even_parts(row[np.argsort(row[:, LEFT])]):
            yield *part[:, :2].min(axis=0).tolist(), *part[:, 2:].max(axis=0).tolist(), count


def _levels(boxes: NDArray[Any], fewest: int) -> Iterator[NDArray[Any]]:
    """Yield those of boxes, (N, 4) px, that begin and end at one height, where there are enough."""
    rows: dict[tuple[int, int], list[int]] = collections.defaultdict(list)
    for i, (upper, lower) in enumerate((boxes[:, [TOP, BOTTOM]] // LEVEL).tolist()):
        rows[upper, lower].append(i)
    yield from (boxes[members] for members in rows.values() if len(members) >= fewest)


def _top_of_writing(mask: Gray, left: int, top: int, right: int, bottom: int) -> int:
    """Return up to which row ink goes on above strokes: that of characters which stand between ticks."""
    above = mask[max(0, top - round(RISE * (bottom - top))) : top, left:right]
    blank = np.flatnonzero(~above.any(axis=1))
    return top - (len(above) if not len(blank) else len(above) - 1 - int(blank[-1]))


def _even_parts(row: Sides) -> Iterator[tuple[Sides, int]]:
    """Yield the parts of a row of strokes, from the left, in which they stand a pitch apart, and how many pitches."""
    tall = float(np.median(row[:, 3] - row[:, 1]))
    is_double = np.concatenate([[False], row[1:, 0] - row[:-1, 2] <= DOUBLE * tall])
    firsts = np.flatnonzero(~is_double)
    starts, ends = row[firsts, 0], row[np.append(firsts[1:], len(row)) - 1, 2]
    apart = np.diff((starts + ends) / 2)
    begin = 0
    for at in range(1, len(firsts) + 1):
        if at < len(firsts) and _fits(apart[at - 1], apart[begin:at], tall):
            continue
        if at - begin >= FEWEST:
            yield row[firsts[begin] : firsts[at] if at < len(firsts) else len(row)], at - begin - 1
        begin = at


def _fits(gap: float, before: Sequence[float] | NDArray[np.float64], tall: float) -> bool:
    """Tell whether a gap is a pitch, and that of the row."""
    return PITCH[0] * tall <= gap <= PITCH[1] * tall and abs(gap / float(np.median(before)) - 1) <= UNEVEN
