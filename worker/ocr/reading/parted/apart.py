"""Gaps within lines that part two columns: the rows above and below leave them free, too, with writing on both sides.

Running text has wide gaps as well: where it is justified, behind full stops, and below each other by chance. But what
stands in a column begins as a name or a number does, and running text mostly goes on with a small letter. And lines of
many words are left alone, lines that begin and end with the next, and whole pages where most wide gaps show no column.
"""

from __future__ import annotations

import bisect
import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from models.charset import CJK
from shared.result import Line
from worker.ocr.reading.parted.rows import Rows, White

LETTERS = 1.5  # would stand in a gap that parts columns, at least: one space of a typewriter holds one, two hold two
WIDER = 1.4  # times the usual white between words, that of the line or, where it has few gaps, of the page
FEWEST_GAPS = 2  # other gaps of a line that tell what is usual in it
PROVEN = 0.25  # of the wide gaps of a page lie in columns, at least; those of justified text do by chance
LONG, MOST_LONG = 8, 0.3  # words of running text, and the share of a page's characters in such lines, at the most
JUSTIFIED, AT_MARGIN = 5, 0.3  # words of two lines, and heights: they begin and end so near below each other
NEXT_ROW = 3.0  # heights to the next row, at the most
ALIKE = 0.7  # least ratio of the heights of rows that show a column
SIDE = 6.0  # heights: so far away, at the most, the writing on either side of a gap stands
FREE = 1.2  # letters: what is left of the gap when the rows around it have taken their share
FEWEST = 3  # rows show a column, ...
FEW, ALIGNED = 2, 0.35  # ... and so do so few where the writing behind it begins so near below each other, heights
BEFORE = re.compile(
    r"^\W*(?:\d{1,3}|\w)\W*$|(?:^| )[^\w\s]$"
)  # what numbers a line, or a sign, belongs to the rest ...
BEHIND = re.compile(r"[^\w\s(#$£€¥￥<\[]|X\b")  # ... and such a sign to what stood before


class _Row(NamedTuple):
    """One row. starts, ends: px from left to right, of what stands between its wide gaps; middle, height: px.

    are_cells: whether each of that begins as a name or a number does.
    """

    starts: Sequence[float]
    ends: Sequence[float]
    are_cells: Sequence[bool]
    middle: float
    height: float


def find_apart(lines: Sequence[Line], rows: Rows, whites: Sequence[Sequence[White]]) -> dict[int, set[int]]:
    """Return the spaces of lines, among their characters, that part columns, by the places of the lines."""
    running = sum(len(line.text) for line in lines if _is_long(line))
    if running > MOST_LONG * sum(len(line.text) for line in lines):
        return {}
    usual = _middle([one.letters for own in whites for one in own])
    all_wide = {i: own for i, line in enumerate(lines) if (own := _wide(line, whites[i], usual))}
    wide = {i: own for i, own in all_wide.items() if not _is_text(i, lines, rows)}
    if not wide:
        return {}
    seen = [_row(row, rows, whites, lines) for row in rows.rows]
    found: dict[int, set[int]] = {}
    for at, row in enumerate(rows.rows):
        for one in [one for i in row for one in wide.get(i, ())]:
            begin, end, chain = _follow(at, one, seen)
            for i in [i for k in chain for i in rows.rows[k]]:
                across = {own.space for own in whites[i] if own.begin <= begin and own.end >= end}
                free = {space for space in across if _may_part(lines[i], space)}
                if free and not _is_text(i, lines, rows):
                    found[i] = found.get(i, set()) | free
    wide_count = sum(one.letters >= LETTERS for own in whites for one in own)
    return found if sum(map(len, found.values())) >= PROVEN * wide_count else {}


def _is_long(line: Line) -> bool:
    return line.text.count(" ") >= LONG - 1


def _is_text(i: int, lines: Sequence[Line], rows: Rows) -> bool:
    """Tell whether a line has many words, or the line above or below begins and ends where it does."""
    reach = AT_MARGIN * rows.heights[i]
    near = (np.abs(rows.starts - rows.starts[i]) <= reach) & (np.abs(rows.ends - rows.ends[i]) <= reach)
    near &= np.abs(rows.middles - rows.middles[i]) <= NEXT_ROW * rows.heights[i]
    near[i] = False
    word_counts = [lines[k].text.count(" ") + 1 for k in (i, *np.flatnonzero(near).tolist())]
    return _is_long(lines[i]) or any(word_counts[0] + count >= JUSTIFIED for count in word_counts[1:])


def _wide(line: Line, whites: Sequence[White], usual: float) -> list[White]:
    """Return the whites of a line that are clearly wider than those between its words."""
    widths = [one.letters for one in whites]
    wide = []
    for at, one in enumerate(whites):
        others = widths[:at] + widths[at + 1 :]
        own = _middle(others) if len(others) >= FEWEST_GAPS else usual
        if one.letters >= max(LETTERS, WIDER * own) and _may_part(line, one.space):
            wide.append(one)
    return wide


def _may_part(line: Line, space: int) -> bool:
    before, behind = line.text[:space], line.text[space + 1 :]
    if before[:1].islower() or behind[:1].islower():
        return False
    return not (BEFORE.search(before) or BEHIND.match(behind) or CJK.search(behind))


def _row(row: Sequence[int], rows: Rows, whites: Sequence[Sequence[White]], lines: Sequence[Line]) -> _Row:
    parts = [(float(rows.starts[i]), float(rows.ends[i]), lines[i].text[:1]) for i in row]
    free = [(lines[i].text, one) for i in row for one in whites[i] if one.letters >= FREE]
    parts = sorted([*parts, *((one.end, one.begin, text[one.space + 1]) for text, one in free)])
    starts, ends, firsts = zip(*parts, strict=True)
    are_cells = [not first.islower() for first in firsts]
    return _Row(starts, sorted(ends), are_cells, float(rows.middles[row].mean()), float(rows.heights[row].mean()))


def _follow(at: int, white: White, rows: Sequence[_Row]) -> tuple[float, float, list[int]]:
    """Return what the rows around a row leave free of its white, px, and which of them have writing on both sides.

    Those rows are none where they do not show a column.
    """
    here = rows[at]
    least = FREE * (white.end - white.begin) / white.letters
    begin, end, starts, chain = white.begin, white.end, [white.end], [at]
    for way in (-1, 1):
        last = here.middle
        for k in range(at + way, len(rows) if way > 0 else -1, way):
            left, right, are_cells = _sides(rows[k], (begin + end) / 2)
            free = max(begin, left), min(end, right)
            if abs(rows[k].middle - last) > NEXT_ROW * here.height or free[1] - free[0] < least or not are_cells:
                break
            last = rows[k].middle
            is_alike = min(rows[k].height, here.height) >= ALIKE * max(rows[k].height, here.height)
            if is_alike and begin - left <= SIDE * here.height and right - end <= SIDE * here.height:
                begin, end = free
                starts.append(right)
                chain.append(k)
    aligned = sum(abs(one - white.end) <= ALIGNED * here.height for one in starts)
    return begin, end, chain if len(chain) >= FEWEST or aligned >= FEW else []


def _sides(row: _Row, middle: float) -> tuple[float, float, bool]:
    """Return where what begins before a place ends, and where what follows begins, px, and whether both are cells."""
    count = bisect.bisect_left(row.starts, middle)
    left = row.ends[count - 1] if count else -math.inf
    right = row.starts[count] if count < len(row.starts) else math.inf
    return left, right, all(row.are_cells[max(0, count - 1) : count + 1])


def _middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2] if values else 0.0
