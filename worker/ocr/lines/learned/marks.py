"""Give lone characters the mark behind them: the 、 of 一、 where that is all that stands in its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from worker.ocr.ink.components import Boxes
from worker.ocr.lines.learned.growing import explained
from worker.ocr.lines.text_line import TextLine

LONE = 1.4  # times as wide as high at most: a line of one character
SIZE = (0.12, 0.5)  # of the line's height: the longer side of a mark
GAP = (-0.1, 0.4)  # of the height: how far behind the character it begins
LOW = 0.5, 1.15  # of the height, from the top: where its middle and its foot are
ROOM = 0.1  # of the height, left free behind it


def add_marks(lines: Sequence[TextLine], pieces: Boxes) -> list[TextLine]:
    """Return the lines, those of one character stretched over a mark, (N, 4) px of ink, that no line holds."""
    sides = pieces[:, 2:] - pieces[:, :2]
    seen = pieces[sides.min(axis=1) > 1]  # no specks
    return [_with_mark(line, seen, lines) if _is_lone(line) else line for line in lines]


def _is_lone(line: TextLine) -> bool:
    left, top, right, bottom = line.hull
    return bool(right - left <= LONE * (bottom - top))


def _with_mark(line: TextLine, pieces: Boxes, lines: Sequence[TextLine]) -> TextLine:
    left, top, right, bottom = (float(side) for side in line.hull)
    height = bottom - top
    x0, y0, x1, y1 = pieces.T
    fits = (x0 >= right + GAP[0] * height) & (x0 <= right + GAP[1] * height) & (y1 <= top + LOW[1] * height)
    fits &= ((y0 + y1) / 2 >= top + LOW[0] * height) & (np.maximum(x1 - x0, y1 - y0) <= SIZE[1] * height)
    fits &= np.maximum(x1 - x0, y1 - y0) >= SIZE[0] * height
    marks = pieces[fits]
    if len(marks) != 1 or explained(marks, [one for one in lines if one is not line]).any():
        return line
    end = float(marks[0, 2]) + ROOM * height
    return replace(line, polygon=TextLine.boxed(np.array([left, top, end, max(bottom, float(marks[0, 3]))])).polygon)
