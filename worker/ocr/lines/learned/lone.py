"""Find characters that stand alone, which a detector leaves out: a digit in a table, the number of a page, 一.

Unless they stand in a row and in a column with lines, as in a table, they are in doubt, and must read surely.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.components import Pieces
from worker.ocr.lines.learned.growing import explained
from worker.ocr.lines.text_line import TextLine, hulls_of

LONE_HEIGHT = (0.5, 1.8)  # of the usual height: clusters of this height may be characters
LOW = 0.7  # of the usual height: so high, or as the lowest line, is small writing beside large: a slide's number ...
LEAST_LOW = 9  # px; lower characters than this can hardly be told from specks
MOST_LOW = 3  # ... of which there are no more, or they are specks
LONE_WIDTH = (0.1, 4.0)
FEWEST_IN_ROW = 3  # pieces; a wider cluster of at least so many may be a whole line
THIN = 0.35  # of the usual height: what is lower, and at least THIN_WIDTH wide, may be 一 or a dash
THIN_WIDTH = (0.4, 1.3)
FLAT = 2.0  # times as wide as high it is ...
OFF_MIDDLE = 0.2  # of the height of a line in its row it lies off its middle at most ...
RULE_GAP = 2.0  # of the usual height: ... and so far beside it is no other stroke, as in a rule of dashes
HYPHEN = (
    0.18  # of the usual height: so narrow may a dash be that stands in a row and in a column, where there is no amount
)
CLUSTER_GAP = 0.3  # of the usual height: pieces nearer than this beside each other belong to one cluster ...
STROKE_GAP = 0.2  # ... and nearer than this above each other
SOLID = 0.85  # share of ink in a cluster's box; more is a bar or a box
ROW_REACH = 40.0  # of the usual height: so far away may be the line in whose row a lone character stands
COLUMN_REACH = 4.0  # of the usual height: and so far the one in whose column it stands ...
FAR = 14.0  # ... or, for what begins where it begins and must then read surely, so far: messages of one sender
ALIGNED = 0.5  # of the usual height: edges or middles this near are in line ...
EDGE = 0.2  # ... and edges so far away must be nearer
MOST_LONE = 60  # more than this are texture ...
MOST_APART = 6  # ... as are more than this that stand in no row and in no column

LEAST_SIZE = 0.08  # of the usual height; smaller pieces are specks

Boxes = NDArray[np.int32]  # (N, 4) px: left, top, right, bottom
Values = NDArray[np.floating[Any]]


def find_lone(lines: Sequence[TextLine], pieces: Pieces, shape: tuple[int, int]) -> list[TextLine]:
    """Return the characters that stand alone, each as a line.

    Args:
        lines: Those that were found.
        pieces: Of the page's ink.
        shape: (H, W) of the page.
    """
    free = pieces.select(~explained(pieces.boxes, lines))
    usual = _usual_height(lines, free)
    if usual < 5:
        return []
    return [*_usual(_clusters(free, usual, shape), free.boxes, lines, usual), *_low(free, lines, usual, shape)]


def _low(free: Pieces, lines: Sequence[TextLine], usual: float, shape: tuple[int, int]) -> list[TextLine]:
    """Return what is too low beside the usual writing, but as high as other low lines; nothing else is near it."""
    low = min([LOW * usual, *(line.height for line in lines)])
    if low < LEAST_LOW:
        return []
    clusters = _clusters(free.select(free.heights < LONE_HEIGHT[0] * usual), low, shape)
    around = np.concatenate([free.boxes, hulls_of(lines)])
    apart = [box for box in clusters if not _is_thin(box, low) and _stands_apart(box, around, low)]
    return [_lone(box, low, in_doubt=True) for box in apart] if len(apart) <= MOST_LOW else []


def _stands_apart(box: NDArray[np.int32], others: Values, distance: float) -> bool:
    """Tell whether nothing but what it holds lies within a distance, px, of a box."""
    is_near = np.maximum(others[:, :2] - box[2:], box[:2] - others[:, 2:]).max(axis=1) < distance
    is_inside = (others[:, :2] >= box[:2]).all(axis=1) & (others[:, 2:] <= box[2:]).all(axis=1)
    return not (is_near & ~is_inside).any()


def _usual(clusters: Boxes, free: Boxes, lines: Sequence[TextLine], usual: float) -> list[TextLine]:
    """Return the clusters, (N, 4) px, that may be characters, as lines."""
    hulls = hulls_of(lines)
    placed = [(box, _aligned(box, hulls, usual)) for box in clusters]
    hyphens = [_is_hyphen(box, usual) for box in clusters]
    placed = [
        (box, places)
        for (box, places), is_hyphen in zip(placed, hyphens, strict=True)
        if not is_hyphen or (all(places) and _may_be_dash(box, free, hulls, usual))
    ]
    if len(placed) > MOST_LONE:
        return []
    apart = [box for box, places in placed if not any(places)]
    apart = [box for box in apart if not lines or not _is_thin(box, usual)] if len(apart) <= MOST_APART else []
    found = [(box, places) for box, places in placed if any(places)]
    return [_lone(box, usual, in_doubt=not all(places)) for box, places in found] + [
        _lone(box, usual, in_doubt=True) for box in apart
    ]


def _usual_height(lines: Sequence[TextLine], free: Pieces) -> float:
    """Return the height of the line in the middle of the writing, px; long lines are much of it, specks little."""
    if not lines:
        return float(free.heights.max(initial=0))
    sides = np.array([line.polygon[[1, 3]] - line.polygon[0] for line in lines])
    wide, tall = np.linalg.norm(sides, axis=2).T
    order = np.argsort(tall, kind="stable")
    mass = np.cumsum(wide[order])
    return float(tall[order][np.searchsorted(mass, mass[-1] / 2)])


def _clusters(free: Pieces, usual: float, shape: tuple[int, int]) -> Boxes:
    """Return the boxes, (M, 4) px, of groups of near pieces that have the size of a few characters."""
    tall, wide = free.heights, free.widths
    keep = (tall <= LONE_HEIGHT[1] * usual) & (wide <= LONE_WIDTH[1] * usual)
    keep &= np.maximum(tall, wide) >= LEAST_SIZE * usual
    boxes, areas = free.boxes[keep], free.areas[keep]
    canvas = np.zeros(shape, np.uint8)
    beside, above = (max(1, round(gap * usual / 2)) for gap in (CLUSTER_GAP, STROKE_GAP))
    for left, top, right, bottom in boxes.tolist():
        canvas[max(0, top - above) : bottom + above, max(0, left - beside) : right + beside] = 1
    if not len(boxes):
        return boxes
    _, labels = cv2.connectedComponents(canvas, connectivity=8)
    group = np.asarray(labels)[(boxes[:, 1] + boxes[:, 3]) // 2, (boxes[:, 0] + boxes[:, 2]) // 2]
    found = [(boxes[group == g], areas[group == g].sum()) for g in np.unique(group)]
    kept = [np.r_[part[:, :2].min(0), part[:, 2:].max(0)] for part, area in found if _is_character(part, area, usual)]
    return np.array(kept, np.int32).reshape(-1, 4)


def _is_character(part: Boxes, area: int, usual: float) -> bool:
    """Tell whether a cluster has the size and the fullness of a character or a few."""
    wide, tall = (part[:, 2:].max(0) - part[:, :2].min(0)).tolist()
    if tall < THIN * usual:
        return len(part) == 1 and HYPHEN * usual <= wide <= THIN_WIDTH[1] * usual and wide > tall
    fits = LONE_HEIGHT[0] * usual <= tall <= LONE_HEIGHT[1] * usual
    most = LONE_WIDTH[1] if len(part) < FEWEST_IN_ROW else np.inf
    return bool(fits and LONE_WIDTH[0] * usual <= wide <= most * usual and area < SOLID * wide * tall)


def _is_thin(box: NDArray[np.int32], usual: float) -> bool:
    return bool(box[3] - box[1] < THIN * usual)


def _is_hyphen(box: NDArray[np.int32], usual: float) -> bool:
    return _is_thin(box, usual) and bool(box[2] - box[0] < THIN_WIDTH[0] * usual)


def _may_be_dash(box: NDArray[np.int32], free: Boxes, hulls: Values, usual: float) -> bool:
    """Tell whether a stroke is as flat as a hyphen, is level with a line, and has no other beside it as rules have."""
    left, top, right, bottom = box.tolist()
    middle = (top + bottom) / 2
    level = np.abs(free[:, 1] + free[:, 3] - 2 * middle) < usual
    gaps = np.maximum(free[:, 0] - right, left - free[:, 2])
    is_alone = not (level & (gaps > 0) & (gaps < RULE_GAP * usual)).any()
    off = np.abs(hulls[:, [1, 3]].mean(axis=1) - middle) / (hulls[:, 3] - hulls[:, 1])
    return is_alone and right - left >= FLAT * (bottom - top) and bool((off <= OFF_MIDDLE).any())


def _aligned(box: NDArray[np.int32], hulls: Values, usual: float) -> tuple[bool, bool]:
    """Tell whether a cluster stands in a row, and whether it stands in a column, with some line."""
    left, top, right, bottom = box.tolist()
    middle = (top + bottom) / 2
    apart = np.maximum(hulls[:, 0] - right, left - hulls[:, 2])
    in_row = (hulls[:, 1] < middle) & (middle < hulls[:, 3]) & (apart <= ROW_REACH * usual) & (apart > 0)
    sides = np.abs(hulls[:, [0, 2]] - [left, right]).min(axis=1)
    centred = np.abs(hulls[:, [0, 2]].mean(axis=1) - (left + right) / 2)
    below = np.maximum(hulls[:, 1] - bottom, top - hulls[:, 3])
    in_column = (np.minimum(sides, centred) <= ALIGNED * usual) & (below <= COLUMN_REACH * usual) & (below > 0)
    in_column |= (sides <= EDGE * usual) & (below <= FAR * usual) & (below > 0) & ~in_row.any()
    return bool(in_row.any()), bool(in_column.any())


def _lone(box: NDArray[np.int32], usual: float, *, in_doubt: bool) -> TextLine:
    if not _is_thin(box, usual):
        return TextLine.boxed(box, in_doubt=in_doubt)
    left, top, right, bottom = box.tolist()
    middle = (top + bottom) / 2
    return TextLine.boxed(np.array([left, middle - usual / 2, right, middle + usual / 2]), in_doubt=in_doubt)
