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

AT_MARK = 1.5  # of the height: where all lines have a mark beside a gap no wider than this, sentences end there


class Gap(NamedTuple):
    """A white place in a line. start, end: px; at_mark: a comma, a semicolon or a full stop stands beside it."""

    start: float
    end: float
    at_mark: bool


def part_columns(lines: Sequence[TextLine], pieces: Boxes) -> list[TextLine]:
    """Return the lines, those parted that run across a gutter. pieces: (N, 4) px, the page's ink."""
    hulls = hulls_of(lines)
    gaps = [_gaps(line, hull, pieces) for line, hull in zip(lines, hulls, strict=True)]
    cuts: dict[int, Gap] = {}
    for first in np.argsort(hulls[:, 1], kind="stable").tolist():
        for gap in gaps[first] if first not in cuts else ():
            cuts |= _follow(first, gap, hulls, gaps)
    return [part for i, line in enumerate(lines) for part in (_cut(line, cuts[i]) if i in cuts else [line])]


def _gaps(line: TextLine, hull: NDArray[np.float64], pieces: Boxes) -> list[Gap]:
    """Return the white places in a line that may be a gutter."""
    left, top, right, bottom = hull.tolist()
    height = distance(line.polygon[0], line.polygon[3])
    if right - left < 2 * LEAST_SIDE * height or abs(line.polygon[1, 1] - line.polygon[0, 1]) > STRAIGHT * height:
        return []
    inside = (pieces[:, 0] >= left - 2) & (pieces[:, 2] <= right + 2)
    inside &= (pieces[:, 1] < bottom) & (pieces[:, 3] > top)
    own = pieces[inside]
    if not len(own):
        return []
    own = own[np.argsort(own[:, 0], kind="stable")]
    ends, starts = np.maximum.accumulate(own[:, 2])[:-1], own[1:, 0]
    wide = (starts - ends >= LEAST_GAP * height) & (ends >= left + LEAST_SIDE * height)
    wide &= starts <= right - LEAST_SIDE * height
    is_mark = (own[:-1, 3] - own[:-1, 1] <= MARK * height) & (own[:-1, 1] >= (top + bottom) / 2)
    words = (starts - ends)[(starts - ends >= WORD_GAP * height) & ~is_mark]
    wide &= starts - ends >= WIDER * np.median(words) if len(words) >= FEWEST_WORD_GAPS else True
    is_small = (own[1:, 2:] - own[1:, :2] <= MARK * height).all(axis=1)  # no column begins with a mark, either
    places = zip(ends[wide].tolist(), starts[wide].tolist(), (is_mark | is_small)[wide].tolist(), strict=True)
    return [Gap(float(start), float(end), at_mark) for start, end, at_mark in places]


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


def _cut(line: TextLine, gap: Gap) -> list[TextLine]:
    a, b, c, d = line.polygon.astype(np.float64)
    shares = [(x - a[0]) / max(1.0, b[0] - a[0]) for x in (gap.start, gap.end)]
    (above0, below0), (above1, below1) = ((a + share * (b - a), d + share * (c - d)) for share in shares)
    parts = ([a, above0, below0, d], [above1, b, c, below1])
    return [replace(line, polygon=np.array(part, np.float32)) for part in parts]
