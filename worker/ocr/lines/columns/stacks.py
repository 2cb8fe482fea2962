"""Single hanzi below each other on a page that runs across: a title down its margin, a label down a table's side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worker.ocr.lines.classical import linking

FEWEST = 3  # hanzi, found or with room between two that were; fewer make no column
OFF_AXIS = 0.3  # of a character's size: how far its middle may lie off the one above
ALIKE = 0.7  # of the larger one's size
NEAREST, FURTHEST = 1.8, 4.2  # sizes to the next character: somewhere in the stack, and where others were not found
ROOM = 1.8, 3.6  # sizes between two, with one in the middle that was not found
IN_ROW = 0.2  # of the size: a line whose middle is so level with a character ...
MOST_IN_ROWS = 0.8  # ... stands in its row, or happens to; in a table nearly all do, and are cells
BEYOND, BESIDE = 1.8, 0.35  # sizes: how far a place reaches above and below its stack, and beside it


def stacks_of(hulls: NDArray[np.float64], single: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Return the places, (4,) px, in which characters that were found one by one may be a column.

    Args:
        hulls: (N, 4) px, left, top, right, bottom of all lines of a page.
        single: (N,) which of them are one hanzi.
    """
    at = np.flatnonzero(single)
    if len(at) < 2:
        return []
    x, y, size = _middles(hulls[at])
    larger = np.maximum(size[:, None], size[None])
    across, down = np.abs(x[:, None] - x[None]), y[None] - y[:, None]
    linked = (across <= OFF_AXIS * larger) & (np.minimum(size[:, None], size[None]) >= ALIKE * larger)
    linked &= (down > 0) & (down <= FURTHEST * larger)
    upper, lower = np.nonzero(linked)
    groups = linking.members(linking.join(len(at), upper, lower))
    return [_place(hulls[at[group]]) for group in groups if _is_stack(at[np.asarray(group)], hulls)]


def _is_stack(members: NDArray[np.intp], hulls: NDArray[np.float64]) -> bool:
    if len(members) < 2:
        return False
    _, y, sizes = _middles(hulls[members])
    size, pitches = float(np.median(sizes)), np.diff(np.sort(y))
    if len(members) < FEWEST and not ROOM[0] * size <= float(pitches.min()) <= ROOM[1] * size:
        return False
    if len(members) >= FEWEST and float(pitches.min()) > NEAREST * size:
        return False
    _, others, tall = _middles(np.delete(hulls, members, axis=0))
    others = others[(tall >= ALIKE * size / 2) & (tall <= size / ALIKE)]
    in_row = np.abs(y[:, None] - others[None]).min(axis=1, initial=np.inf) <= IN_ROW * size
    return float(in_row.mean()) <= MOST_IN_ROWS


def _place(hulls: NDArray[np.float64]) -> NDArray[np.float64]:
    size = float(np.median(_middles(hulls)[2]))
    reach = size * np.array([BESIDE, BEYOND])
    return np.concatenate([hulls[:, :2].min(axis=0) - reach, hulls[:, 2:].max(axis=0) + reach])


def _middles(hulls: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the middles across and down, and the heights, (N,) px each."""
    left, top, right, bottom = hulls.T
    return (left + right) / 2, (top + bottom) / 2, bottom - top
