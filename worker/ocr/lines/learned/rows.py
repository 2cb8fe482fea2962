"""Join parts of a row that wide word gaps keep apart: the writing around them tells such a gap from a column's.

A gap in which the rule of a blank begins or ends parts a label from what is filled in.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.ink import Gray
from worker.ocr.lines.learned.joining import OVERLAP, WORD_GAP
from worker.ocr.lines.text_line import TextLine, hulls_of

IN_ROW = 0.4  # of the height: how far the middles of the parts of a row may lie above each other
ALIKE = 0.6  # least ratio of the heights of the parts of a row
WIDEST_GAP = 2.5  # of the height: two spaces of a typewriter; a wider gap parts columns, unless the text is justified
LEAST_PART = 3.0  # of the height: narrower parts are cells of a table, unless they are as near as words
NEXT_ROW = 3.0  # of the height, middle to middle: the row above or below
BRIDGE = 1.0  # of the height: so far beyond both ends of a gap the line reaches that bridges it
ALIGNED = 0.4  # of the height: edges this near to each other are a column's
COLUMN_REACH = 6.0  # of the height: so far above and below columns go on
JUSTIFIED_GAP = 3  # gaps and more of a row ...
EVEN = 0.15  # ... that differ by no more than this share, as those of justified text do
BLOCK_REACH = 4.0  # of the height, middle to middle: the next row of a justified block
BLANK = (0.3, 0.4)  # of the height: how far above and below the foot of a part the rule of a blank lies
UNDER = 1.0  # of the height: a rule that goes on so far under a part is its own

Hulls = NDArray[np.floating[Any]]  # (N, 4) px: left, top, right, bottom


def join_rows(lines: Sequence[TextLine], mask: Gray) -> list[TextLine]:
    """Return the lines, in no order, with those joined that are parts of one row of text.

    Args:
        lines: Of the page.
        mask: (H, W) uint8, all ink of the page, rules, too.
    """
    hulls = hulls_of(lines)
    rows = _rows(hulls)
    whole = _justified(rows, hulls)
    groups = [group for i, row in enumerate(rows) for group in ([row] if i in whole else _bridged(row, hulls, mask))]
    return [_joined([lines[i] for i in group]) for group in groups]


def _rows(hulls: Hulls) -> list[list[int]]:
    """Return the indices of the parts of each row, from left to right."""
    middles, tall = hulls[:, [1, 3]].mean(axis=1), hulls[:, 3] - hulls[:, 1]
    rows: list[list[int]] = []
    for i in np.argsort(middles, kind="stable").tolist():
        last = rows[-1][-1] if rows else i
        low = min(tall[i], tall[last])
        if rows and middles[i] - middles[last] <= IN_ROW * low and low >= ALIKE * max(tall[i], tall[last]):
            rows[-1].append(i)
        else:
            rows.append([i])
    return [sorted(row, key=lambda i: float(hulls[i, 0])) for row in rows]


def _bridged(row: list[int], hulls: Hulls, mask: Gray) -> list[list[int]]:
    """Part a row wherever a gap is not bridged by a line above or below, or begins a column or a blank."""
    groups, is_between = [row[:1]], len(row) > 1 and _is_between_margins(hulls[row], hulls)
    for right in row[1:]:
        ends = hulls[groups[-1][-1]], hulls[right]
        if _is_bridged(*ends, hulls, has_cells=not is_between) and not _holds_end_of_blank(*ends, mask):
            groups[-1].append(right)
        else:
            groups.append([right])
    return groups


def _is_between_margins(row: Hulls, hulls: Hulls) -> bool:
    """Tell whether the line above or below begins and ends where a row does, as in justified text."""
    tall = float(np.median(row[:, 3] - row[:, 1]))
    apart = np.abs(hulls[:, [1, 3]].mean(axis=1) - float(np.median(row[:, [1, 3]].mean(axis=1))))
    alike = np.abs(hulls[:, [0, 2]] - [row[0, 0], row[-1, 2]]).max(axis=1) <= ALIGNED * tall
    return bool((alike & (apart > IN_ROW * tall) & (apart <= NEXT_ROW * tall)).any())


def _is_bridged(left: Hulls, right: Hulls, hulls: Hulls, *, has_cells: bool) -> bool:
    """Tell whether a gap is bridged. has_cells: narrow parts of the row may be cells of a table."""
    tall = max(left[3] - left[1], right[3] - right[1])
    gap = right[0] - left[2]
    is_cell = has_cells and min(left[2] - left[0], right[2] - right[0]) < LEAST_PART * tall
    if not -OVERLAP * tall <= gap <= (WORD_GAP if is_cell else WIDEST_GAP) * tall:
        return False
    apart = np.abs(hulls[:, [1, 3]].mean(axis=1) - (left[1] + left[3]) / 2)
    others = apart > IN_ROW * tall
    over = (hulls[:, 0] <= left[2] - BRIDGE * tall) & (hulls[:, 2] >= right[0] + BRIDGE * tall)
    begins = (np.abs(hulls[:, 0] - right[0]) <= ALIGNED * tall) & (apart <= COLUMN_REACH * tall)
    return bool((others & over & (apart <= NEXT_ROW * tall)).any() and not (others & begins).any())


def _holds_end_of_blank(left: Hulls, right: Hulls, mask: Gray) -> bool:
    """Tell whether a rule at the foot of a row lies under one of the two parts and ends between them."""
    tall = max(left[3] - left[1], right[3] - right[1])
    foot = (left[3] + right[3]) / 2
    top, bottom = (max(0, round(foot + by * tall)) for by in (-BLANK[0], BLANK[1]))
    start, end = max(0, round(left[2])), round(right[0])
    reach = round(UNDER * tall)
    if end <= start or reach >= start:
        return False
    strip = mask[top:bottom, start - reach : end + reach] > 0
    before, gap, after = np.split(strip, [reach, reach + end - start], axis=1)
    if 0 in before.shape or 0 in after.shape:
        return False
    runs_left, runs_right = before.all(axis=1), after.all(axis=1)
    edge = min(tall / 4, gap.shape[1] / 3)
    begins = runs_right & gap[:, -max(1, round(edge)) :].all(axis=1)
    ends = runs_left & gap[:, : max(1, round(edge))].all(axis=1)
    return bool((begins.any() and not runs_left.any()) or (ends.any() and not runs_right.any()))


def _justified(rows: Sequence[list[int]], hulls: Hulls) -> set[int]:
    """Return which rows are justified: evenly spaced between the same margins as the next, but not in columns."""
    found: set[int] = set()
    even = [i for i, row in enumerate(rows) if _is_even(hulls[row])]
    for one, other in pairwise(even):
        a, b = hulls[rows[one]], hulls[rows[other]]
        tall = float(np.median(a[:, 3] - a[:, 1]))
        near = abs(b[0, 1] - a[0, 1]) <= BLOCK_REACH * tall
        margins = max(abs(a[0, 0] - b[0, 0]), abs(a[-1, 2] - b[-1, 2])) <= ALIGNED * tall
        common = (np.abs(a[1:-1, None, 0] - b[None, 1:-1, 0]) <= ALIGNED * tall).any(axis=1)
        if near and margins and common.mean() < 0.5:
            found |= {one, other}
    return found


def _is_even(row: Hulls) -> bool:
    gaps = row[1:, 0] - row[:-1, 2]
    return len(gaps) >= JUSTIFIED_GAP and bool(np.ptp(gaps) <= EVEN * gaps.mean())


def _joined(parts: Sequence[TextLine]) -> TextLine:
    if len(parts) == 1:
        return parts[0]
    corners = np.concatenate([part.polygon for part in parts])
    first, last = parts[0].polygon[[0, 3]].mean(axis=0), parts[-1].polygon[[1, 2]].mean(axis=0)
    along = (last - first) / np.linalg.norm(last - first)
    down = np.array([-along[1], along[0]])
    x, y = (corners - first) @ along, (corners - first) @ down
    ends = [(x.min(), y.min()), (x.max(), y.min()), (x.max(), y.max()), (x.min(), y.max())]
    polygon = np.array([first + a * along + b * down for a, b in ends], np.float32)
    return TextLine(polygon, max(part.height for part in parts), all(part.in_doubt for part in parts))
