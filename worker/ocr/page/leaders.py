"""Dot leaders: the rows of dots that guide the eye from a title to its page, from a dish to its price.

They are no writing, and beside it they do harm: the line before them ends in some of their dots, and a short number
behind them is taken for more of them. So they are wiped off a page before its lines are looked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.components import Boxes, Pieces, usual_height
from worker.ocr.ink.ink import Gray
from worker.ocr.page.preprocess import Upright

FEWEST = 7  # dots; an ellipsis has six at most
LARGEST = 0.42  # of the usual height of characters; most bullets are larger
BESIDE = 3.0  # of the usual height: so far from its ends stands what a leader leads from, or to
ROUND = 2.0, 0.5  # px, and of the larger side: width and height of a dot differ by no more than the larger of these
SOLID, SOLID_SPECK = 0.6, 0.5  # share of ink in a dot's box; of those no larger than SPECK
SMALL = 14  # px: letters so high have dots of a pixel or two
MOST_DOTS = 6000  # more are the raster of a picture
LEVEL = 0.12  # of the usual height: dots beside each other differ no more in theirs
NEXT = 1.6  # of the usual height: from the middle of a dot to that of the next one
REGULAR = 0.25  # of the usual step from dot to dot, mean deviation
APART = 1.5  # of the usual width of a dot, if that is more than SPECK: the step; letters in small print stand closer
SPECK = 3.0  # px
ALIKE = 0.7, 0.15  # px, and of the mean: by the larger of these the sides of the dots differ, standard deviation
LARGER = 1.4  # times as large as a leader is high: no dot
HIGHEST = 2.0  # times the height of a dot, and a pixel: a row of dots; a tilted one is a rule across a page
FAINTEST = 0.35  # of the depth of a leader's dots: what is as deep is a dot, too, or other writing
CLOSE = 0.4  # of the step: so far around the middle of a dot there is nothing else
SHADOW = 0.1  # of that depth: what is deeper above and below is faint writing, and no shadow that JPEG left
MARGIN = 2  # px around a dot
FREE_ENDS = 0.5  # of the usual height, at both ends
FREE = 0.55, 0.3  # of the usual height, above and below: nothing else stands there, or the dots are part of something


@dataclass(frozen=True)
class Leader:
    """A row of dots, px. box: (4,) left, top, right, bottom. step: from dot to dot."""

    box: NDArray[np.float64]
    step: float

    @classmethod
    def of(cls, run: Boxes) -> Leader:
        """Return the leader whose dots are these, (N, 4) px from left to right."""
        box = np.concatenate([run[:, :2].min(0), run[:, 2:].max(0)]).astype(np.float64)
        return cls(box, float(np.median(_steps(run))))


def without_leaders(upright: Upright) -> Upright:
    """Return a page without its dot leaders; the same where it has none."""
    copies = upright.copies
    scale = copies.usual_scale
    pieces = copies.pieces(scale)
    usual = usual_height(pieces, power=2)  # of the letters, of which there are fewer than dots
    found = find_leaders(copies.pieces(scale, with_specks=True) if usual < SMALL else pieces, usual)
    if not found:
        return upright
    image = upright.image.copy()
    for leader in found:
        _wipe(image, Leader(leader.box / scale, leader.step / scale), usual / scale)
    return replace(upright, image=image)


def find_leaders(pieces: Pieces, usual: float) -> list[Leader]:
    """Return the dot leaders of a page.

    Args:
        pieces: Of the page.
        usual: px, the height of its letters.
    """
    tall, wide = pieces.heights, pieces.widths
    large = np.maximum(tall, wide)
    are_small = large <= max(SPECK, LARGEST * usual)
    are_dots = are_small & (np.abs(tall - wide) <= np.maximum(ROUND[0], ROUND[1] * large))
    are_dots &= pieces.areas >= np.where(large <= SPECK, SOLID_SPECK, SOLID) * tall * wide
    dots = pieces.boxes[are_dots]
    if not FEWEST <= len(dots) <= MOST_DOTS:
        return []
    runs = [run for row in _levels(dots, LEVEL * usual) for run in _runs(row, usual) if _is_leader(run)]
    found = [Leader.of(run) for run in runs if _leads(run, pieces.boxes, usual)]
    return [one for one in found if _is_free(one.box, pieces, usual)]


def _levels(dots: Boxes, tolerance: float) -> list[Boxes]:
    """Return the dots by rows, each from left to right."""
    middles = (dots[:, 1] + dots[:, 3]) / 2
    order = np.argsort(middles, kind="stable")
    ends = np.flatnonzero(np.diff(middles[order]) > max(1.0, tolerance)) + 1
    rows = (dots[part] for part in np.split(order, ends) if len(part) >= FEWEST)
    return [row[np.argsort(row[:, 0], kind="stable")] for row in rows]


def _runs(row: Boxes, usual: float) -> list[Boxes]:
    """Return the parts of a row, left to right, in which each dot stands close to the next one and beside it."""
    across, down = (row[:, 0] + row[:, 2]) / 2, (row[:, 1] + row[:, 3]) / 2
    breaks = (np.diff(across) > NEXT * usual) | (np.abs(np.diff(down)) > max(1.0, LEVEL * usual))
    ends = [0, *(np.flatnonzero(breaks) + 1).tolist(), len(row)]
    return [row[start:end] for start, end in pairwise(ends) if end - start >= FEWEST]


def _steps(run: Boxes) -> NDArray[np.float64]:
    return np.asarray(np.diff((run[:, 0] + run[:, 2]) / 2), np.float64)


def _is_leader(run: Boxes) -> bool:
    """Tell whether the pieces of a run are level, alike, far from each other, and at equal distances."""
    steps, sides = _steps(run), run[:, 2:] - run[:, :2]
    usual, (wide, tall) = float(np.median(steps)), np.median(sides, axis=0).tolist()
    is_level = run[:, 3].max() - run[:, 1].min() <= HIGHEST * tall + 1
    is_regular = np.abs(steps - usual).mean() <= REGULAR * usual
    is_sparse = wide <= SPECK or usual >= APART * wide
    are_alike = (sides.std(axis=0) <= np.maximum(ALIKE[0], ALIKE[1] * sides.mean(axis=0))).all()
    return bool(is_level and is_regular and is_sparse and are_alike)


def _leads(run: Boxes, boxes: Boxes, usual: float) -> bool:
    """Tell whether letters stand before a run, or behind it, beside which its pieces can only be dots.

    A page has letters of all sizes: beside a title all of its small print is as low as dots.
    """
    left, top, right, bottom = np.concatenate([run[:, :2].min(0), run[:, 2:].max(0)]).tolist()
    in_row = (boxes[:, 3] > top) & (boxes[:, 1] < bottom)
    before = (boxes[:, 0] < left) & (boxes[:, 2] > left - BESIDE * usual)
    behind = (boxes[:, 2] > right) & (boxes[:, 0] < right + BESIDE * usual)
    heights = np.sort((boxes[:, 3] - boxes[:, 1])[in_row & (before | behind)])
    return len(heights) > 1 and float(np.median(run[:, 3] - run[:, 1])) <= LARGEST * heights[-2]  # one may be a picture


def _is_free(box: NDArray[np.float64], pieces: Pieces, usual: float) -> bool:
    """Tell whether nothing larger than its dots stands above or below a leader, or in it.

    A letter before it, or behind, may overhang a dot.
    """
    left, top, right, bottom = box
    boxes = pieces.boxes[np.maximum(pieces.heights, pieces.widths) > max(SPECK, LARGER * (bottom - top))]
    beside = (boxes[:, 2] > left + FREE_ENDS * usual) & (boxes[:, 0] < right - FREE_ENDS * usual)
    near = (boxes[:, 3] > top - FREE[0] * usual) & (boxes[:, 1] < bottom + FREE[1] * usual)
    return not bool((beside & near).any())


def _wipe(image: Gray, leader: Leader, usual: float) -> None:
    """Draw paper over a leader, px of the page, in place: over all that is free, for JPEG leaves shadows of dots."""
    height, width = image.shape
    left, top, right, bottom = (round(float(side)) for side in leader.box)
    left, top = max(0, left - MARGIN), max(0, top - MARGIN)
    right, bottom = min(width, right + MARGIN), min(height, bottom + MARGIN)
    above = min(top, max(0, round(top + MARGIN - FREE[0] * usual) + 1))
    below = max(bottom, min(height, round(bottom - MARGIN + FREE[1] * usual) - 1))
    places = range(left, right, max(1, round(usual)))
    levels = [np.median(image[above:below, max(0, x - places.step) : x + places.step]) for x in places]
    paper = np.interp(np.arange(width), places, levels).astype(np.float32)
    depth = np.abs(image[above:below] - paper)
    inside = slice(top - above, bottom - above)
    at_dots, around = depth[inside].max(axis=0), np.delete(depth, inside, axis=0).max(axis=0, initial=0)
    between = slice(left + round(FREE_ENDS * usual), right - round(FREE_ENDS * usual))
    if around[between].max(initial=0) < SHADOW * float(np.percentile(at_dots[left:right], 90)):
        image[above:below, between] = paper[between]
    middle = (bottom - top) / 2  # of a dot, which is as wide as it is high
    left, right = _reach(at_dots, around, (left, right), middle, leader.step)
    image[top:bottom, left:right] = paper[left:right]


def _reach(
    at_dots: NDArray[np.float32], around: NDArray[np.float32], ends: tuple[int, int], middle: float, step: float
) -> tuple[int, int]:
    """Return where a leader begins and ends, px: beside letters its dots are fainter, and not found as ink.

    Args:
        at_dots: (W,) depth of the ink in the columns of the page, where the dots are.
        around: (W,) the same above and below them.
        ends: px, of the dots that were found, with a margin.
        middle: px from an end to the middle of the dot there.
        step: px.
    """
    left, right = ends
    least = FAINTEST * float(np.percentile(at_dots[left:right], 90))

    def is_dot(at: float) -> bool:
        start, end = round(at - CLOSE * step), round(at + CLOSE * step) + 1
        if start < 0 or end > len(at_dots):
            return False
        sides = at_dots[round(at) : round(at + step / 2) + 1], at_dots[max(0, round(at - step / 2)) : round(at)]
        is_dash = step > 2 * SPECK and any(bool((side >= least).all()) for side in sides)
        return bool(at_dots[start:end].max() >= least and not is_dash and around[start:end].max() < least)

    while is_dot(left + middle - step):
        left = round(left - step)
    while is_dot(right - middle + step):
        right = round(right + step)
    return max(0, left), min(len(at_dots), right)
