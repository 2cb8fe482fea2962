from __future__ import annotations

import numpy as np
import pytest

from worker.ocr.lines.learned import beside_gutters
from worker.ocr.lines.text_line import TextLine

Span = tuple[int, int]


def parts_of(*rows: list[list[Span]]) -> int:
    """How many lines are there afterwards? Rows of 20 px, of lines of spans; a piece of ink for every 10 px of them."""
    lines = [
        TextLine.boxed(np.array([line[0][0], 40 * i, line[-1][1], 40 * i + 20]))
        for i, row in enumerate(rows)
        for line in row
    ]
    pieces = [
        [x, 40 * i + 2, x + 8, 40 * i + 18]
        for i, row in enumerate(rows)
        for line in row
        for start, end in line
        for x in range(start, end, 10)
    ]
    return len(beside_gutters.part_rows(lines, np.array(pieces, np.int32)))


ACROSS: list[list[Span]] = [[(0, 300), (320, 600)]]
TWO: list[list[Span]] = [[(0, 300)], [(320, 600)]]


@pytest.mark.parametrize("at", [0, 2, 4])
def test_a_row_is_parted_at_the_gutter_that_the_others_leave_free(at: int) -> None:
    rows = [TWO, TWO, TWO, TWO]
    rows.insert(at, ACROSS)
    assert parts_of(*rows) == 10


def test_rows_across_a_gutter_and_rows_of_two_lines_prove_it_together() -> None:
    assert parts_of(ACROSS, TWO, ACROSS) == 6
    assert parts_of(ACROSS, TWO) == 3


def test_a_word_gap_over_a_gutter_parts_no_title() -> None:
    title: list[list[Span]] = [[(0, 310), (320, 600)]]
    assert parts_of(title, TWO, TWO, TWO) == 7


def test_a_mark_in_the_gutter_hides_no_column() -> None:
    marked: list[list[Span]] = [[(0, 300)], [(304, 314)], [(320, 600)]]
    assert parts_of(ACROSS, marked, marked, marked) == 11


def test_a_page_without_lines_beside_each_other_stays_as_it_is() -> None:
    assert parts_of(ACROSS, ACROSS, ACROSS) == 3
