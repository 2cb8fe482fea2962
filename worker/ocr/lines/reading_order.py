"""Reading order by cuts: columns left to right, lines top to bottom, table cells row by row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worker.ocr.lines import feet
from worker.ocr.lines.text_line import TextLine, hulls_of

Boxes = NDArray[np.float32]  # (N, 4) px: left, top, right, bottom

COLUMN_GAP = 0.15  # of the median line height; the boxes of lines end a little beyond their ink
COLUMN_LINES = 3  # a column has at least this many lines ...
COLUMN_WIDTH = 8.0  # ... and half of its writing in lines this many heights wide; else the cut parts table cells
NARROW_WIDTH = 6.0  # columns this many heights wide are text, too, where most lines of both are as wide ...
NARROW_LINES = 5  # ... there are so many in each at least ...
NARROW_PITCH, NARROW_GAP = 1.9, 3.0  # ... and they are no further below each other, and the columns no further apart
FORM_ROWS = 3  # and more of them may be a form's ...
FORM_PITCH, ONE_ROW = 2.0, 1.5  # ... where they are so many median line heights apart, and no higher each
FULL, MOSTLY = 0.85, 0.6  # of a column's width, and share of its lines: a text's are so wide, a form's are not
SHORT_COLUMN = 2, 10.0  # a column of so few lines is one where its wider ones are so many heights wide


def order_lines(lines: Sequence[TextLine]) -> list[int]:
    """Return the indices of lines in reading order."""
    hulls = hulls_of(lines)
    groups = feet.groups_of(hulls)
    if len(groups) == len(lines):
        return order_boxes(hulls.astype(np.float32))
    whole = np.array([[*hulls[group, :2].min(0), *hulls[group, 2:].max(0)] for group in groups], np.float32)
    return [i for place in order_boxes(whole) for i in groups[place]]


def order_boxes(boxes: Boxes) -> list[int]:
    """Return the indices of boxes, (N, 4) px, in reading order."""
    return _order(np.asarray(boxes, np.float32).reshape(-1, 4), np.arange(len(boxes)))


def _order(boxes: Boxes, members: NDArray[np.intp]) -> list[int]:
    """Cut the members into bands; the longest run of bands that has columns in common is read column by column."""
    result: list[int] = []
    bands = _bands(boxes, members)
    while bands:
        count, columns = _longest_columns(boxes, bands)
        if columns is None:
            result += [i for band in bands[:count] for i in _rows(boxes, band)]
        else:
            result += [i for column in columns for i in _order(boxes, column)]
        bands = bands[count:]
    return result


def _longest_columns(
    boxes: Boxes, bands: list[NDArray[np.intp]]
) -> tuple[int, tuple[NDArray[np.intp], NDArray[np.intp]] | None]:
    """Return how many bands belong together, and their two columns; None: they are rows."""
    best: tuple[int, tuple[NDArray[np.intp], NDArray[np.intp]] | None] = (1, None)
    has_narrow = _has_narrow(boxes[np.concatenate(bands)])
    for count in range(1, len(bands) + 1):
        union = np.concatenate(bands[:count])
        here = boxes[union]
        height = _median(here[:, 3] - here[:, 1])
        cuts = _cuts(here[:, 0], here[:, 2], COLUMN_GAP * height)
        if not cuts:
            break  # more bands only close more gaps
        may_be_narrow = has_narrow and _median(here[:, 2] - here[:, 0]) >= FULL * NARROW_WIDTH * height
        for left in cuts:
            are_columns = _is_column(here[left]) and _is_column(here[~left])
            if are_columns or (may_be_narrow and _are_narrow(here[left], here[~left])):
                is_text = _is_filled(here[left]) and _is_filled(here[~left])
                is_form = not is_text and _is_form(boxes, bands[:count])
                best = count, None if is_form else (union[left], union[~left])
                break
    return best


def _bands(boxes: Boxes, members: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Part the members at every horizontal white gap, top to bottom; a fifth of a line's height may overlap."""
    here = boxes[members]
    slack = 0.2 * (here[:, 3] - here[:, 1])
    starts, ends = here[:, 1] + slack, here[:, 3] - slack
    order = np.argsort(starts, kind="stable")
    breaks = np.flatnonzero(starts[order][1:] > np.maximum.accumulate(ends[order])[:-1]) + 1
    return [members[part] for part in np.split(order, breaks)] if len(members) else []


