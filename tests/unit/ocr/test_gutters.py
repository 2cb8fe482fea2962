from __future__ import annotations

import numpy as np
import pytest

from worker.ocr.lines import reading_order
from worker.ocr.lines.learned import gutters
from worker.ocr.lines.text_line import TextLine


def row(top: int, *spans: tuple[int, int]) -> tuple[TextLine, list[list[int]]]:
    """A line of 20 px over all spans, and a piece of ink for every 10 px of them."""
    left, right, bottom = spans[0][0], spans[-1][1], top + 20
    polygon = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    return TextLine(polygon, 20.0), [[x, top + 2, x + 8, top + 18] for a, b in spans for x in range(a, b, 10)]


def parted(*rows: tuple[TextLine, list[list[int]]]) -> int:
    pieces = np.array([piece for _, own in rows for piece in own], np.int32)
    return len(gutters.part_columns([line for line, _ in rows], pieces))


@pytest.mark.parametrize(("count", "parts"), [(5, 10), (4, 8), (2, 2), (1, 1)])
def test_lines_are_parted_where_several_leave_the_same_place_free(count: int, parts: int) -> None:
    assert parted(*(row(40 * i, (0, 300), (312, 600)) for i in range(count))) == parts


def test_sentences_that_end_below_each_other_part_nothing() -> None:
    rows = [row(40 * i, (0, 300), (316, 600)) for i in range(4)]
    with_marks = [(line, [*pieces, [299, 40 * i + 14, 302, 40 * i + 17]]) for i, (line, pieces) in enumerate(rows)]
    assert parted(*with_marks) == 4
    assert parted(*with_marks[:3], rows[3]) == 8  # one line without a mark: a gutter after all


def test_sentences_that_begin_with_the_mark_of_the_one_before_part_nothing() -> None:
    """In some faces the Chinese comma stands in the middle of its square: the gap lies before it."""
    rows = [row(40 * i, (0, 300), (322, 600)) for i in range(4)]
    with_marks = [(line, [*pieces, [314, 40 * i + 13, 317, 40 * i + 19]]) for i, (line, pieces) in enumerate(rows)]
    assert parted(*with_marks) == 4
    assert parted(*with_marks[:3], rows[3]) == 8


def test_word_gaps_at_different_places_part_nothing() -> None:
    assert parted(*(row(40 * i, (0, 200 + 40 * i), (212 + 40 * i, 600)) for i in range(5))) == 5


def test_two_columns_of_two_long_lines_are_read_one_after_the_other() -> None:
    boxes = np.array([[0, 0, 350, 20], [600, 0, 900, 20], [0, 40, 100, 60], [600, 40, 880, 60]], np.float32)
    assert reading_order.order_boxes(boxes) == [0, 2, 1, 3]


def test_an_upright_rule_parts_a_row_by_itself() -> None:
    rows = [row(40 * i, (0, 300), (320, 600)) for i in range(2)]
    assert parted(*rows) == 2
    rule = [308, 0, 310, 60]
    assert parted(*((line, [*pieces, rule]) for line, pieces in rows)) == 4
    assert parted(*((line, [*pieces, [308, 40 * i, 310, 40 * i + 20]]) for i, (line, pieces) in enumerate(rows))) == 2


def test_lines_that_hold_several_columns_are_parted_at_all_gutters() -> None:
    assert parted(*(row(40 * i, (0, 200), (216, 400), (416, 600)) for i in range(4))) == 12
    assert parted(*(row(40 * i, (0, 200), (220, 400), (420, 600), (620, 800)) for i in range(4))) == 16


def test_even_word_gaps_are_no_gutters() -> None:
    words = [(60 * i, 60 * i + 44) for i in range(10)]
    assert parted(*(row(40 * i, *words) for i in range(4))) == 4
