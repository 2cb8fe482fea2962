"""The characters of a column: where one ends and the next begins, and their images set side by side.

The recogniser reads rows. In a column of Chinese each character stands upright in a cell of about its own height, so
the cells are cut apart and laid out as a row. The cuts are the way through the gaps between pieces of ink that makes
the cells most alike: 二 and 三 have gaps inside, and strokes of neighbours may touch.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.ink import Gray

PITCHES = np.linspace(0.8, 2.2, 29)  # of the column's width, from one character to the next
CLOSE, SPREAD = 1.25, 0.3  # of the column's width: characters further apart are less likely, and cost so much more
TALLEST = 1.2  # of the column's width: the ink of one character is no higher
LEAST_CELL = 0.4  # of the pitch
THROUGH_INK = 4.0  # what a cut costs that goes through ink across the whole column; a cell of no height costs 1
MARK = 0.45  # of the column's width: smaller ink at the right of its cell's top is a mark, and belongs to its left foot


def cut_cells(lying: Gray) -> NDArray[np.float64]:
    """Return the borders of the characters of a column, (N + 1,) px along it.

    Args:
        lying: (h, w) uint8, the column turned counter-clockwise by a quarter: its top is the left end.
    """
    profile = _ink(lying).mean(axis=0)
    if not profile.any():
        return np.zeros(0)
    cuts = _Cuts.of(profile, TALLEST * len(lying))
    ways = [(pitch, *way) for pitch in PITCHES if (way := cuts.cheapest(pitch * len(lying))) is not None]
    if not ways:
        return cuts.at[[0, -1]]
    return cuts.at[min(ways, key=lambda way: way[1] + SPREAD * max(0.0, way[0] - CLOSE) ** 2)[2]]


def white_share(lying: Gray) -> float:
    """Return how much of a column's length, from its first to its last ink, holds no ink: 0..1."""
    written = np.flatnonzero(_ink(lying).any(axis=0))
    return 1.0 - len(written) / (written[-1] - written[0] + 1) if len(written) else 1.0


def set_side_by_side(lying: Gray, borders: NDArray[np.float64]) -> Gray:
    """Return the characters between the borders as a row, (h, h * N) uint8, each upright in a square."""
    height = len(lying)
    ink = _ink(lying)
    ground = int(np.median(lying[~ink])) if not ink.all() else 255
    cells = [_upright_cell(lying, ink, round(a), round(b), ground) for a, b in pairwise(borders)]
    return np.concatenate(cells, axis=1) if cells else np.full((height, height), ground, np.uint8)


def _ink(lying: Gray) -> NDArray[np.bool_]:
    """Return what is writing: the rarer side of Otsu's threshold."""
    level, _ = cv2.threshold(lying, 0, 255, cv2.THRESH_OTSU)
    dark = lying <= level
    return np.asarray(dark if dark.mean() < 0.5 else ~dark, np.bool_)


@dataclass(frozen=True)
class _Cuts:
    """Where a column may be cut, both ends among it.

    at: (K,) px. first, last: (K,) px of the first ink behind each, and just after the last ink before it.
    through: (K,) share of the column's width that is ink there. tallest: px of ink in a cell.
    """

    at: NDArray[np.float64]
    first: NDArray[np.intp]
    last: NDArray[np.intp]
    through: NDArray[np.float64]
    tallest: float

    @classmethod
    def of(cls, profile: NDArray[np.float64], tallest: float) -> _Cuts:
        """Take the middles of gaps, and the thinnest places, of the share of ink along a column, (w,)."""
        written = np.flatnonzero(profile)
        start, end = int(written[0]), int(written[-1]) + 1
        inner = profile[start:end]
        edges = np.flatnonzero(np.concatenate([[True], inner[1:] != inner[:-1], [True]]))
        values = inner[edges[:-1]]
        thin = 1 + np.flatnonzero((values[1:-1] < values[:-2]) & (values[1:-1] < values[2:]))
        at = np.concatenate([[start], start + (edges[thin] + edges[thin + 1]) / 2, [end]]).astype(np.float64)
        whole = at.astype(np.intp)
        first = written[np.minimum(np.searchsorted(written, whole), len(written) - 1)]
        last = written[np.maximum(np.searchsorted(written, whole) - 1, 0)] + 1
        through = np.append(profile[whole[:-1]], 0.0)
        return cls(at, first, last, through, tallest)

    def cheapest(self, pitch: float) -> tuple[float, list[int]] | None:
        """Return the mean cost of a cell and which cuts to take, if cells are to be as long as `pitch`; None: none."""
        end = len(self.at) - 1
        cost, steps, back = np.full(end + 1, np.inf), np.zeros(end + 1, np.int64), np.zeros(end + 1, np.int64)
        cost[0] = 0.0
        for j in range(1, end + 1):
            for i in range(j - 1, -1, -1):
                if self.last[j] - self.first[i] > self.tallest:
                    break
                off = (self.at[j] - self.at[i]) / pitch - 1
                is_inner = i > 0 and j < end  # nobody knows how much paper belongs to the first and the last one
                if is_inner and off < LEAST_CELL - 1:
                    continue
                here = cost[i] + (off if is_inner else max(0.0, off)) ** 2 + THROUGH_INK * self.through[j]
                if here < cost[j]:
                    cost[j], steps[j], back[j] = here, steps[i] + 1, i
        if not np.isfinite(cost[end]):
            return None
        way = [end]
        while way[-1]:
            way.append(int(back[way[-1]]))
        return float(cost[end] / steps[end]), way[::-1]


def _upright_cell(lying: Gray, ink: NDArray[np.bool_], start: int, end: int, ground: int) -> Gray:
    """Return one character, (h, h) uint8, upright and where it would stand in a row."""
    size = len(lying)
    cell = np.full((size, size), ground, np.uint8)
    glyph, mask = (np.rot90(part[:, start:end], -1) for part in (lying, ink))
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return cell
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    glyph = glyph[max(0, top - 1) : bottom + 1, max(0, left - 1) : right + 1][:size, :size]
    tall, wide = glyph.shape
    is_mark = max(bottom - top, right - left) < MARK * size and left > 0.5 * size and top < 0.4 * (end - start)
    y, x = (size - tall - size // 8, size // 8) if is_mark else ((size - tall) // 2, left)
    x, y = min(max(0, x), size - wide), max(0, y)
    cell[y : y + tall, x : x + wide] = glyph
    return cell
