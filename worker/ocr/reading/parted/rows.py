"""Where the lines of a page stand along their rows, and where they leave white between their words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from shared.result import Line

IN_ROW = 0.4  # of the lower height: so near above each other the middles of lines of one row are
EDGE = 1e-6  # of a line's width: no letter is narrower

Values = NDArray[np.float64]


@dataclass(frozen=True)
class White:
    """The white of a space, as the places of the letters beside it tell it.

    space: its place among the characters. begin, end: px along the rows. letters: how many letters would stand in it.
    """

    space: int
    begin: float
    end: float
    letters: float


@dataclass(frozen=True)
class Rows:
    """Lines by the rows that they stand in.

    starts, ends, middles, heights: (N,) px along and across the rows, of each line.
    rows: from top to bottom, the places of their lines from left to right.
    """

    starts: Values
    ends: Values
    middles: Values
    heights: Values
    rows: list[list[int]]


def rows_of(lines: Sequence[Line]) -> Rows:
    """Return the rows of the lines of a page, which may be tilted."""
    corners = np.array([line.polygon for line in lines], np.float64).reshape(-1, 4, 2)
    along = (corners[:, 1] - corners[:, 0]).sum(0)
    along /= max(float(np.hypot(*along)), 1e-6)
    x, y = corners @ along, corners @ np.array([-along[1], along[0]])
    starts, ends, middles = x[:, [0, 3]].mean(1), x[:, [1, 2]].mean(1), y.mean(1)
    heights = np.maximum((y[:, 2:].sum(1) - y[:, :2].sum(1)) / 2, 1.0)
    return Rows(starts, ends, middles, heights, _group(starts, middles, heights))


def _group(starts: Values, middles: Values, heights: Values) -> list[list[int]]:
    order = np.argsort(middles, kind="stable").tolist()
    rows = [order[:1]] if order else []
    for above, here in pairwise(order):
        if middles[here] - middles[above] <= IN_ROW * min(heights[here], heights[above]):
            rows[-1].append(here)
        else:
            rows.append([here])
    return [sorted(row, key=lambda i: float(starts[i])) for row in rows]


def whites_of(line: Line, start: float, end: float) -> list[White]:
    """Return the white at each space of a line that lies between two places, px along the rows.

    A space reaches from half-way to the letter before it to half-way to the one behind: its white is wider.
    """
    if " " not in line.text or len(line.text) != len(line.characters):
        return []
    wide = sorted(one.end - one.start for one in line.characters[1:-1] if one.text != " ")
    letter = wide[len(wide) // 2] if wide else line.characters[0].end - line.characters[0].start
    whites = []
    for place in [place for place, one in enumerate(line.text) if one == " "]:
        one = line.characters[place]
        middle, half = (one.start + one.end) / 2, one.end - one.start - letter / 2
        if half > 0:
            begin, stop = (start + (middle + side) * (end - start) for side in (-half, half))
            whites.append(White(place, begin, stop, 2 * half / max(letter, EDGE)))
    return whites
