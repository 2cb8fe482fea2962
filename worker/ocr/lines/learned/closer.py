"""Search again at a larger size where the ink of small print lies in no line: close rows run into one from afar."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.components import NO_BOXES, Boxes, Pieces
from worker.ocr.ink.copies import Copies, resized
from worker.ocr.lines.classical import fragments, linking
from worker.ocr.lines.dashes import are_dashes
from worker.ocr.lines.learned.growing import explained
from worker.ocr.lines.learned.scales import Box, Search
from worker.ocr.lines.text_line import TextLine, distance

TALL = (4, 20)  # px of the searched copy: pieces so high may be characters that a closer look shows better
MOST_ASPECT = 3.0  # of a piece: longer ones are rules
NEAR = 12  # px: pieces so near to each other lie in one region
FEWEST_IN_ROW = 3  # pieces; fewer are specks
FEWEST = 6  # free pieces of a region, or it is not worth a look
MARGIN = 16  # px around a region
CLOSER = 2.0  # how many times larger regions are searched
MOST_PIXELS = 1_500_000  # of all regions together, at that size; the largest are left out
LEAST_GAIN = 0.5  # of a region's free pieces: so many must lie in lines afterwards that did not before


def look_closer(boxes: Sequence[Box], page: Copies, scale: float, search: Search) -> tuple[list[Box], list[Box]]:
    """Return the boxes of a page that stay, and those that a closer look shows in place of the others.

    Args:
        boxes: px of the page.
        page: Whose boxes they are.
        scale: How many times as large the copy is that was searched.
        search: Finds boxes on an image.
    """
    work, pieces = page.image(scale), page.pieces(scale)
    letters = pieces.boxes[_may_be_letters(pieces)]
    found, closer = [box * np.float32(scale) for box in boxes], list[Box]()
    free = _in_rows(letters[~explained(letters, [_as_line(box) for box in found])], work.shape)
    for region in _affordable(_regions(free, work.shape)):
        left, top, right, bottom = region.tolist()
        larger = search(resized(np.ascontiguousarray(work[top:bottom, left:right]), CLOSER))
        seen = [box / np.float32(CLOSER) + np.array([left, top], np.float32) for box in larger]
        inside = [i for i, box in enumerate(found) if _lies_in(box, region)]
        here = letters[_middles_in(letters, region)]
        if _gain(here, seen, [found[i] for i in inside]) >= LEAST_GAIN * np.count_nonzero(_middles_in(free, region)):
            found = [box for i, box in enumerate(found) if i not in inside]
            closer += seen
    return [box / np.float32(scale) for box in found], [box / np.float32(scale) for box in closer]


def _may_be_letters(pieces: Pieces) -> NDArray[np.bool_]:
    tall, wide = pieces.heights, pieces.widths
    fits = (tall >= TALL[0]) & (tall <= TALL[1]) & (wide <= MOST_ASPECT * tall) & (tall <= MOST_ASPECT * 2 * wide)
    return np.asarray(fits, np.bool_)


def _in_rows(free: Boxes, shape: tuple[int, ...]) -> Boxes:
    """Return the pieces, (N, 4) px, that stand in rows, as letters do and specks do not, and are no dashes."""
    if len(free) < FEWEST:
        return free[:0]
    pieces = Pieces(free, np.zeros(len(free), np.int32))
    rows = linking.members(fragments.link_pieces(pieces, (shape[0], shape[1]), NO_BOXES))
    kept = [row for row in rows if len(row) >= FEWEST_IN_ROW and not are_dashes(free[row])]
    return free[np.concatenate(kept)] if kept else free[:0]


def _regions(free: Boxes, shape: tuple[int, ...]) -> Boxes:
    """Return the boxes, (N, 4) px, around groups of free pieces that are near each other."""
    if len(free) < FEWEST:
        return free[:0]
    canvas = np.zeros(shape, np.uint8)
    for left, top, right, bottom in free.tolist():
        canvas[max(0, top - NEAR) : bottom + NEAR, max(0, left - NEAR) : right + NEAR] = 1
    _, labels, stats, _ = cv2.connectedComponentsWithStats(canvas, connectivity=8)
    of = np.asarray(labels)[(free[:, 1] + free[:, 3]) // 2, (free[:, 0] + free[:, 2]) // 2]
    chosen = np.asarray(stats)[np.bincount(of, minlength=len(stats)) >= FEWEST]
    low = np.maximum(chosen[:, :2] - MARGIN, 0)
    high = np.minimum(chosen[:, :2] + chosen[:, 2:4] + MARGIN, shape[::-1])
    return np.concatenate([low, high], 1).astype(np.int32)


def _affordable(regions: Boxes) -> Boxes:
    """Return the regions, (N, 4) px, that are searched: the smaller ones, as many as there is time for."""
    area = np.prod((regions[:, 2:] - regions[:, :2]).astype(np.int64), axis=1)
    order = np.argsort(area, kind="stable")
    return regions[order[np.cumsum(area[order]) * CLOSER**2 <= MOST_PIXELS]]


def _gain(letters: Boxes, new: Sequence[Box], old: Sequence[Box]) -> int:
    """Return how many more pieces lie in the new boxes than in the old ones."""
    counts = [np.count_nonzero(explained(letters, [_as_line(box) for box in boxes])) for boxes in (new, old)]
    return int(counts[0] - counts[1])


def _lies_in(box: Box, region: NDArray[np.int32]) -> bool:
    (x0, y0), (x1, y1) = box.min(0).tolist(), box.max(0).tolist()
    left, top, right, bottom = region.tolist()
    wide, tall = max(0.0, min(x1, right) - max(x0, left)), max(0.0, min(y1, bottom) - max(y0, top))
    return bool(wide * tall > 0.5 * (x1 - x0) * (y1 - y0))


def _middles_in(boxes: Boxes, region: NDArray[np.int32]) -> NDArray[np.bool_]:
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.asarray(((middles >= region[:2]) & (middles < region[2:])).all(axis=1), np.bool_)


def _as_line(box: Box) -> TextLine:
    return TextLine(box, distance(box[0], box[3]))
