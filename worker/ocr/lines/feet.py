"""Lines of different size beside each other on one base line: a large number with its unit is read as one row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worker.ocr.lines.classical import linking

LARGER = 1.5  # times as high: lines that are more alike stand in one row by their middles
FOOT = 0.2  # of the larger height: how far the feet may lie apart ...
GAP = 0.1, 0.6  # ... and how far the boxes may overlap, or be apart
LEAST_ASPECT = 1.0  # width to height of the larger one; an initial stands beside three lines


def groups_of(hulls: NDArray[np.float64]) -> list[list[int]]:
    """Return which lines, (N, 4) px, stand on one foot, each group from left to right; most stand alone."""
    if not len(hulls):
        return []
    left, top, right, bottom = hulls.T
    tall = bottom - top
    gap = np.maximum(left[None] - right[:, None], left[:, None] - right[None])
    fits = (tall[:, None] >= LARGER * tall[None]) & (right - left >= LEAST_ASPECT * tall)[:, None]
    fits &= np.abs(bottom[:, None] - bottom[None]) <= FOOT * tall[:, None]
    fits &= (gap >= -GAP[0] * tall[:, None]) & (gap <= GAP[1] * tall[:, None])
    large, small = np.nonzero(fits)
    groups = linking.members(linking.join(len(hulls), large, small))
    return [sorted((int(i) for i in group), key=lambda i: float(left[i])) for group in groups]
