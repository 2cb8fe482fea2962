"""What the lines of a page leave out: rows of ink that look like letters and lie in no line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.components import NO_BOXES, Pieces, usual_height
from worker.ocr.ink.copies import Copies
from worker.ocr.lines.classical import fragments, linking
from worker.ocr.lines.dashes import are_dashes
from worker.ocr.lines.learned.growing import explained
from worker.ocr.lines.text_line import TextLine

SIZE = (0.5, 2.0)  # of the usual line's height: pieces so large may be letters
LEAST_SIZE = 5  # px
LEAST_WIDTH, MOST_WIDTH = 0.15, 4.0  # of the usual height
SOLID = 0.85  # share of ink in a piece's box; more is a bar
FEWEST_IN_ROW = 3  # pieces; fewer are specks
FEWEST_IN_COLUMN = 5  # the same for letters that lie on their side


@dataclass(frozen=True)
class Unread:
    """What was not read. share: of the ink that looks like letters, 0..1; places: (4, 2) px of the page each."""

    share: float
    places: tuple[NDArray[Any], ...]


def find_unread(page: Copies, lines: Sequence[TextLine]) -> Unread:
    """Return what looks like rows of letters, or columns of letters on their side, and lies in none of the lines.

    Where nothing was read, letters are as high as the pieces that make up most of the page.
    """
    scale = page.usual_scale
    pieces = page.pieces(scale)
    scaled = [TextLine(line.polygon * np.float32(scale), line.height * scale) for line in lines]
    usual = float(np.median([line.height for line in scaled])) if lines else usual_height(pieces)
    are_hollow = pieces.areas < SOLID * pieces.heights * pieces.widths
    may_stand, may_lie = (
        are_hollow & _may_be_letters(tall, wide, usual)
        for tall, wide in ((pieces.heights, pieces.widths), (pieces.widths, pieces.heights))
    )
    ink = max(1, int(pieces.areas[may_stand].sum()))
    either = np.flatnonzero(may_stand | may_lie)
    free = either[~explained(pieces.boxes[either], scaled)]
    shape = page.image(scale).shape
    rows = _groups(pieces.select(free[may_stand[free]]), shape, FEWEST_IN_ROW)
    lying = pieces.select(free[may_lie[free]])
    turned = Pieces(np.ascontiguousarray(lying.boxes[:, [1, 0, 3, 2]]), lying.areas)
    columns = _groups(turned, shape[::-1], FEWEST_IN_COLUMN)
    share = sum(int(group.areas.sum()) for group in (*rows, *columns)) / ink
    hulls = [fragments.hull_of(group.boxes) for group in rows]
    hulls += [fragments.hull_of(group.boxes)[[1, 0, 3, 2]] for group in columns]
    return Unread(min(1.0, share), tuple(TextLine.boxed(hull).polygon / scale for hull in hulls))


def _may_be_letters(heights: NDArray[np.int32], widths: NDArray[np.int32], usual: float) -> NDArray[np.bool_]:
    tall = (heights >= max(LEAST_SIZE, SIZE[0] * usual)) & (heights <= SIZE[1] * usual)
    return np.asarray(tall & (widths >= LEAST_WIDTH * usual) & (widths <= MOST_WIDTH * usual), np.bool_)


def _groups(free: Pieces, shape: tuple[int, ...], fewest: int) -> list[Pieces]:
    """Return the rows of at least so many letters."""
    if len(free) < fewest:
        return []
    groups = linking.members(fragments.link_pieces(free, (shape[0], shape[1]), NO_BOXES))
    rows = [free.select(group) for group in groups if len(group) >= fewest]
    return [row for row in rows if not are_dashes(row.boxes)]
