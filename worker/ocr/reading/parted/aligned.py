"""Spaces of a receipt at which columns meet although they are no wider than others: numbers and letters in columns.

What stands there must look the same and begin at the same place in several rows near each other. A quantity begins its
line, so numbered sentences would look the same: most of a column of them must stand in the rows of amounts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from shared.result import Line
from worker.ocr.reading.parted.rows import Rows, White

KINDS = tuple(
    re.compile(kind)
    for kind in (
        r"\d[.,]\d\d(?P<space> )(?:[A-Z]{1,2}|\d)$",  # an amount, and the letters of its tax
        r"\d{6,}(?P<space> )[A-Z0-9]{1,2}$",  # the same behind a code
        r"[^\W\d]\S*(?P<space> )(?P<code>\d{6,})(?:$| )",  # goods, and their code
    )
)
QUANTITY = re.compile(r"^\d{1,2} ?[xX:]?(?P<space> )(?![xX@] )(?=\S*[^\W\d]{2})")  # a quantity, and goods
ALIGNED = 0.35  # of a height: so near below each other what stands behind the spaces begins
NEAR = 8.0  # heights to the next row of a column, at the most
FEWEST, FEWEST_QUANTITIES = 4, 3  # rows that show a column
MOSTLY = 0.6  # of the rows of a column of quantities have an amount


@dataclass(frozen=True)
class _Place:
    """A space between two columns. line, space: where it is; begin: px, of what stands behind it; shape: of that."""

    line: int
    space: int
    begin: float
    middle: float
    height: float
    shape: tuple[int, int]


def find_aligned(
    lines: Sequence[Line], rows: Rows, whites: Sequence[Sequence[White]], amounts: Set[int]
) -> dict[int, set[int]]:
    """Return the spaces of lines, among their characters, at which columns meet, by the places of the lines.

    Args:
        lines: Of a page.
        rows: They stand in.
        whites: Of each line.
        amounts: The places of the lines that end in an amount of a column.
    """
    found: dict[int, set[int]] = {}
    with_amount = {i for row in rows.rows if amounts and not amounts.isdisjoint(row) for i in row}
    matches = [_matches(line, is_receipt=bool(amounts)) for line in lines]
    places = [
        _Place(i, space, white.end, float(rows.middles[i]), float(rows.heights[i]), shape)
        for i, own in enumerate(matches)
        for space, shape in own
        for white in whites[i]
        if white.space == space
    ]
    for column in _columns(places):
        is_quantity = column[0].shape[0] == len(KINDS)
        fewest = FEWEST_QUANTITIES if is_quantity else FEWEST
        has_amounts = sum(one.line in with_amount for one in column) >= MOSTLY * len(column)
        if len(column) >= fewest and (has_amounts or not is_quantity):
            for one in column:
                found.setdefault(one.line, set()).add(one.space)
    return found


def _matches(line: Line, *, is_receipt: bool) -> list[tuple[int, tuple[int, int]]]:
    """Return the spaces of a line at which columns may meet, each with what it looks like there."""
    matches = []
    for kind, pattern in enumerate((*KINDS, QUANTITY) if is_receipt else KINDS):
        for match in pattern.finditer(line.text):
            length = len(match["code"]) if "code" in pattern.groupindex else 0
            matches.append((match.start("space"), (kind, length)))
    return matches


def _columns(places: Iterable[_Place]) -> list[list[_Place]]:
    """Return the places that stand below each other, from top to bottom."""
    columns: list[list[_Place]] = []
    for place in sorted(places, key=lambda one: one.middle):
        above = next((one for one in reversed(columns) if _is_below(place, one[-1])), None)
        if above is None:
            columns.append([place])
        else:
            above.append(place)
    return columns


def _is_below(place: _Place, other: _Place) -> bool:
    height = min(place.height, other.height)
    is_near = abs(place.begin - other.begin) <= ALIGNED * height and place.middle - other.middle <= NEAR * height
    return is_near and place.shape == other.shape and place.line != other.line
