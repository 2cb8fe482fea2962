"""Give lines the ink at their ends that no line explains: what a detector leaves out there is thin or small.

一 before a heading, a colon behind a field, a bullet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.components import Boxes
from worker.ocr.ink.ink import Gray
from worker.ocr.lines.text_line import TextLine, distance

REACH = 0.75  # of the line's height: so far from the end of a line its next character may begin
FURTHEST = 3.5  # of the height: a line grows by no more than this at one end
TALLEST, WIDEST = 1.15, 1.6  # of the height: larger pieces are rules, frames or pictures
LEAST_SIZE = 0.08  # of the height; smaller pieces are specks
DOT = 0.25  # of the height; what is no larger is a dot ...
SLACK = 0.02  # of the height: pieces that stand out of the end by less are not worth a move
EDGE = (0.1, 2.0)  # of the height, and px at least: what is left free behind the last piece, whose edge is soft
SOFT = 1.0  # px, the edge of a piece
MOST_DOTS = 3  # ... and more of them are a dotted line, which leads somewhere else
INSIDE = 0.1  # of the height: a piece may stand out of its line by so much

Values = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class _Frame:
    """A line's own axes: along and down are unit vectors at a right angle, origin is the line's top-left.

    A line that was joined from parts may be a slanted box: its left edge does not say which way is down.
    """

    origin: Values
    along: Values
    down: Values
    width: float
    height: float

    @classmethod
    def of(cls, line: TextLine) -> _Frame:
        corners = line.polygon.astype(np.float64)
        width = max(1.0, distance(corners[0], corners[1]))
        height = max(1.0, distance(corners[0], corners[3]))
        along = (corners[1] - corners[0]) / width
        return cls(corners[0], along, np.array([-along[1], along[0]]), width, height)

    def backward(self) -> _Frame:
        """Return the same frame seen from the line's other end."""
        return _Frame(self.origin + self.width * self.along, -self.along, self.down, self.width, self.height)

    def place(self, pieces: Boxes) -> tuple[Values, Values]:
        """Return how far the middles of pieces, (N, 4) px, lie along and below the line's corner: (N,) px each."""
        middles = (pieces[:, :2] + pieces[:, 2:]) / 2 - self.origin
        return middles @ self.along, middles @ self.down


def explained(pieces: Boxes, lines: Sequence[TextLine]) -> NDArray[np.bool_]:
    """Return which pieces of ink, (N, 4) px, have their middle in some line: (N,)."""
    return owners(pieces, lines) >= 0


def owners(pieces: Boxes, lines: Sequence[TextLine]) -> NDArray[np.intp]:
    """Return for each piece of ink, (N, 4) px, the line that holds its middle, the nearer one of two; -1: none."""
    result = np.full(len(pieces), -1, np.intp)
    if not len(pieces) or not lines:
        return result
    corners = np.array([line.polygon for line in lines], np.float64)
    origin, along, down = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 0]
    width, height = (np.maximum(1.0, np.hypot(side[:, 0], side[:, 1])) for side in (along, down))
    slack = INSIDE * height
    middles = (pieces[:, :2] + pieces[:, 2:]) / 2
    order = np.argsort(middles[:, 1], kind="stable")
    first, last = np.searchsorted(
        middles[order, 1], [corners[:, :, 1].min(axis=1) - slack, corners[:, :, 1].max(axis=1) + slack]
    )
    counts = last - first  # of the pieces at the level of each line; from here on an entry for each such pair
    of = np.repeat(np.arange(len(lines)), counts)
    piece = order[np.arange(len(of)) + np.repeat(first - (np.cumsum(counts) - counts), counts)]
    place = middles[piece] - origin[of]
    along = (along / width[:, None])[of]
    x = (place * along).sum(axis=1)
    y = place[:, 1] * along[:, 0] - place[:, 0] * along[:, 1]
    inside = (x > -slack[of]) & (x < (width + slack)[of]) & (y > -slack[of]) & (y < (height + slack)[of])
    of, piece = of[inside], piece[inside]
    off = np.abs(y[inside] / height[of] - 0.5)
    worst_first = np.lexsort((-of, -off))
    result[piece[worst_first]] = of[worst_first]  # the last assignment stays
    return result


