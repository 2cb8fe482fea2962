"""What stands in the columns of a row is a line of its own, also where the finder made one line of it.

The finder makes one line of what stands as near as words do, and on receipts and forms columns often do. A line is
parted only where its page shows the column; the parts follow each other, and nothing else moves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.charset import CJK
from shared.result import Line
from worker.ocr.ink.ink import Gray
from worker.ocr.reading.parted.aligned import find_aligned
from worker.ocr.reading.parted.amounts import find_amounts
from worker.ocr.reading.parted.apart import find_apart
from worker.ocr.reading.parted.gaps import Gap, gaps_of
from worker.ocr.reading.parted.parting import part_at
from worker.ocr.reading.parted.rows import rows_of, whites_of

LEAST_GAP = 0.4  # heights of white at which a line is parted


def part_cells(lines: Sequence[Line], images: Sequence[Gray]) -> list[Line]:
    """Return the lines of a page in the same order, those parted that hold several columns of a row.

    Args:
        lines: In reading order.
        images: Of them, (h, w) uint8 each, with the usual margin.
    """
    if not any(" " in line.text for line in lines):
        return list(lines)
    rows = rows_of(lines)
    whites = [whites_of(line, rows.starts[i], rows.ends[i]) for i, line in enumerate(lines)]
    amounts = find_amounts(lines, images)
    spaces = find_apart(lines, rows, whites)
    for i, own in find_aligned(lines, rows, whites, amounts.keys()).items():
        spaces[i] = spaces.get(i, set()) | own
    gaps = {i: {gap.space: gap for gap in _gaps_at(own, lines[i], images[i])} for i, own in spaces.items()}
    for i, amount in amounts.items():
        if amount:
            gaps.setdefault(i, {})[amount.space] = amount
    return [part for i, line in enumerate(lines) for part in _part(line, gaps.get(i, {}))]


def _gaps_at(spaces: set[int], line: Line, image: Gray) -> list[Gap]:
    """Return the white of a line's image at some of its spaces, where it is wide enough and no Chinese follows."""
    gaps = [gap for gap in gaps_of(line, image) if gap.space in spaces and gap.heights >= LEAST_GAP]
    return [gap for gap in gaps if not CJK.search(line.text[gap.space :])]


def _part(line: Line, gaps: Mapping[int, Gap]) -> list[Line]:
    return part_at(line, gaps.values()) if gaps else [line]
