"""The columns of a page on which Chinese runs down, from right to left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.copies import Copies
from worker.ocr.ink.ink import Gray
from worker.ocr.lines.columns import cells, order
from worker.ocr.lines.text_line import TextLine, hulls_of
from worker.ocr.page import crops
from worker.ocr.page.direction import NEARER, Places, nearest, run_down

FEWEST = 3  # hanzi; fewer make no column
LEAST_SHARE = 0.15  # of the hanzi; where fewer stand in columns the page runs across
MOST_UNREAD = 0.3  # of the ink; where more is in no line it may stand in columns that are far apart
WIDER = 0.2  # of a column's width, on both sides: what was read across there is of its characters
WIDEST_PITCH = 1.5  # of a column's width: what stands further below is a list or a table, not a column
WIDEST_ALONE = 2.0  # ... where it cannot be one
LEAST_DOWN = 0.6  # of the hanzi of a block of columns, as far as they were read across, stand in columns

MOST_WHITE = 0.36  # of the length of a block's columns; cells of a table are whiter ...
MANY, MOST_WHITE_OF_FEW = 8, 0.28  # ... and where a block has fewer characters than this, those of a table may not be

LEAST_CUT = 0.1  # of a character's size: so much of it in a column, and more outside, is cut
NONE = np.zeros((0, 4))

Search = Callable[[Copies], Sequence[TextLine]]


def may_run_down(places: Places) -> bool:
    """Tell from the middles of the hanzi that were read on a page, (N, 2) px, whether some may stand in columns."""
    flags = run_down(places)
    return int(flags.sum()) >= FEWEST and float(flags.mean()) >= LEAST_SHARE


def find_columns(
    page: Gray, search: Search, places: Places, single: NDArray[np.float64] = NONE, *, in_table: bool = True
) -> list[TextLine]:
    """Return the columns of a page, from top to bottom each: their polygons begin at the top right.

    Args:
        page: (H, W) uint8, upright.
        search: Finds lines that run across.
        places: Middles of the hanzi that were read across, (N, 2) px.
        single: Lines that were found across and are one hanzi, (M, 4) px, left, top, right, bottom: no column cuts one.
        in_table: Whether they may be the cells of a table, which are further apart.
    """
    turned = np.ascontiguousarray(np.rot90(page))
    widest = WIDEST_PITCH if in_table else WIDEST_ALONE
    width = page.shape[1]
    turned_single = single[:, [1, 2, 3, 0]] * [1, -1, 1, -1] + [0, width, 0, width]
    lines = [_with_whole_ends(line, turned_single) for line in search(Copies(turned))]
    found = [column for line in lines if (column := _cut(turned, line, widest)) is not None]
    back = [replace(column.line, polygon=_turned_back(column.line.polygon, width)) for column in found]
    down, beside = nearest(places, places)
    are_down = np.asarray(down < NEARER * beside, np.bool_)
    meant: list[TextLine] = []
    for block in order.blocks_of(range(len(back)), hulls_of(back)):
        lines = [back[i] for i in block]
        if (not in_table or _is_dense([found[i] for i in block])) and _is_meant(lines, places, are_down):
            meant += lines
    return [line for line in meant if _pitch(line) < NEARER * _gap(line, back)]


def image_of(page: Gray, line: TextLine, margin: float) -> Gray:
    """Return a line as the recogniser wants it, (h, w) uint8: a column's characters side by side."""
    image = crops.crop_line(page, line.polygon, margin)
    if line.cells is None:
        return image
    borders = line.cells + margin * float(np.linalg.norm(line.polygon[3] - line.polygon[0]))
    return cells.set_side_by_side(image, np.clip(borders, 0, image.shape[1]))


def replaced_by(columns: Sequence[TextLine], line: TextLine, places: Places) -> bool:
    """Tell whether most of the hanzi of a line that was read across, (N, 2) px, stand in columns; else its ink."""
    if not len(places):
        left, top, right, bottom = line.hull
        places = np.array([[(left + right) / 2, (top + bottom) / 2]])
    inside = np.zeros(len(places), np.bool_)
    for column in columns:
        inside |= _inside(column, places, WIDER)
    return float(inside.mean()) >= 0.5


@dataclass(frozen=True)
class _Column:
    """What may be a column, on the turned page. white: share of its length without ink, 0..1."""

    line: TextLine
    white: float


def _with_whole_ends(line: TextLine, single: NDArray[np.float64]) -> TextLine:
    """Return a line of the turned page that reaches over the hanzi which its ends cut."""
    left, top, right, bottom = line.hull
    middle = (single[:, 1] + single[:, 3]) / 2
    level = single[(middle > top) & (middle < bottom)]
    wide = level[:, 2] - level[:, 0]
    first = level[(level[:, 0] < left) & (level[:, 2] > left + LEAST_CUT * wide), 0].min(initial=left)
    last = level[(level[:, 2] > right) & (level[:, 0] < right - LEAST_CUT * wide), 2].max(initial=right)
    ends = np.array([first - left, last - right, last - right, first - left], np.float32)
    return replace(line, polygon=line.polygon + np.column_stack([ends, np.zeros(4, np.float32)]))


def _cut(turned: Gray, line: TextLine, widest: float) -> _Column | None:
    """Return a line of the turned page with the cells of its characters; None: it is no column."""
    lying = crops.crop_line(turned, line.polygon, 0.0)
    column = replace(line, cells=cells.cut_cells(lying))
    return _Column(column, cells.white_share(lying)) if _is_column(column, widest) else None


def _is_dense(block: Sequence[_Column]) -> bool:
    """Tell whether the characters of a block of columns stand close below each other; those of a table do not."""
    count = sum(len(column.line.cells) - 1 for column in block if column.line.cells is not None)
    most = MOST_WHITE if count >= MANY else MOST_WHITE_OF_FEW
    return sum(column.white for column in block) <= most * len(block)


def _is_column(line: TextLine, widest: float) -> bool:
    assert line.cells is not None
    if len(line.cells) <= FEWEST:
        return False
    return _pitch(line) <= widest * float(np.linalg.norm(line.polygon[3] - line.polygon[0]))


def _pitch(column: TextLine) -> float:
    """Return how far its characters are below each other, px."""
    assert column.cells is not None
    return float(np.median(np.diff(column.cells)))


def _gap(column: TextLine, others: Sequence[TextLine]) -> float:
    """Return how far the nearest column beside it is, px from middle to middle, infinite without one."""
    left, top, right, bottom = column.hull
    beside = [one.hull for one in others if one is not column and one.hull[1] < bottom and one.hull[3] > top]
    return min((abs(one[0] + one[2] - left - right) / 2 for one in beside), default=np.inf)


def _turned_back(polygon: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """(4, 2) px of the page turned counter-clockwise -> px of the page, `width` px wide."""
    return np.column_stack([width - polygon[:, 1], polygon[:, 0]]).astype(np.float32)


def _is_meant(block: Sequence[TextLine], places: Places, are_down: NDArray[np.bool_]) -> bool:
    """Tell whether the hanzi of a block of columns that were read across have their nearest neighbours below them."""
    inside = np.any([_inside(column, places) for column in block], axis=0)
    return int(inside.sum()) < FEWEST or float(are_down[inside].mean()) >= LEAST_DOWN


def _inside(column: TextLine, places: Places, wider: float = 0.0) -> NDArray[np.bool_]:
    left, top, right, bottom = column.hull
    beside = wider * (right - left)
    x, y = places[:, 0], places[:, 1]
    return np.asarray((x >= left - beside) & (x <= right + beside) & (y >= top) & (y <= bottom), np.bool_)
