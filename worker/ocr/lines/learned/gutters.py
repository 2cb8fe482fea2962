"""Part lines that run across the gutter between two columns: white that goes on through the lines above and below.

One line alone does not tell a gutter from a word gap; several that leave the same place free do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.components import Boxes
from worker.ocr.lines.text_line import TextLine, distance, hulls_of

LEAST_GAP = 0.4  # of the height: what all lines of a gutter leave free in common
FEWEST_LINES = 4  # that follow each other; fewer have a word gap in common by chance ...
FEW_LINES, CLEAR_GAP = 3, 0.7  # ... unless it is this wide
MARK = 0.4  # of the height: a comma or a full stop is no higher; the Chinese ones leave a gap in a word
WORD_GAP = 0.3  # of the height: wider gaps part words
FEWEST_WORD_GAPS = 3  # of a line, the gutter among them, tell how wide its word gaps are ...
WIDER = 1.1  # ... and the gutter is so many times wider
LEAST_SIDE = 4.0  # of the height: no column is narrower
NEXT_LINE = 2.6  # of the height: the next line of a column is no further down, middle to middle
ALIKE = 0.7  # least ratio of the heights of lines of a column
STRAIGHT = 0.5  # of the height: lines that rise by more have no upright gutter

RULE = 0.25, 2.0, 0.7  # of the height of a line: a rule is at most so wide, so long at least, and beside so much of it
AT_MARK = 1.5  # of the height: where all lines have a mark beside a gap no wider than this, sentences end there


class Gap(NamedTuple):
    """A white place in a line.

    start, end: px; at_mark: a comma, a semicolon or a full stop stands beside it; is_barred: an upright rule in it.
    """

    start: float
    end: float
    at_mark: bool
    is_barred: bool = False


def part_columns(lines: Sequence[TextLine], pieces: Boxes) -> list[TextLine]:
    """Return the lines, those parted that run across a gutter. pieces: (N, 4) px, the page's ink."""
    hulls = hulls_of(lines)
    gaps = [gaps_of(line, hull, pieces) for line, hull in zip(lines, hulls, strict=True)]
    cuts = [{gap for gap in own if gap.is_barred} for own in gaps]
    for first in np.argsort(hulls[:, 1], kind="stable").tolist():
        for gap in gaps[first]:
            chain = _follow(first, gap, hulls, gaps) if gap not in cuts[first] else {}
            for i, own in chain.items():
                cuts[i].add(own)
    return [part for line, own in zip(lines, cuts, strict=True) for part in cut(line, sorted(own))]


def gaps_of(line: TextLine, hull: NDArray[np.float64], pieces: Boxes) -> list[Gap]:
    """Return the white places in a line that may be a gutter."""
    left, top, right, bottom = hull.tolist()
    height = distance(line.polygon[0], line.polygon[3])
    if right - left < 2 * LEAST_SIDE * height or abs(line.polygon[1, 1] - line.polygon[0, 1]) > STRAIGHT * height:
        return []
    inside = (pieces[:, 0] >= left - 2) & (pieces[:, 2] <= right + 2)
    inside &= (pieces[:, 1] < bottom) & (pieces[:, 3] > top)
    is_rule = inside & _are_rules(pieces, hull)
    own, rules = pieces[inside & ~is_rule], pieces[is_rule]
    if not len(own):
        return []
    own = own[np.argsort(own[:, 0], kind="stable")]
    ends, starts = np.maximum.accumulate(own[:, 2])[:-1], own[1:, 0]
    wide = (starts - ends >= LEAST_GAP * height) & (ends >= left + LEAST_SIDE * height)
    wide &= starts <= right - LEAST_SIDE * height
    is_mark = (own[:-1, 3] - own[:-1, 1] <= MARK * height) & (own[:-1, 1] >= (top + bottom) / 2)
    is_barred = ((rules[:, 0] >= ends[:, None]) & (rules[:, 2] <= starts[:, None])).any(axis=1)
    wide &= is_barred | (starts - ends >= _least_gap(starts[~is_mark], ends[~is_mark], hull))
    is_small = (own[1:, 2:] - own[1:, :2] <= MARK * height).all(axis=1)  # no column begins with a mark, either
    places = np.stack([ends, starts, is_mark | is_small, is_barred], axis=1)[wide].tolist()
    return [Gap(float(start), float(end), bool(at_mark), bool(barred)) for start, end, at_mark, barred in places]


