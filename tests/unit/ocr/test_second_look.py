from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from worker.ocr.ink.copies import Copies
from worker.ocr.lines.learned import second_look
from worker.ocr.lines.text_line import TextLine


def box(left: float, top: float, right: float, bottom: float) -> TextLine:
    corners = [[left, top], [right, top], [right, bottom], [left, bottom]]
    return TextLine(np.array(corners, np.float32), bottom - top)


def hulls(lines: list[TextLine]) -> list[list[int]]:
    return [[*line.polygon.min(0).round().astype(int), *line.polygon.max(0).round().astype(int)] for line in lines]


def page_with_text(draw: Any) -> tuple[np.ndarray, TextLine]:
    """A page with one line, and its box: characters of 22 px at x 100 to 290."""
    return draw(("Heading of it", 100, 120)), box(98, 94, 312, 128)


def test_a_thin_character_before_a_line_becomes_part_of_it(draw: Any) -> None:
    page, line = page_with_text(draw)
    page[108:111, 60:84] = 0
    (grown,) = second_look.look_again([line], Copies(page), 1.0)
    assert 55 <= grown.polygon[:, 0].min() <= 60
    assert grown.polygon[:, 0].max() == line.polygon[:, 0].max()


def test_a_character_of_which_only_the_short_stroke_was_in_the_line_becomes_part_of_it(draw: Any) -> None:
    page, line = page_with_text(draw)
    page[100:102, 90:108] = 0
    page[118:121, 78:118] = 0
    (grown,) = second_look.look_again([line], Copies(page), 1.0)
    assert grown.polygon[:, 0].min() <= 78


def test_a_quote_that_was_found_as_a_line_is_grown_over_to_the_character_before_it(draw: Any) -> None:
    page, line = page_with_text(draw)
    page[99:108, 76:79] = page[99:108, 82:85] = 0
    page[100:122, 46:68] = 0
    (grown,) = second_look.look_again([box(74, 97, 87, 110), line], Copies(page), 1.0)
    assert 40 <= grown.polygon[:, 0].min() <= 46


def test_a_small_line_beside_another_that_cannot_grow_over_it_stays_a_line(draw: Any) -> None:
    page, line = page_with_text(draw)
    page[99:108, 76:79] = page[99:108, 82:85] = 0
    page[90:130, 90:92] = 0
    assert len(second_look.look_again([box(74, 97, 87, 110), line], Copies(page), 1.0)) == 2


def test_a_colon_behind_a_line_becomes_part_of_it_with_room_for_its_soft_edge(draw: Any) -> None:
    page, line = page_with_text(draw)
    page[108:111, 322:325] = 0
    page[117:120, 322:325] = 0
    (grown,) = second_look.look_again([line], Copies(page), 1.0)
    assert 326 <= grown.polygon[:, 0].max() <= 331


def test_a_dotted_line_behind_a_line_is_none_of_it(draw: Any) -> None:
    page, line = page_with_text(draw)
    for left in range(320, 700, 8):
        page[117:120, left : left + 3] = 0
    (grown, *_) = second_look.look_again([line], Copies(page), 1.0)
    assert grown.polygon[:, 0].max() < 320


def test_a_line_does_not_grow_across_the_rule_of_a_table(draw: Any) -> None:
    page, line = page_with_text(draw)
    page[40:300, 84:86] = 0
    page[108:111, 60:80] = 0
    (grown, *_) = second_look.look_again([line], Copies(page), 1.0)
    assert grown.polygon[:, 0].min() >= 86


def test_a_line_found_twice_is_kept_once(draw: Any) -> None:
    page, line = page_with_text(draw)
    found = second_look.look_again([line, box(280, 95, 312, 127)], Copies(page), 1.0)
    assert hulls(found) == hulls([line])


def test_parts_of_a_line_that_grow_together_become_one(draw: Any) -> None:
    page = draw(("Heading of it", 100, 120))
    (one,) = second_look.look_again([box(98, 94, 200, 128), box(240, 94, 312, 128)], Copies(page), 1.0)
    assert hulls([one])[0][0] <= 98
    assert hulls([one])[0][2] >= 312


def test_a_digit_in_the_row_of_a_line_is_found_and_in_doubt(draw: Any) -> None:
    page, line = page_with_text(draw)
    cv2.putText(page, "7", (600, 120), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 0, 2, cv2.LINE_AA)
    first, lone = second_look.look_again([line], Copies(page), 1.0)
    assert (first.in_doubt, lone.in_doubt) == (False, True)
    assert 596 <= hulls([lone])[0][0] <= hulls([lone])[0][2] <= 624


