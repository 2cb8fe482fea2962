"""Boxes for one character each, as forms have them for numbers: read with their sides they are `2|7|0` or `217lo`."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.ink import Gray

FEWEST = 4  # sides beside each other
SIDE = 0.75  # of the height of a line's image: so much of a column is dark where a side stands, ...
TICK = 0.25  # ... or so much right above the rule on which the characters stand
EDGE = 0.75  # of its width: so much of a row is dark where the upper or the lower side lies
THICKEST = 0.15  # of the height; what is wider is no side
DOUBLE = 0.3  # of the height: so near beside each other the sides of two boxes are one
PITCH = (0.4, 2.2)  # of the height: from side to side
UNEVEN = 0.2  # of the pitch: how far a side may stand off
BEYOND = 0.06  # of the height: so far sides reach beyond the characters, and strokes of characters do not
REACH = 2  # px: so near a stroke nothing is written
DEPTH = 0.25  # of the way from paper to ink; what is darker is dark
LEAST_INK = 0.25  # of the height: what is left is as high, or it is no writing
MOST_GAP = 0.25  # of the height of what is written: rows without ink between rows with some
ROUND = 0.12  # of the height of what was written: room that stays around it
GAP = 0.25  # of that height between characters; further apart they are read with spaces
NARROW = 0.5  # of that height: so wide a character counts at least

Runs = list[tuple[int, int]]  # from and to px
Flags = NDArray[np.bool_]


def without_comb(line: Gray) -> Gray:
    """Return a line image, (h, w) uint8, dark on light, without boxes around its characters; without any, itself."""
    rows, columns = line.shape
    if columns < FEWEST * PITCH[0] * rows:
        return line
    some = line[::2, ::4].ravel()
    places = len(some) // 100, len(some) * 3 // 4
    ink, paper = np.partition(some, places)[list(places)].tolist()
    dark = line < paper - DEPTH * (paper - ink)
    for strokes in (_runs(_shares(dark, 0) >= SIDE), _ticks(dark)):
        sides = _joined(strokes, DOUBLE * rows)
        pitch = _pitch_of(strokes, sides, rows)
        if pitch is None:
            continue
        boxes = _boxes_of(dark, strokes, sides)
        written = dark & ~boxes
        at = np.flatnonzero(written.any(axis=1))
        if _is_one_row(at, rows) and _stand_free(written, strokes) and _reach_beyond(dark, strokes, at):
            clean = np.where(boxes, np.uint8(paper), line)
            return _close_up(clean, written, sides, pitch)
    return line


def _ticks(dark: Flags) -> Runs:
    """Return the strokes that stand on the lowest rule, or on the lower edge."""
    foot = _foot(dark)
    return _runs(np.asarray(dark[foot - round(TICK * len(dark)) : foot].all(axis=0)))


def _foot(dark: Flags) -> int:
    """Return where the lowest rule begins, or where the image ends."""
    rows = len(dark)
    return max((start for start, _ in _runs(_shares(dark, 1) >= EDGE) if start > rows / 2), default=rows)


def _joined(strokes: Runs, gap: float) -> Runs:
    """Return the strokes with those that are no further apart than a gap, px, as one."""
    joined: Runs = []
    for start, end in strokes:
        if joined and start - joined[-1][1] <= gap:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined


def _pitch_of(strokes: Runs, sides: Runs, rows: int) -> float | None:
    """Return how far apart the sides stand; None: their strokes are thick, or they stand unevenly."""
    if len(sides) < FEWEST or max(end - start for start, end in strokes) > max(2.0, THICKEST * rows):
        return None
    apart = np.diff([(start + end) / 2 for start, end in sides])
    pitch = float(np.median(apart))
    is_even = np.abs(apart / pitch - 1) <= UNEVEN
    return pitch if PITCH[0] * rows <= pitch <= PITCH[1] * rows and is_even.all() else None


def _boxes_of(dark: Flags, strokes: Runs, sides: Runs) -> Flags:
    """Return where the boxes are, (h, w), with a px around."""
    boxes = np.zeros(dark.shape, np.uint8)
    for start, end in strokes:
        boxes[:, start:end] = 1
    for start, end in _runs(dark[:, sides[0][0] : sides[-1][1]].mean(axis=1) >= EDGE):
        boxes[start:end] = 1
    return np.asarray(cv2.dilate(boxes, np.ones((3, 3), np.uint8)) > 0)


def _is_one_row(written: NDArray[np.intp], rows: int) -> bool:
    """Tell whether the rows that are written on are enough for a line, and not those of several."""
    if not len(written) or written[-1] - written[0] < LEAST_INK * rows:
        return False
    return bool(np.diff(written).max() <= MOST_GAP * (written[-1] - written[0]))


def _stand_free(written: Flags, strokes: Runs) -> bool:
    """Tell whether nothing that is written touches the strokes, one of them apart."""
    columns = np.concatenate([[False] * REACH, written.any(axis=0), [False] * REACH])
    touched = [bool(columns[start : end + 2 * REACH].any()) for start, end in strokes]
    return int(sum(touched)) <= 1


def _reach_beyond(dark: Flags, strokes: Runs, written: NDArray[np.intp]) -> bool:
    """Tell whether strokes end further down than the rows that are written on."""
    foot = _foot(dark)
    ends = [int(np.flatnonzero(dark[:foot, start:end].any(axis=1))[-1]) for start, end in strokes]
    return min(ends) - int(written[-1]) >= BEYOND * len(dark)


def _close_up(line: Gray, written: Flags, sides: Runs, pitch: float) -> Gray:
    """Return the rows that are written on, with less room between characters: as much from each, as places count."""
    rows = np.flatnonzero(written.any(axis=1))
    height = int(rows[-1] - rows[0]) + 1
    at = np.flatnonzero(written.any(axis=0))
    cells = [at[(at >= a[1]) & (at < b[0])] for a, b in pairwise(sides)]
    wide = float(np.median([cell[-1] - cell[0] + 1 for cell in cells if len(cell)] or [0]))
    gap = GAP * height
    spare = pitch - max(wide, NARROW * height) - gap
    keep = np.ones(line.shape[1], np.bool_)
    for middle in [(start + end) / 2 for start, end in sides] if spare > 0 else []:
        before, after = at[at < middle], at[at > middle]
        first = max(middle - spare / 2, before[-1] + 1 + gap / 2 if len(before) else 0)
        last = min(middle + spare / 2, after[0] - gap / 2 if len(after) else len(keep))
        keep[round(first) : round(max(first, last))] = False
    room = round(ROUND * height)
    return np.ascontiguousarray(line[max(0, rows[0] - room) : rows[-1] + 1 + room, keep])


def _shares(dark: Flags, axis: int) -> NDArray[np.float64]:
    """Return which share of each column (axis 0) or row (1) is dark; OpenCV sums quicker than numpy does."""
    sums = cv2.reduce(dark.view(np.uint8), axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
    return np.asarray(sums.ravel() / dark.shape[axis], np.float64)


def _runs(flags: Flags) -> Runs:
    """Return from where to where flags are set, (N,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8))).tolist()
    return list(pairwise(edges))[::2]