def _least_gap(starts: NDArray[np.int32], ends: NDArray[np.int32], hull: NDArray[np.float64]) -> float:
    """Return how wide a gutter of a line is at least, px, by its word gaps: from ends to starts, (N,) px each."""
    height = hull[3] - hull[1]
    are_words = starts - ends >= WORD_GAP * height
    gaps = (starts - ends)[are_words]
    if len(gaps) < FEWEST_WORD_GAPS:
        return 0.0
    parts = np.append(ends[are_words], hull[2]) - np.insert(starts[are_words], 0, int(hull[0]))
    are_columns = parts.min() >= LEAST_SIDE * height and gaps.min() >= CLEAR_GAP * height
    return 0.0 if are_columns else float(WIDER * np.median(gaps))


def _are_rules(pieces: Boxes, hull: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which pieces are upright rules beside a row, (N,): thin, and much longer than the row is high."""
    height = hull[3] - hull[1]
    wide, tall = pieces[:, 2] - pieces[:, 0], pieces[:, 3] - pieces[:, 1]
    beside = np.minimum(pieces[:, 3], hull[3]) - np.maximum(pieces[:, 1], hull[1])
    return np.asarray((wide <= RULE[0] * height) & (tall >= RULE[1] * height) & (beside >= RULE[2] * height))


def _follow(first: int, gap: Gap, hulls: NDArray[np.float64], gaps: Sequence[Sequence[Gap]]) -> dict[int, Gap]:
    """Return the gap of each line that shares a gutter which begins in a line, none where there is no gutter."""
    height = hulls[first, 3] - hulls[first, 1]
    chain, common, at = {first: gap}, gap, first
    while (after := _next(at, common, hulls)) is not None:
        shared = [(min(common.end, g.end) - max(common.start, g.start), g) for g in gaps[after]]
        width, own = max(shared, default=(0.0, gap))
        if width < LEAST_GAP * height:
            break
        both = common.at_mark and own.at_mark
        common = Gap(max(common.start, own.start), min(common.end, own.end), both)
        chain[after], at = own, after
    width = common.end - common.start
    if common.at_mark and width <= AT_MARK * height:
        return {}
    is_clear = len(chain) >= FEW_LINES and width >= CLEAR_GAP * height
    return chain if len(chain) >= FEWEST_LINES or is_clear else {}


def _next(at: int, gap: Gap, hulls: NDArray[np.float64]) -> int | None:
    """Return the next line below that runs across a gap."""
    height = hulls[at, 3] - hulls[at, 1]
    heights = hulls[:, 3] - hulls[:, 1]
    down = (hulls[:, 1] + hulls[:, 3] - hulls[at, 1] - hulls[at, 3]) / 2
    fits = (down > 0.5 * height) & (down <= NEXT_LINE * height) & (hulls[:, 0] < gap.start) & (hulls[:, 2] > gap.end)
    fits &= np.minimum(heights, height) >= ALIKE * np.maximum(heights, height)
    return int(np.where(fits, down, np.inf).argmin()) if fits.any() else None


def cut(line: TextLine, gaps: Sequence[Gap]) -> list[TextLine]:
    """Return the parts of a line between its gaps, which come from left to right; the line itself without any."""
    if not gaps:
        return [line]
    a, b, c, d = line.polygon.astype(np.float64)
    shares = np.array([[(x - a[0]) / max(1.0, b[0] - a[0])] for gap in gaps for x in (gap.start, gap.end)])
    above, below = np.vstack([a, a + shares * (b - a), b]), np.vstack([d, d + shares * (c - d), c])
    parts = zip(above[::2], above[1::2], below[1::2], below[::2], strict=True)
    return [replace(line, polygon=np.array(part, np.float32)) for part in parts]
