"""Single hanzi below each other on a page that runs across: a title down its margin, a label down a table's side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worker.ocr.lines.classical import linking
from worker.ocr.lines.columns import order
from worker.ocr.lines.text_line import TextLine, hulls_of

FEWEST = 3  # hanzi, found or with room between two that were; fewer make no column
OFF_AXIS = 0.3  # of a character's size: how far its middle may lie off the one above
ALIKE = 0.7  # of the larger one's size
NEAREST, FURTHEST = 1.8, 4.2  # sizes to the next character: somewhere in the stack, and where others were not found
ROOM = 1.8, 3.6  # sizes between two, with one in the middle that was not found
IN_ROW = 0.2  # of the size: a line whose middle is so level with a character ...
MOST_IN_ROWS = 0.8  # ... stands in its row, or happens to; in a table nearly all do, and are cells
ROUGHLY, MOST_OF_CELLS = 0.3, 0.6  # the same of columns: their middles are less well known, and rules among them
FEW_COLUMNS = 2  # beside each other; more are text that runs down
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
    (x, y, _), size = _middles(hulls[at]), _sizes(hulls[at])
    larger = np.maximum(size[:, None], size[None])
    across, down = np.abs(x[:, None] - x[None]), y[None] - y[:, None]
    linked = (across <= OFF_AXIS * larger) & (np.minimum(size[:, None], size[None]) >= ALIKE * larger)
    linked &= (down > 0) & (down <= FURTHEST * larger)
    upper, lower = np.nonzero(linked)
    groups = linking.members(linking.join(len(at), upper, lower))
    return [_place(hulls[at[group]]) for group in groups if _is_stack(at[np.asarray(group)], hulls)]


def without_cells(columns: Sequence[TextLine], hulls: NDArray[np.float64]) -> list[TextLine]:
    """Return the columns but those that are cells of a table: beside each of their characters a line stands in its row.

    Args:
        columns: With the borders of their characters.
        hulls: (N, 4) px of all lines that were found across.
    """
    boxes = hulls_of(columns)
    blocks = [block for block in order.blocks_of(range(len(columns)), boxes) if len(block) <= FEW_COLUMNS]
    cells = {i for block in blocks if _are_cells([columns[i] for i in block], boxes[block], hulls) for i in block}
    return [column for i, column in enumerate(columns) if i not in cells]


def _are_cells(block: Sequence[TextLine], boxes: NDArray[np.float64], hulls: NDArray[np.float64]) -> bool:
    size = float(np.median(boxes[:, 2] - boxes[:, 0]))
    beside = (hulls[:, 2] <= boxes[:, 0].min() + size / 2) | (hulls[:, 0] >= boxes[:, 2].max() - size / 2)
    middles = np.concatenate(
        [one.hull[1] + (one.cells[:-1] + one.cells[1:]) / 2 for one in block if one.cells is not None]
    )
    return _share_in_rows(middles, size, hulls[beside], ROUGHLY) >= MOST_OF_CELLS


def _share_in_rows(
    middles: NDArray[np.float64], size: float, hulls: NDArray[np.float64], level: float = IN_ROW
) -> float:
    """Return how many of some characters, by their middles down, have a line of about their size beside them."""
    _, others, tall = _middles(hulls)
    others = others[(tall >= ALIKE * size / 2) & (tall <= size / ALIKE)]
    in_row = np.abs(middles[:, None] - others[None]).min(axis=1, initial=np.inf) <= level * size
    return float(in_row.mean())


def _is_stack(members: NDArray[np.intp], hulls: NDArray[np.float64]) -> bool:
    if len(members) < 2:
        return False
    y = _middles(hulls[members])[1]
    size, nearest = float(np.median(_sizes(hulls[members]))), float(np.diff(np.sort(y)).min())
    least, most = (0.0, NEAREST) if len(members) >= FEWEST else ROOM
    if not least * size <= nearest <= most * size:
        return False
    return _share_in_rows(y, size, np.delete(hulls, members, axis=0)) <= MOST_IN_ROWS


def _place(hulls: NDArray[np.float64]) -> NDArray[np.float64]:
    size = float(np.median(_sizes(hulls)))
    reach = size * np.array([BESIDE, BEYOND])
    return np.concatenate([hulls[:, :2].min(axis=0) - reach, hulls[:, 2:].max(axis=0) + reach])


def _sizes(hulls: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sizes of characters, (N,) px: of 一 its width."""
    return np.asarray((hulls[:, 2:] - hulls[:, :2]).max(axis=1), np.float64)


def _middles(hulls: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the middles across and down, and the heights, (N,) px each."""
    left, top, right, bottom = hulls.T
    return (left + right) / 2, (top + bottom) / 2, bottom - top
