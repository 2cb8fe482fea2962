from __future__ import annotations

import numpy as np

from worker.ocr.ink.components import Pieces
from worker.ocr.lines.learned.whole import mend_torn, stack_strokes
from worker.ocr.lines.text_line import TextLine


def line(left: float, top: float, right: float, bottom: float, *, in_doubt: bool = False) -> TextLine:
    corners = [[left, top], [right, top], [right, bottom], [left, bottom]]
    return TextLine(np.array(corners, np.float32), bottom - top, in_doubt)


def hulls(lines: list[TextLine]) -> list[list[int]]:
    return sorted([*one.polygon.min(0).round().astype(int), *one.polygon.max(0).round().astype(int)] for one in lines)


def boxes(*pieces: tuple[int, int, int, int]) -> np.ndarray:
    return np.array(pieces, np.int32)


def test_the_strokes_of_a_hanzi_that_were_found_as_two_lines_are_one() -> None:
    strokes = boxes((103, 104, 117, 106), (100, 116, 120, 118))  # 二
    found = stack_strokes([line(102, 95, 118, 115), line(100, 107, 121, 127, in_doubt=True)], strokes)
    assert hulls(found) == [[100, 102, 120, 120]]
    assert not found[0].in_doubt


def test_a_wide_line_that_holds_two_of_three_strokes_takes_the_third() -> None:
    strokes = boxes((102, 100, 126, 104), (104, 112, 124, 116), (100, 124, 128, 128))  # 三
    assert hulls(stack_strokes([line(100, 110, 128, 129)], strokes)) == [[100, 100, 128, 128]]


def test_the_upper_half_that_no_line_holds_is_added() -> None:
    halves = boxes((102, 80, 138, 98), (100, 101, 140, 123))  # 是
    assert hulls(stack_strokes([line(100, 100, 140, 124)], halves)) == [[100, 80, 140, 123]]


def test_digits_above_each_other_stay_two() -> None:
    digits = boxes((100, 80, 110, 96), (100, 104, 110, 120))
    assert len(stack_strokes([line(99, 79, 111, 97), line(99, 103, 111, 121)], digits)) == 2


def test_dashes_in_the_cells_of_a_column_stay_apart() -> None:
    dashes = boxes((100, 80, 120, 82), (100, 110, 120, 112))
    assert len(stack_strokes([line(100, 71, 120, 91), line(100, 101, 120, 121)], dashes)) == 2


def test_a_frame_around_a_character_is_no_part_of_it() -> None:
    found = [line(100, 100, 120, 120)]
    assert stack_strokes(found, boxes((101, 101, 119, 119), (60, 80, 180, 140))) == found


def test_large_letters_of_which_a_line_holds_the_upper_half_are_made_whole() -> None:
    letters = boxes((100, 100, 180, 200), (190, 100, 270, 200))
    torn = [line(98, 98, 272, 158), line(100, 150, 180, 200)]
    assert hulls(mend_torn(torn, Pieces(letters, np.array([3000, 3000], np.int32)))) == [[100, 100, 270, 200]]


def test_small_rows_that_touch_are_not_made_one() -> None:
    letters = boxes(*((100 + 12 * i, 100, 110 + 12 * i, 112) for i in range(9)), (208, 100, 218, 126))
    found = [line(99, 99, 220, 113)]
    assert mend_torn(found, Pieces(letters, np.full(10, 60, np.int32))) == found
