from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from shared.result import Character, Line, as_polygon
from worker.ocr.ink.copies import Copies
from worker.ocr.lines.coverage import find_unread
from worker.ocr.lines.text_line import TextLine
from worker.ocr.page.reading import measure_reading

ROWS = [("a line that was read", 40, 100), ("a line that was missed", 40, 200)]


def line(left: float, top: float, right: float, bottom: float) -> TextLine:
    corners = [[left, top], [right, top], [right, bottom], [left, bottom]]
    return TextLine(np.array(corners, np.float32), bottom - top)


def test_a_row_that_lies_in_no_line_is_unread_and_its_place_is_told(draw: Any) -> None:
    unread = find_unread(Copies(draw(*ROWS)), [line(38, 76, 400, 108)])
    assert 0.3 < unread.share < 0.7
    tops = [place[:, 1].min() for place in unread.places]
    assert tops and min(tops) > 150


def test_nothing_is_unread_where_every_row_lies_in_a_line(draw: Any) -> None:
    unread = find_unread(Copies(draw(*ROWS)), [line(38, 76, 400, 108), line(38, 176, 440, 208)])
    assert (unread.share, unread.places) == (0.0, ())


def test_a_page_of_which_nothing_was_read_is_unread_and_blank_paper_is_not(draw: Any) -> None:
    assert find_unread(Copies(draw(*ROWS)), []).share > 0.9  # all but the letter that stands alone
    assert find_unread(Copies(draw()), []).share == 0.0


def test_letters_on_their_side_are_unread(draw: Any) -> None:
    page = draw(ROWS[0])
    page[100:420, 700:740] = cv2.rotate(draw(("82504862", 20, 30), size=(40, 320)), cv2.ROTATE_90_CLOCKWISE)
    (place,) = find_unread(Copies(page), [line(38, 76, 400, 108)]).places
    assert place[:, 0].min() >= 690


def test_rules_and_specks_are_not_unread(draw: Any) -> None:
    page = draw(ROWS[0])
    page[300:303, 50:700] = 0
    page[400:403, 100:103] = page[420:423, 300:303] = 0
    assert find_unread(Copies(page), [line(38, 76, 400, 108)]).share == 0.0


def read(text: str, left: float, top: float, confidence: float = 1.0, pitch: float = 20) -> Line:
    right, bottom = left + pitch * len(text), top + 20
    cells = [Character(c, confidence, i / len(text), (i + 1) / len(text)) for i, c in enumerate(text)]
    return Line(text, text, as_polygon([(left, top), (right, top), (right, bottom), (left, bottom)]), tuple(cells))


@pytest.mark.parametrize(("leading", "pitch", "expected"), [(40, 20, 0.0), (22, 60, 1.0)])
def test_hanzi_whose_neighbours_stand_below_run_downwards(leading: float, pitch: float, expected: float) -> None:
    lines = [read("春眠不觉晓", 10, leading * i, pitch=pitch) for i in range(5)]
    assert measure_reading(lines)["vertical_characters"] == expected


def test_unsure_and_single_characters_are_counted() -> None:
    lines = [read("sure", 0, 0), read("not!", 0, 30, 0.4), *(read("x", 0, 60 + 30 * i) for i in range(8))]
    measured = measure_reading(lines)
    assert measured["unsure_characters"] == 0.25
    assert measured["single_characters"] == 0.8


def test_few_lines_and_no_hanzi_tell_nothing() -> None:
    measured = measure_reading([read("word", 0, 0)])
    assert (measured["single_characters"], measured["vertical_characters"]) == (None, None)
