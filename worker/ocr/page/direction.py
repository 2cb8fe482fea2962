"""Which characters stand in a column rather than in a row, told by their nearest neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.float64]  # (N, 2) px: middles of hanzi

MOST_ASKED = 400  # evenly spread; more say nothing new
BESIDE = 0.35  # of the distance: how far a neighbour may lie off the axis that it is on
NEARER = 0.92  # of the distance to the neighbour in the row: where text runs downwards the one below is as near


def run_down(places: Places) -> NDArray[np.bool_]:
    """Return for each of some hanzi, evenly chosen, whether its nearest neighbour stands in its column, (M,)."""
    chosen = places[:: max(1, len(places) // MOST_ASKED)]
    down, beside = nearest(chosen, places)
    return np.asarray(down < NEARER * beside, np.bool_)


def nearest(chosen: Places, places: Places) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far the nearest neighbour is in the column and in the row of each that was chosen, px or infinite."""
    if not len(places):
        return np.zeros(0), np.zeros(0)
    dx, dy = (np.abs(chosen[:, None, axis] - places[None, :, axis]) for axis in (0, 1))
    here = (dx == 0) & (dy == 0)
    down = np.where((dx <= BESIDE * dy) & ~here, dy, np.inf).min(axis=1)
    beside = np.where((dy <= BESIDE * dx) & ~here, dx, np.inf).min(axis=1)
    return down, beside