def test_a_single_digit_on_an_empty_page_is_found(draw: Any) -> None:
    (lone,) = second_look.look_again([], Copies(draw(("7", 300, 300))), 1.0)
    assert lone.in_doubt


def test_a_stroke_alone_in_a_column_gets_the_height_of_a_character(draw: Any) -> None:
    page, line = page_with_text(draw)
    page[166:169, 100:124] = 0
    _, lone = second_look.look_again([line], Copies(page), 1.0)
    assert hulls([lone]) == [[100, 150, 124, 184]]


@pytest.mark.parametrize("place", [(500, 500), (480, 300)])
def test_what_has_the_size_of_a_character_far_from_any_row_is_in_doubt(draw: Any, place: tuple[int, int]) -> None:
    page, line = page_with_text(draw)
    x, y = place
    cv2.circle(page, (x, y), 12, 0, 2)
    found = second_look.look_again([line], Copies(page), 1.0)
    assert [one.in_doubt for one in found] == [False, True]


def test_places_are_those_of_the_page_and_not_of_its_copy(draw: Any) -> None:
    page, line = page_with_text(draw)
    page[108:111, 60:84] = 0
    (grown,) = second_look.look_again([line], Copies(page), 2.0)
    assert 55 <= grown.polygon[:, 0].min() <= 60
    assert grown.height == line.height


def test_a_line_that_was_joined_from_doubtful_ones_alone_stays_in_doubt(draw: Any) -> None:
    page, _ = page_with_text(draw)
    left, right = box(98, 94, 200, 128), box(205, 94, 312, 128)
    for doubts in ((True, True), (True, False)):
        lines = [replace(line, in_doubt=doubt) for line, doubt in zip((left, right), doubts, strict=True)]
        (joined,) = second_look.look_again(lines, Copies(page), 1.0)
        assert joined.in_doubt == all(doubts)


def blank_page_with_line() -> tuple[np.ndarray, TextLine]:
    """A page whose only line is 60 px high, and no ink in it but two bars."""
    page = np.full((600, 900), 255, np.uint8)
    page[60:110, 60:70] = page[60:110, 200:210] = 0
    return page, box(50, 55, 240, 115)


def draw_seven(page: np.ndarray, left: int, top: int) -> None:
    page[top : top + 4, left : left + 16] = 0
    page[top : top + 24, left + 10 : left + 14] = 0


def test_a_low_character_far_from_large_writing_is_found_in_doubt() -> None:
    page, line = blank_page_with_line()
    draw_seven(page, 850, 560)
    found = second_look.look_again([line], Copies(page), 1.0)
    assert [one.in_doubt for one in found] == [False, True]
    assert hulls(found)[1] == [850, 560, 866, 584]


@pytest.mark.parametrize("places", [[(800, 560), (850, 560)], [(850, 200), (850, 300), (850, 400), (850, 500)]])
def test_low_pieces_near_each_other_or_many_of_them_are_no_characters(places: list[tuple[int, int]]) -> None:
    page, line = blank_page_with_line()
    for left, top in places:
        draw_seven(page, left, top)
    assert len(second_look.look_again([line], Copies(page), 1.0)) == 1


def page_with_two_strokes(mark: tuple[int, int, int, int]) -> np.ndarray:
    """A line of letters, and below it 二 of 30 px at (60, 200) with a mark (left, top, right, bottom) behind it."""
    page = np.full((400, 600), 255, np.uint8)
    for left in range(60, 300, 20):
        page[100:130, left : left + 12] = 0
    page[206:209, 62:86] = page[222:225, 60:88] = 0
    left, top, right, bottom = mark
    page[top:bottom, left:right] = 0
    return page


def right_of_the_lowest(page: np.ndarray) -> int:
    found = hulls(second_look.look_again([box(55, 97, 295, 133)], Copies(page), 1.0))
    return max(found, key=lambda hull: hull[3])[2]


def test_the_mark_behind_a_character_that_stands_alone_is_part_of_its_line() -> None:
    assert right_of_the_lowest(page_with_two_strokes((92, 220, 100, 228))) >= 100


@pytest.mark.parametrize("mark", [(92, 202, 100, 209), (106, 220, 114, 228), (92, 222, 94, 224)])
def test_what_is_too_high_too_far_or_too_small_is_no_mark(mark: tuple[int, int, int, int]) -> None:
    assert right_of_the_lowest(page_with_two_strokes(mark)) <= 92