def grow(
    lines: Sequence[TextLine], pieces: Boxes, mask: Gray, are_dark: NDArray[np.bool_] | None = None
) -> list[TextLine]:
    """Return the lines with the pieces at their ends that no other line holds.

    Args:
        lines: Of the page.
        pieces: (N, 4) px of the page's ink.
        mask: (H, W) uint8, 255 = ink; nothing grows across an upright rule.
        are_dark: (N,), which pieces are dark; dark writing grows to dark ones. None: all are alike.
    """
    of = owners(pieces, lines)
    dark = np.ones(len(pieces), np.bool_) if are_dark is None else are_dark
    tall = pieces[:, 3] - pieces[:, 1]
    result = []
    for i, line in enumerate(lines):
        own = of == i
        is_dark = tall[own & dark].sum() >= tall[own & ~dark].sum()
        mine = np.flatnonzero(own | ((of == -1) & (dark == is_dark)))
        grown = _grow(line, pieces[mine], mask)
        if grown is not line:
            of[mine[explained(pieces[mine], [grown])]] = i
        result.append(grown)
    return result


def _grow(line: TextLine, free: Boxes, mask: Gray) -> TextLine:
    frame = _Frame.of(line)
    along, down = frame.place(free)
    wide, tall = free[:, 2] - free[:, 0], free[:, 3] - free[:, 1]
    beside = (down > -INSIDE * frame.height) & (down < (1 + INSIDE) * frame.height)
    beside &= (tall <= TALLEST * frame.height) & (wide <= WIDEST * frame.height)
    beside &= np.maximum(wide, tall) >= max(2.0, LEAST_SIZE * frame.height)
    beside &= (along > -(FURTHEST + 1) * frame.height) & (along < frame.width + (FURTHEST + 1) * frame.height)
    if not beside.any():
        return line
    along, half = along[beside], wide[beside] / 2
    is_dot = np.maximum(wide, tall)[beside] <= DOT * frame.height
    right = frame.width + _reach(frame, _Ahead(along - half, along + half, is_dot), mask)
    left = -_reach(frame.backward(), _Ahead(frame.width - along - half, frame.width - along + half, is_dot), mask)
    return line if right == frame.width and left == 0.0 else _stretched(line, frame, left, right)


@dataclass(frozen=True)
class _Ahead:
    """Pieces along a line: from `near` to `far`, (N,) px from where the line begins; is_dot: (N,)."""

    near: Values
    far: Values
    is_dot: NDArray[np.bool_]


def _reach(frame: _Frame, pieces: _Ahead, mask: Gray) -> float:
    """Return by how many px a line goes on over pieces beyond its end."""
    end = frame.width
    ahead = pieces.near > end - WIDEST * frame.height
    if np.count_nonzero(pieces.is_dot & (pieces.near > end - SLACK * frame.height)) > MOST_DOTS:
        ahead &= ~pieces.is_dot
    limit = end + FURTHEST * frame.height
    for i in np.argsort(pieces.near, kind="stable"):
        near, far = float(pieces.near[i]), float(pieces.far[i])
        if not ahead[i] or far <= end + SLACK * frame.height:
            continue
        if near > end + REACH * frame.height or far > limit or _is_barred(frame, end, near, mask):
            break
        end = far
    return 0.0 if end == frame.width else end - frame.width + max(EDGE[0] * frame.height, EDGE[1])


def _is_barred(frame: _Frame, start: float, stop: float, mask: Gray) -> bool:
    """Tell whether an upright rule stands between two places along a line."""
    start, stop = start + SOFT, stop - SOFT
    if stop <= start:
        return False
    middle = frame.origin + start * frame.along + frame.down * frame.height / 2
    ends = float(middle[0]), float(middle[0] + (stop - start) * frame.along[0])
    left, right = max(0, round(min(ends))), max(0, round(max(ends)))
    top, bottom = (max(0, round(float(middle[1]) + side * frame.height / 2)) for side in (-1, 1))
    gap = mask[top:bottom, left:right]
    return bool(gap.size) and bool((gap > 0).all(axis=0).any())


def _stretched(line: TextLine, frame: _Frame, left: float, right: float) -> TextLine:
    start, end = frame.origin + left * frame.along, frame.origin + right * frame.along
    drop = frame.height * frame.down
    return replace(line, polygon=np.array([start, end, end + drop, start + drop], np.float32))
