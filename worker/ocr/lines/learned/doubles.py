"""Lines that were found twice: within a larger one, or around ink that another line holds already."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.components import Boxes
from worker.ocr.lines.classical.fragments import overlaps
from worker.ocr.lines.text_line import TextLine, distance, hulls_of

WITHIN = 0.6  # of a line's place: what lies so far within another line is found twice
TOUCHING = 0.2  # of the smaller one's place: lines that have so much in common may hold the same ink
GRID = np.stack(np.meshgrid(np.linspace(0.1, 0.9, 9), [0.3, 0.5, 0.7]), -1).reshape(-1, 2)  # places within a line


def without_doubles(lines: Sequence[TextLine]) -> list[TextLine]:
    """Return the lines without those that lie within a larger one."""
    if not lines:
        return []
    hulls = hulls_of(lines)
    low, high = hulls[:, :2], hulls[:, 2:]
    kept: list[int] = []
    for i in np.argsort([-_area(line) for line in lines], kind="stable").tolist():
        near = ((low[i] <= high[kept]) & (high[i] >= low[kept])).all(axis=1)
        if not any(_share_within(lines[i], lines[kept[j]]) >= WITHIN for j in np.flatnonzero(near)):
            kept.append(i)
    return [lines[i] for i in sorted(kept)]


def without_wrappers(later: Sequence[TextLine], lines: Sequence[TextLine]) -> list[TextLine]:
    """Return what was found later without what reaches across lines that were found before."""
    hulls = hulls_of(lines)
    return [one for one in later if not any(_share_within(lines[i], one) >= WITHIN for i in _touched(one, hulls))]


def _touched(line: TextLine, hulls: NDArray[np.float64]) -> list[int]:
    """Return which boxes, (N, 4) px, have a place in common with a line."""
    return np.flatnonzero(overlaps(line.hull, hulls)).tolist() if len(hulls) else []


def without_borrowers(lines: Sequence[TextLine], pieces: Boxes) -> list[TextLine]:
    """Return the lines without those that have no ink of their own: another line holds all of it, and more.

    pieces: (N, 4) px, the page's ink.
    """
    if len(lines) < 2:
        return list(lines)
    hulls = hulls_of(lines)
    sizes = np.prod(hulls[:, 2:] - hulls[:, :2], axis=1)
    shared = np.stack([overlaps(hull, hulls) for hull in hulls])
    touching = np.triu(shared > TOUCHING * np.minimum(sizes[:, None], sizes), 1)
    middles = (pieces[:, :2] + pieces[:, 2:]) / 2
    inks = {i: _ink_of(lines[i], middles) for i in np.flatnonzero(touching.any(0) | touching.any(1)).tolist()}
    gone = {
        one
        for pair in np.argwhere(touching).tolist()
        for one, other in (pair, pair[::-1])
        if inks[one] and inks[one] < inks[other]
    }
    return [line for i, line in enumerate(lines) if i not in gone]


def _ink_of(line: TextLine, middles: NDArray[np.float64]) -> frozenset[int]:
    return frozenset(np.flatnonzero(_inside(middles, line).all(axis=1)).tolist())


def _area(line: TextLine) -> float:
    a, b, _, d = line.polygon
    return distance(a, b) * distance(a, d)


def _share_within(line: TextLine, other: TextLine) -> float:
    """Return how much of a line lies within another: 0..1."""
    a, b, _, d = line.polygon.astype(np.float64)
    places = a + GRID @ np.stack([b - a, d - a])
    return float(_inside(places, other).all(axis=1).mean())


def _inside(places: NDArray[np.float64], line: TextLine) -> NDArray[np.bool_]:
    """Tell of places, (N, 2) px, whether they lie between a line's ends, and its upper and lower edge: (N, 2)."""
    a, b, _, d = line.polygon.astype(np.float64)
    axes = np.stack([b - a, d - a], 1)
    return np.asarray(np.abs((places - a) @ np.linalg.inv(axes).T - 0.5) <= 0.5, np.bool_)
