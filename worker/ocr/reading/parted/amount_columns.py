"""Columns of amounts: they end below each other, and stand clearly apart from other writing or alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.ocr.reading.parted.gaps import Gap

ALIGNED = 0.4  # of a line's height: so near below each other the amounts of a column end
NEAR = 12.0  # heights from an amount to the next one of its column, at the most
FEWEST = 3  # amounts that stand clearly apart or alone make a column ...
CLEAR, CLEAR_GAP = 1.5, 0.8  # ... that is behind so many usual gaps, and so many heights, ...
MOSTLY = 0.6  # ... and so are so many of all its amounts, ...
OTHERS = 0.5  # ... where so many other lines for each amount, at the most, ...
BESIDE = 1.0  # ... end so near to where it ends, heights: lines of justified text do


@dataclass(frozen=True)
class Amount:
    """An amount at the end of a line.

    line: its place among the lines. end: where its digits end, (2,) px along and across the lines of the page.
    height: px, of the line. gap: before it; None: the line is the amount alone.
    """

    line: int
    end: NDArray[np.float64]
    height: float
    gap: Gap | None

    @property
    def is_clear(self) -> bool:
        """Whether it stands apart beyond doubt."""
        return self.gap is None or self.gap.is_wide(CLEAR, CLEAR_GAP)


def find_columns(amounts: Iterable[Amount], ends: NDArray[np.float64]) -> list[list[Amount]]:
    """Return the columns of a page from top to bottom.

    Args:
        amounts: Of the page.
        ends: Where all its lines end, (N, 2) px along and across the lines.
    """
    columns: list[list[Amount]] = []
    for amount in sorted(amounts, key=lambda one: float(one.end[1])):
        above = min(
            (one for one in columns if _is_below(amount, one[-1])),
            key=lambda one: _shift(amount, one[-1]),
            default=None,
        )
        if above is None:
            columns.append([amount])
        else:
            above.append(amount)
    return [column for column in columns if _is_column(column, ends)]


def _shift(amount: Amount, other: Amount) -> float:
    return abs(float(amount.end[0] - other.end[0]))


def _is_below(amount: Amount, other: Amount) -> bool:
    """Tell whether an amount ends below another one, and not far."""
    height = min(amount.height, other.height)
    return _shift(amount, other) <= ALIGNED * height and float(amount.end[1] - other.end[1]) <= NEAR * height


def _is_column(amounts: Sequence[Amount], ends: NDArray[np.float64]) -> bool:
    """Tell whether amounts below each other are a column, and no ends of running text."""
    if sum(one.is_clear for one in amounts) < max(FEWEST, MOSTLY * len(amounts)):
        return False
    rights, middles = np.array([one.end for one in amounts]).T
    height = float(np.median([one.height for one in amounts]))
    others = np.delete(ends, [one.line for one in amounts], axis=0)
    beside = others[(others[:, 1] >= middles[0] - height) & (others[:, 1] <= middles[-1] + height)]
    near = np.abs(beside[:, 0] - np.interp(beside[:, 1], middles, rights)) <= BESIDE * height
    return bool(near.sum() <= OTHERS * len(amounts))
