"""Part rows that run across a gutter which the rows above and below leave free: there, two lines were found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.components import Boxes
from worker.ocr.lines.learned import gutters
from worker.ocr.lines.learned.gutters import Gap
from worker.ocr.lines.text_line import TextLine, hulls_of

IN_ROW = 0.4  # of the height: how far the middles of two lines of a row may lie above each other
NARROWEST = 1.5  # of the height: what is narrower is no line of a column; where nothing is, one may be found, too
OVERLAP, WIDEST = 0.6, 4.0  # of the height: so far the two may overlap, their edges are soft; a wider gap is no gutter
REACH = 6.0  # of the height: only lines that have two lines beside each other so near are looked at
AS_WIDE = 0.7  # of the gutter of these: a gap that leaves less of it free is a word gap

Values = NDArray[np.float64]


class Rows(NamedTuple):
    """Rows of one line or of two beside each other (is_pair), and a gap of each.

    left, right: (N, 4) px, hulls of the lines that end and begin at the gap; start, end: (N,) px, of the gap.
    """

    left: Values
    right: Values
    start: Values
    end: Values
    is_pair: NDArray[np.bool_]


def part_rows(lines: Sequence[TextLine], pieces: Boxes) -> list[TextLine]:
    """Return the lines, those parted that run across the gutter of the rows next to them. pieces: (N, 4) px of ink."""
    hulls = hulls_of(lines)
    pairs = _pairs(hulls)
    near = _are_near(hulls, pairs)
    if not near.any():
        return list(lines)
    gaps = [
        gutters.gaps_of(line, line.hull, pieces) if is_near else [] for line, is_near in zip(lines, near, strict=True)
    ]
    rows = _with_lines(pairs, hulls, gaps)
    cuts = [[gap for gap in own if _is_gutter(hull, gap, rows, pieces)] for hull, own in zip(hulls, gaps, strict=True)]
    return [part for line, own in zip(lines, cuts, strict=True) for part in gutters.cut(line, own)]


def _pairs(hulls: Values) -> Rows:
    tall, middles = hulls[:, 3] - hulls[:, 1], hulls[:, [1, 3]].mean(axis=1)
    low, high = np.minimum(tall[:, None], tall), np.maximum(tall[:, None], tall)
    gap = hulls[None, :, 0] - hulls[:, None, 2]
    beside = (np.abs(middles[:, None] - middles) <= IN_ROW * low) & (low >= gutters.ALIKE * high)
    beside &= (gap > -OVERLAP * low) & (gap <= WIDEST * low)
    are_lines = hulls[:, 2] - hulls[:, 0] >= NARROWEST * tall
    beside &= are_lines & are_lines[:, None]
    left = np.flatnonzero(beside.any(axis=1))
    right = np.where(beside, gap, np.inf)[left].argmin(axis=1) if len(left) else left
    return Rows(hulls[left], hulls[right], hulls[left, 2], hulls[right, 0], np.ones(len(left), np.bool_))


def _with_lines(pairs: Rows, hulls: Values, gaps: Sequence[Sequence[Gap]]) -> Rows:
    """Return the rows with those added that are one line, an entry for each of its gaps."""
    of = np.repeat(np.arange(len(hulls)), [len(own) for own in gaps])
    places = np.array([gap[:2] for own in gaps for gap in own], np.float64).reshape(-1, 2)
    added = hulls[of], hulls[of], places[:, 0], places[:, 1], np.zeros(len(of), np.bool_)
    return Rows(*(np.concatenate(both) for both in zip(pairs, added, strict=True)))


def _are_near(hulls: Values, pairs: Rows) -> NDArray[np.bool_]:
    """Tell which lines run across the gap of a pair not far above or below, (N,)."""
    tall = (hulls[:, 3] - hulls[:, 1])[:, None]
    apart = np.abs(hulls[:, [1, 3]].mean(axis=1)[:, None] - pairs.left[:, [1, 3]].mean(axis=1))
    side = gutters.LEAST_SIDE / 2 * tall
    across = (hulls[:, :1] + side <= pairs.start) & (hulls[:, 2:3] - side >= pairs.end)
    return np.asarray(((apart <= REACH * tall) & across).any(axis=1))


def _is_gutter(hull: Values, gap: Gap, rows: Rows, pieces: Boxes) -> bool:
    """Tell whether a gap of a line lies in the gutter of the rows that follow it, upwards and downwards."""
    height = float(hull[3] - hull[1])
    start, end, free, count = gap.start, gap.end, (-np.inf, np.inf), 1
    for way in (-1, 1):
        at = hull
        while (row := _next(at, way, (start, end), rows)) is not None:
            own = _free(row, rows, pieces)
            if min(end, own[1]) - max(start, own[0]) < gutters.LEAST_GAP * height:
                break
            start, end, count, at = max(start, own[0]), min(end, own[1]), count + 1, rows.left[row]
            free = (max(free[0], own[0]), min(free[1], own[1])) if rows.is_pair[row] else free
    width = end - start
    is_clear = count >= gutters.FEW_LINES and width >= gutters.CLEAR_GAP * height
    return (count >= gutters.FEWEST_LINES or is_clear) and width >= AS_WIDE * (free[1] - free[0])


def _next(at: Values, way: int, gap: tuple[float, float], rows: Rows) -> int | None:
    """Return the nearest row below a line (way 1) or above it (way -1) that has a gap at a gap's place."""
    left, height = rows.left, at[3] - at[1]
    tall, down = left[:, 3] - left[:, 1], way * (left[:, 1] + left[:, 3] - at[1] - at[3]) / 2
    fits = (down > 0.5 * height) & (down <= gutters.NEXT_LINE * height)
    fits &= (left[:, 0] < gap[0]) & (rows.right[:, 2] > gap[1]) & (rows.start < gap[1]) & (rows.end > gap[0])
    fits &= np.minimum(tall, height) >= gutters.ALIKE * np.maximum(tall, height)
    return int(np.where(fits, down, np.inf).argmin()) if fits.any() else None


def _free(row: int, rows: Rows, pieces: Boxes) -> tuple[float, float]:
    """Return where the ink before the gap of a row ends, and where that behind it begins, px."""
    if not rows.is_pair[row]:
        return float(rows.start[row]), float(rows.end[row])
    middles = (pieces[:, :2] + pieces[:, 2:]) / 2
    left, right = (_inside(middles, pieces, side[row]) for side in (rows.left, rows.right))
    return float(left[:, 2].max()), float(right[:, 0].min())


def _inside(middles: Values, pieces: Boxes, hull: Values) -> Values:
    inside = ((middles >= hull[:2]) & (middles <= hull[2:])).all(axis=1)
    return pieces[inside].astype(np.float64) if inside.any() else hull[None]
