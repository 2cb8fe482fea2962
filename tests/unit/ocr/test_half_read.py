"""Ink within a line for which no character was read is told with its place."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pytest

from shared.result import Character, Line, as_polygon
from worker.ocr.lines.layout import Arrangement
from worker.ocr.lines.text_line import TextLine
from worker.ocr.page import admission, crops
from worker.ocr.page.preprocess import as_is
from worker.ocr.reading.found import Found
from worker.ocr.reading.half_read import LEAST, find_half_read
from worker.ocr.text.ctc import Peak
from worker.ocr.text.decoder import Reading
from worker.ocr.text.unseen import unseen_ink, unseen_places

PITCH, COUNT = 20, 20  # px from one letter to the next, and letters


def letters(left: int = 0, size: tuple[int, int] = (40, PITCH * COUNT), top: int = 0) -> np.ndarray:
    """An image, (h, w) uint8, with a bar half as wide as its place for each letter."""
    image = np.full(size, 255, np.uint8)
    for i in range(COUNT):
        image[top + 8 : top + 32, left + PITCH * i + 5 : left + PITCH * i + 15] = 0
    return image


def reading_without(missing: Collection[int], columns: float = PITCH * COUNT, left: float = 0.0) -> Reading:
    """What a recogniser with a frame for 4 px reads in an image so many px wide, but for some of the letters."""
    frames = [(left + PITCH * i + 8) / 4 for i in range(COUNT) if i not in missing]
    return Reading([Peak("x", 0.99, round(frame), round(frame)) for frame in frames], "", columns / 4)


def test_ink_that_no_character_stands_for_is_counted_in_characters() -> None:
    assert unseen_ink(letters(), reading_without([])).sum() == 0
    assert unseen_ink(letters(), reading_without([8, 9, 10])).sum() == pytest.approx(2.55, abs=0.3)


@pytest.mark.parametrize("missing", [[8, 9, 10], [0, 1, 2], [17, 18, 19]])
def test_letters_that_were_left_out_are_a_place(missing: list[int]) -> None:
    ((start, end),) = unseen_places(letters(), reading_without(missing), LEAST)
    first, last = PITCH * missing[0], PITCH * (missing[-1] + 1)
    assert first - PITCH <= start * PITCH * COUNT <= first + PITCH / 2
    assert last - PITCH / 2 <= end * PITCH * COUNT <= last + PITCH


@pytest.mark.parametrize("missing", [[], [9], [4, 9]])
def test_a_letter_alone_is_no_place(missing: list[int]) -> None:
    assert unseen_places(letters(), reading_without(missing), LEAST) == []


def test_white_between_words_is_no_place() -> None:
    image = letters()
    image[:, 8 * PITCH : 11 * PITCH] = 255
    assert unseen_places(image, reading_without([8, 9, 10]), LEAST) == []


def found_with(*, searched: bool) -> tuple[Found, Reading]:
    page = letters(100, (200, 600), 80)
    line = TextLine.boxed(np.array([100, 80, 100 + PITCH * COUNT, 120]))
    image = crops.crop_line(page, line.polygon)
    found = Found(Arrangement(as_is(page), [line], searched), [image], {})
    return found, reading_without([8, 9, 10], image.shape[1], left=(image.shape[1] - PITCH * COUNT) / 2)


def test_the_place_lies_in_the_line_on_the_page() -> None:
    found, reading = found_with(searched=True)
    (place,) = find_half_read(found, [reading], [0])
    assert 100 + 7 * PITCH < place[:, 0].min() < place[:, 0].max() < 100 + 12 * PITCH
    assert place[:, 1].min() == pytest.approx(80, abs=4)
    assert place[:, 1].max() == pytest.approx(120, abs=4)


def test_lines_that_were_dropped_and_images_of_a_line_are_not_told() -> None:
    found, reading = found_with(searched=True)
    assert find_half_read(found, [reading], []) == []
    found, reading = found_with(searched=False)
    assert find_half_read(found, [reading], [0]) == []


def test_a_page_with_half_read_lines_says_so_and_where() -> None:
    corners = [(10.0, 10.0), (90.0, 10.0), (90.0, 30.0), (10.0, 30.0)]
    line = Line("x", "x", as_polygon(corners), (Character("x", 1.0, 0.0, 1.0),))
    quality: dict[str, float | None] = {"width": 200.0, "height": 200.0, "half_read": 1.0}
    place = as_polygon([(40.0, 10.0), (60.0, 10.0), (60.0, 30.0), (40.0, 30.0)])
    page = np.full((200, 200), 255, np.uint8)
    (told,) = admission.warnings(page, quality, [line], searched=True, missing={"half_read": [place]})
    assert (told.code, told.measure, told.places) == ("text_may_be_missing", "half_read", (place,))
    assert not admission.warnings(page, quality | {"half_read": 0.0}, [line], searched=True)


def test_characters_that_were_seen_beyond_the_end_of_a_narrow_line_leave_no_place_there() -> None:
    peaks = [Peak("x", 0.99, frame, frame) for frame in (2, 30, 60)]
    ((start, end),) = unseen_places(letters(size=(40, 100)), Reading(peaks, "", 25.0), LEAST)
    assert 0 < start < end <= 1
