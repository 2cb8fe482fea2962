"""A second look at a page: what the detector left out, joined to the lines it found or taken as lines in doubt."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.components import Boxes
from worker.ocr.ink.copies import Copies
from worker.ocr.lines.learned import beside_gutters, growing, gutters, lone, marks, rows, sizes, whole
from worker.ocr.lines.learned.doubles import without_borrowers, without_doubles, without_wrappers
from worker.ocr.lines.learned.joining import WORD_GAP, join_words
from worker.ocr.lines.learned.scales import MOST_LARGER_PIXELS
from worker.ocr.lines.text_line import TextLine, distance, hulls_of

DOTS_SHOW = 13.0  # px, the usual height of the characters; dots of lower ones are 2 px and less
MARK = 0.4  # of the height of a line: its last piece is a comma or a full stop if it is no higher ...
MARK_GAP = 0.9  # ... and the next word may begin so far behind it: the Chinese ones leave most of their square empty
SIGN_SIZE = (0.9, 0.6)  # of the height of the line beside it: how wide and high a sign is at most


def look_again(lines: Sequence[TextLine], page: Copies, scale: float) -> list[TextLine]:
    """Return the lines grown to the ink at their ends, none twice, and characters that stand alone; columns parted.

    Args:
        lines: Of the page.
        page: Whose lines they are.
        scale: How many times as large the copy is that was searched.
    """
    scale = _scale_for_dots(lines, page, scale)
    ink, pieces = page.ink(scale), page.pieces(scale)
    mask = np.asarray(cv2.bitwise_or(ink.dark, ink.light), np.uint8)
    found = whole.stack_strokes(without_doubles(_scaled(lines, scale)), pieces.boxes)
    found = whole.mend_torn(found, pieces)
    found, signs = _without_signs(found)
    found = growing.grow(found, pieces.boxes, mask, page.are_dark(scale))
    found = without_borrowers(without_doubles(_join([*found, *signs], pieces.boxes)), pieces.boxes)
    found = beside_gutters.part_rows(gutters.part_columns(found, pieces.boxes), pieces.boxes)
    found = sizes.part_sizes(rows.join_rows(found, mask), pieces.boxes)
    alone = without_wrappers(lone.find_lone(found, pieces, mask.shape), found)
    alone = marks.add_marks(whole.stack_strokes([*found, *alone], pieces.boxes), pieces.boxes)
    return _scaled(alone, 1 / scale)


def _scale_for_dots(lines: Sequence[TextLine], page: Copies, scale: float) -> float:
    """Return the scale at which the dots of small print are more than specks: twice as large where the page is not."""
    is_small = lines and float(np.median([line.height for line in lines])) * scale < DOTS_SHOW
    return 2 * scale if is_small and 4 * scale**2 * page.gray.size <= MOST_LARGER_PIXELS else scale


def _scaled(lines: Sequence[TextLine], scale: float) -> list[TextLine]:
    return [TextLine(line.polygon * np.float32(scale), line.height * scale, line.in_doubt) for line in lines]


def _without_signs(lines: Sequence[TextLine]) -> tuple[list[TextLine], list[TextLine]]:
    """Return the lines, and those that are a sign beside another: a quote parts a line, which may grow over it."""
    if not lines:
        return [], []
    hulls = hulls_of(lines)
    tall = np.array([distance(line.polygon[0], line.polygon[3]) for line in lines])
    wide = hulls[:, 2] - hulls[:, 0]
    middles = hulls[:, [1, 3]].mean(axis=1)
    gap = np.maximum(hulls[:, None, 0] - hulls[None, :, 2], hulls[None, :, 0] - hulls[:, None, 2])
    beside = (gap <= growing.REACH * tall) & (gap >= -SIGN_SIZE[1] * tall)
    beside &= (middles[:, None] > hulls[:, 1]) & (middles[:, None] < hulls[:, 3])
    beside &= (tall[:, None] <= SIGN_SIZE[1] * tall) & (wide[:, None] <= SIGN_SIZE[0] * tall)
    signs = beside.any(axis=1)
    return [lines[i] for i in np.flatnonzero(~signs).tolist()], [lines[i] for i in np.flatnonzero(signs).tolist()]


def _join(lines: Sequence[TextLine], pieces: Boxes) -> list[TextLine]:
    """Return the lines with parts joined that grew together, or that only a comma parts."""
    gaps = np.array([MARK_GAP if _ends_in_mark(line, pieces) else WORD_GAP for line in lines])
    boxes = join_words([line.polygon for line in lines], gaps)
    known = {line.polygon.tobytes(): line for line in lines}
    return [known.get(box.tobytes()) or _made_of(box, lines) for box in boxes]


def _made_of(box: NDArray[np.float32], lines: Sequence[TextLine]) -> TextLine:
    """Return the line that fills a box; it is in doubt if all that it was joined from are."""
    low, high = box.min(0), box.max(0)
    parts = [line for line in lines if (low <= line.polygon.mean(0)).all() and (line.polygon.mean(0) <= high).all()]
    return TextLine(box, distance(box[0], box[3]), all(part.in_doubt for part in parts))


def _ends_in_mark(line: TextLine, pieces: Boxes) -> bool:
    left, top = line.polygon.min(0)
    right, bottom = line.polygon.max(0)
    tall = bottom - top
    near = (pieces[:, 2] <= right + 1) & (pieces[:, 0] > max(left, right - 1.2 * tall))
    near &= (pieces[:, 1] >= top - 1) & (pieces[:, 3] <= bottom + MARK * tall)
    last = pieces[near]
    if not len(last):
        return False
    _, above, _, below = last[last[:, 2].argmax()].tolist()
    return bool(below - above <= MARK * tall and above >= top + 0.5 * tall)
