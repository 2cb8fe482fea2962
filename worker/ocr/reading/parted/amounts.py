"""Amounts of a column are lines of their own, also where the finder joined them with the words before them.

The finder makes one line of what stands as near as the words of a typewriter, and on receipts labels and amounts often
do. A line is parted only where the page shows a column of amounts; then its amount follows what stood before it, and
nothing else moves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from shared.result import Line
from worker.ocr.ink.ink import Gray
from worker.ocr.reading.parted.amount_columns import FEWEST, Amount, find_columns
from worker.ocr.reading.parted.gaps import Gap, gaps_of, size_of

CURRENCY = r"(?:R[MNn]|Rp|Rs\.?|kr\.?|USD|EUR|GBP|MYR|SGD|HKD|CNY|CHF|[A-Z]{0,2}[$£€¥￥])"
CENTS = r"\d{1,3}(?:[,.]?\d{3})*(?:[.,]|\. )\d\d"
WHOLE = r"(?<=[$£€¥￥])\d{1,3}(?:,?\d{3})*"
TAX = r"[-)*]{0,2}(?: ?(?!AM|PM)(?:[A-Z]{1,3}|[a-z]|\([A-Z]\)))?"  # a minus behind it, and the letters of its tax
START = r"(?:^(?:\S )?|(?<= )(?<!\d[.,] ))"  # the only sign before it may be its currency, and a comma its own
AMOUNT = re.compile(rf"{START}(?P<number>[-+(]{{0,2}}(?:{CURRENCY} ?)?[-+]?(?:{CENTS}|{WHOLE})){TAX}$")
WIDER, LEAST_GAP = 1.3, 0.6  # usual gaps, and heights, before an amount of a column that is parted from its line
FEWEST_GAPS = 2  # other gaps of a line that tell what is usual in it; of one with fewer the page tells, ...
SAMPLE = 8  # ... its lines of the most words

Matches = Mapping[int, "re.Match[str]"]
"""The amounts at the ends of lines, by the places of the lines."""


def find_amounts(lines: Sequence[Line], images: Sequence[Gray]) -> dict[int, Gap | None]:
    """Return the amounts of columns, by the places of their lines: the gap at which each is parted.

    Args:
        lines: In reading order.
        images: Of them, (h, w) uint8 each, with the usual margin.

    Returns:
        None for an amount that is alone in its line, or no further from the words before it than these from each other.
    """
    found = {i: match for i, line in enumerate(lines) for match in [find_amount(line)] if match}
    if len(found) < FEWEST:
        return {}
    gaps, ends = _gaps_before(found, lines, images), _ends(lines)
    amounts = [_place(i, match, lines[i], gaps.get(i), ends) for i, match in found.items()]
    columns = find_columns([one for one in amounts if one.gap or not found[one.line].start()], ends)
    in_columns = [one for column in columns for one in column]
    return {one.line: one.gap if one.gap and one.gap.is_wide(WIDER, LEAST_GAP) else None for one in in_columns}


def find_amount(line: Line) -> re.Match[str] | None:
    """Return the amount that a line ends in; its `number` is without the signs behind it."""
    return AMOUNT.search(line.text) if len(line.text) == len(line.characters) else None


def _gaps_before(found: Matches, lines: Sequence[Line], images: Sequence[Gray]) -> dict[int, Gap]:
    """Return the gaps before the amounts that are not alone, by the places of their lines."""
    most = sorted(range(len(lines)), key=lambda i: -lines[i].text.count(" "))[:SAMPLE]
    behind = {i: match.start() - 1 for i, match in found.items() if match.start()}
    gaps = {i: gaps_of(lines[i], images[i]) for i in {*behind, *most}}
    others = {i: [gap.heights for gap in own if gap.space != behind.get(i)] for i, own in gaps.items()}
    of_page = _usual([width for own in others.values() for width in own])
    return {
        i: replace(gap, usual=_usual(others[i]) if len(others[i]) >= FEWEST_GAPS else of_page)
        for i, space in behind.items()
        for gap in gaps[i]
        if gap.space == space
    }


def _usual(widths: Sequence[float]) -> float:
    return float(np.median(widths)) if widths else 0.0


def _place(i: int, match: re.Match[str], line: Line, gap: Gap | None, ends: NDArray[np.float64]) -> Amount:
    """Return an amount with the place where its digits end."""
    digits = line.characters[match.start("number") : match.end("number")]
    behind = 0.0
    if match.end("number") < len(line.text):
        behind = 1.0 - digits[-1].start - float(np.median([one.end - one.start for one in digits]))
    width, height = size_of(line)
    return Amount(i, ends[i] - (behind * width, 0.0), height, gap)


def _ends(lines: Sequence[Line]) -> NDArray[np.float64]:
    """Return where lines end, (N, 2) px along and across the writing of the page."""
    corners = np.array([line.polygon for line in lines])
    along = (corners[:, 1] - corners[:, 0]).sum(0)
    along /= max(float(np.hypot(*along)), 1e-6)
    return np.asarray((corners[:, 1] + corners[:, 2]) / 2 @ np.array([along, (-along[1], along[0])]).T, np.float64)
