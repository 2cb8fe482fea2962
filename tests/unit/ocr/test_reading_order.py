from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from worker.ocr.lines.reading_order import order_boxes


def column(left: int, right: int, top: int, count: int, step: int = 30) -> list[tuple[int, int, int, int]]:
    return [(left, top + i * step, right, top + i * step + 20) for i in range(count)]


def order(boxes: list[tuple[int, int, int, int]]) -> list[int]:
    return order_boxes(np.array(boxes, np.float32))


def test_no_lines_have_no_order() -> None:
    assert order_boxes(np.zeros((0, 4), np.float32)) == []


def test_columns_come_left_to_right_under_their_title() -> None:
    boxes = [*column(320, 600, 100, 5), *column(10, 290, 100, 5), (100, 20, 500, 60)]
    assert order(boxes) == [10, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4]


def test_the_halves_of_rows_far_below_each_other_are_a_form_and_are_read_row_by_row() -> None:
    halves = [*column(10, 290, 100, 5, step=48), *column(320, 600, 100, 5, step=48)]
    assert order(halves) == list(range(10))  # text from side to side, with much space between its lines
    widths = (200, 280, 180, 240, 190, 220, 200, 210, 270, 205)
    fields = [(left, top, left + wide, bottom) for (left, top, _, bottom), wide in zip(halves, widths, strict=True)]
    assert order(fields) == [0, 5, 1, 6, 2, 7, 3, 8, 4, 9]


def test_three_columns_come_left_to_right() -> None:
    boxes = [*column(420, 600, 0, 4), *column(10, 190, 5, 4), *column(215, 395, 0, 4)]
    assert order(boxes) == [4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3]


def test_narrow_columns_are_a_table_and_are_read_row_by_row() -> None:
    boxes = [*column(10, 80, 0, 4), *column(300, 350, 2, 4)]
    assert order(boxes) == [0, 4, 1, 5, 2, 6, 3, 7]


def test_a_line_that_reaches_into_the_gutter_closes_it_only_with_what_reaches_towards_it() -> None:
    boxes = [*column(10, 290, 0, 5), *column(306, 600, 0, 5)]
    boxes[2], boxes[7] = (10, 60, 296, 80), (300, 60, 600, 80)
    assert order(boxes) == list(range(10))
    boxes[2] = (10, 60, 298, 80)
    assert order(boxes) != list(range(10))


def test_narrow_columns_whose_lines_are_all_as_wide_are_text() -> None:
    boxes = [*column(10, 150, 0, 6), *column(180, 320, 0, 6), *column(350, 490, 0, 5), (350, 150, 400, 170)]
    assert order(boxes) == list(range(18))


def test_narrow_columns_of_few_or_distant_or_unequal_lines_are_a_table() -> None:
    rows = [i + 6 * side for i in range(6) for side in range(2)]
    assert order([*column(10, 150, 0, 6, step=45), *column(180, 320, 0, 6, step=45)]) == rows
    assert order([*column(10, 150, 0, 6), *column(230, 370, 0, 6)]) == rows
    assert order([*column(10, 150, 0, 6), *column(180, 250, 0, 6)]) == rows
    assert order([*column(10, 150, 0, 4), *column(180, 320, 0, 4)]) == [0, 4, 1, 5, 2, 6, 3, 7]


def test_a_table_within_a_column_stays_within_it() -> None:
    left = column(10, 290, 0, 12)
    table = [
        box for row in range(4) for box in ((320, 30 * row, 370, 30 * row + 20), (500, 30 * row, 540, 30 * row + 20))
    ]
    below = column(320, 600, 120, 8)
    assert order([*left, *table, *below]) == list(range(28))


def test_text_over_the_full_width_parts_two_sets_of_columns() -> None:
    upper = [*column(10, 290, 0, 4), *column(320, 600, 0, 4)]
    lower = [*column(10, 290, 200, 4), *column(320, 600, 200, 4)]
    assert order([*upper, (10, 140, 600, 160), *lower]) == list(range(17))


def test_boxes_of_one_row_come_left_to_right_though_their_heights_differ() -> None:
    assert order([(200, 8, 260, 24), (10, 10, 100, 30), (120, 12, 180, 32)]) == [1, 2, 0]


def test_a_thousand_lines_need_no_deep_recursion() -> None:
    assert order(column(0, 500, 0, 1000)) == list(range(1000))


box = st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(1, 200), st.integers(1, 50))


@given(st.lists(box, max_size=25))
def test_every_line_comes_once(parts: list[tuple[int, int, int, int]]) -> None:
    boxes = [(x, y, x + w, y + h) for x, y, w, h in parts]
    assert sorted(order_boxes(np.array(boxes, np.float32).reshape(-1, 4))) == list(range(len(boxes)))