def _cuts(starts: Boxes, ends: Boxes, gap: float) -> list[NDArray[np.bool_]]:
    """Return, for each empty gap along one axis that is wider than `gap`, who lies before it; the widest gap first."""
    order = np.argsort(starts, kind="stable")
    gaps = starts[order][1:] - np.maximum.accumulate(ends[order])[:-1]
    rank = np.empty(len(starts), np.intp)
    rank[order] = np.arange(len(starts))
    return [rank <= i for i in np.argsort(-gaps, kind="stable") if gaps[i] > gap]


def _is_column(boxes: Boxes) -> bool:
    """Tell whether most of the writing stands in lines as wide as running text; a table among them may be narrow."""
    widths, heights = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    ordered = np.sort(widths)
    mass = np.cumsum(ordered)
    usual = float(ordered[np.searchsorted(mass, mass[-1] / 2)])
    least = COLUMN_WIDTH if len(boxes) >= COLUMN_LINES else SHORT_COLUMN[1]
    return len(boxes) >= SHORT_COLUMN[0] and usual >= least * _median(heights)


def _has_narrow(boxes: Boxes) -> bool:
    """Tell whether there are lines enough for two narrow columns of text."""
    are_wide = boxes[:, 2] - boxes[:, 0] >= FULL * NARROW_WIDTH * (boxes[:, 3] - boxes[:, 1])
    return bool(are_wide.sum() >= 2 * MOSTLY * NARROW_LINES)


def _are_narrow(left: Boxes, right: Boxes) -> bool:
    """Tell whether both sides of a cut are narrow columns of text: dense, and most lines of both are equally wide."""
    if min(len(left), len(right)) < NARROW_LINES:
        return False
    wide, height = left[:, 2] - left[:, 0], _median(left[:, 3] - left[:, 1])
    usual = _median(wide)
    if usual < NARROW_WIDTH * height or right[:, 0].min() - left[:, 2].max() > NARROW_GAP * height:
        return False
    for side in (left, right):
        wide, tops = side[:, 2] - side[:, 0], np.sort(side[:, 1])
        steps = np.diff(tops)
        are_full = (wide >= FULL * usual) & (wide <= usual / FULL)
        if are_full.mean() < MOSTLY or np.median(steps[steps > height / 2]) > NARROW_PITCH * height:
            return False
    return True


def _is_form(boxes: Boxes, bands: Sequence[NDArray[np.intp]]) -> bool:
    """Tell whether bands are single rows far below each other: fields, whose left and right halves belong together."""
    tops = np.array([boxes[band, 1].min() for band in bands])
    tall = [float(boxes[band, 3].max() - boxes[band, 1].min()) for band in bands]
    usual = _median(boxes[np.concatenate(bands), 3] - boxes[np.concatenate(bands), 1])
    is_apart = len(bands) >= FORM_ROWS and float(np.median(np.diff(tops))) >= FORM_PITCH * usual
    return is_apart and float(np.median(tall)) <= ONE_ROW * usual


def _is_filled(boxes: Boxes) -> bool:
    """Tell whether most lines of a column run from side to side, as those of text do and fields do not."""
    wide = boxes[:, 2] - boxes[:, 0]
    return float((wide >= FULL * (boxes[:, 2].max() - boxes[:, 0].min())).mean()) >= MOSTLY


def _rows(boxes: Boxes, members: NDArray[np.intp]) -> list[int]:
    """Order one band: by rows of boxes that share most of their height, each row left to right."""
    middles = (boxes[:, 1] + boxes[:, 3]) / 2
    rows: list[list[int]] = []
    for i in members[np.argsort(middles[members], kind="stable")]:
        half = (boxes[i, 3] - boxes[i, 1]) / 2
        if rows and middles[i] - middles[rows[-1][-1]] < half:
            rows[-1].append(int(i))
        else:
            rows.append([int(i)])
    return [i for row in rows for i in sorted(row, key=lambda i: float(boxes[i, 0]))]


def _median(values: Boxes) -> float:
    return float(np.sort(values)[len(values) // 2])
