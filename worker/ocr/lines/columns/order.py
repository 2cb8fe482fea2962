"""Reading order where some lines run down: each block of columns from right to left, in its place among the rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worker.ocr.lines import reading_order
from worker.ocr.lines.text_line import TextLine, hulls_of

GAP = 2.0  # of a column's width: columns no further apart are one block


def order_lines(lines: Sequence[TextLine]) -> list[int]:
    """Return the indices of lines in reading order. One column beside rows is read where it begins."""
    if all(line.cells is None for line in lines):
        return reading_order.order_lines(lines)
    hulls = hulls_of(lines)
    groups = [[i] for i, line in enumerate(lines) if line.cells is None]
    groups += blocks_of([i for i, line in enumerate(lines) if line.cells is not None], hulls)
    whole = np.array([[*hulls[group, :2].min(0), *hulls[group, 2:].max(0)] for group in groups], np.float32)
    for box, group in zip(whole, groups, strict=True):
        if len(group) == 1 and lines[group[0]].cells is not None:
            box[3] = min(box[3], box[1] + box[2] - box[0])
    return [i for place in reading_order.order_boxes(whole) for i in _order_block(groups[place], hulls)]


def blocks_of(columns: Sequence[int], hulls: NDArray[np.float64]) -> list[list[int]]:
    """Return which columns, by their places among the boxes of lines, (N, 4) px, stand together."""
    blocks: list[list[int]] = []
    for column in columns:
        near = [block for block in blocks if any(_are_near(hulls[column], hulls[other]) for other in block)]
        blocks = [block for block in blocks if block not in near]
        blocks.append([column, *(other for block in near for other in block)])
    return blocks


def _are_near(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    gap = GAP * min(one[2] - one[0], other[2] - other[0])
    return bool((np.maximum(one[:2], other[:2]) <= np.minimum(one[2:], other[2:]) + gap).all())


def _order_block(block: list[int], hulls: NDArray[np.float64]) -> list[int]:
    """Order columns as rows of the page turned counter-clockwise, whose top is the page's right side."""
    left, top, right, bottom = hulls[block].T
    turned = np.stack([top, -right, bottom, -left], 1).astype(np.float32)
    return [block[place] for place in reading_order.order_boxes(turned)]
