from __future__ import annotations

import numpy as np

from worker.ocr.lines.learned.doubles import without_borrowers, without_doubles, without_wrappers
from worker.ocr.lines.text_line import TextLine


def line(left: float, top: float, right: float, bottom: float) -> TextLine:
    polygon = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    return TextLine(polygon, bottom - top)


LETTERS = np.array([[x, 4, x + 16, 20] for x in range(0, 100, 20)], np.int32)
WORD = line(0, 0, 100, 24)


def kept(found: list[TextLine], lines: list[TextLine]) -> list[int]:
    return [next(i for i, one in enumerate(lines) if one is line) for line in found]


def test_what_lies_within_a_larger_line_is_found_twice() -> None:
    lines = [line(10, 2, 60, 22), WORD]
    assert kept(without_doubles(lines), lines) == [1]


def test_a_line_whose_ink_is_all_of_another_is_found_twice_though_it_reaches_further() -> None:
    lines = [WORD, line(58, -4, 150, 30)]  # over the last two letters, and further over nothing
    assert kept(without_doubles(lines), lines) == [0, 1]
    assert kept(without_borrowers(lines, LETTERS), lines) == [0]
    assert kept(without_borrowers(lines[::-1], LETTERS), lines) == [0]


def test_a_line_with_ink_of_its_own_or_with_none_at_all_stays() -> None:
    lines = [WORD, line(58, -4, 120, 30)]
    more = np.array([*LETTERS, [104, 4, 118, 20]], np.int32)
    assert kept(without_borrowers(lines, more), lines) == [0, 1]
    faint = [line(0, 0, 95, 24), line(75, 0, 140, 24)]
    assert kept(without_borrowers(faint, LETTERS[:4]), faint) == [0, 1]


def test_what_is_found_later_reaches_across_no_line() -> None:
    later = [line(-40, 2, 140, 22), line(-40, 2, -20, 22), line(90, 0, 190, 24)]
    assert kept(without_wrappers(later, [WORD]), later) == [1, 2]
