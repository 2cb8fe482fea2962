"""Lines that lie otherwise than their page: which may, and which way round they are taken."""

from __future__ import annotations

import numpy as np
import pytest

from worker.ocr.lines import turned
from worker.ocr.lines.text_line import TextLine
from worker.ocr.lines.turned import Way
from worker.ocr.page import crops


def box(left: float, top: float, right: float, bottom: float) -> TextLine:
    return TextLine.boxed(np.array([left, top, right, bottom]))


def test_on_a_page_that_reads_well_a_line_that_reads_less_well_may_stand_upside_down() -> None:
    assert turned.doubtful([Way(0.99, 40), Way(0.88, 12), Way(0.88, 3)]) == [1]


def test_on_a_poor_page_only_what_reads_badly_is_tried_from_its_other_end() -> None:
    assert turned.doubtful([Way(0.8, 40), Way(0.88, 12), Way(0.6, 12)]) == [2]


@pytest.mark.parametrize(
    ("other", "as_it_was", "expected"),
    [
        (Way(0.99, 12), Way(0.88, 12), True),
        (Way(0.95, 12), Way(0.88, 12), False),
        (Way(0.95, 12), Way(0.50, 12), True),
        (Way(0.80, 12), Way(0.50, 12), False),
        (Way(0.99, 3), Way(0.50, 3), False),
    ],
)
def test_a_legible_line_is_turned_only_where_the_other_way_is_beyond_doubt(
    other: Way, as_it_was: Way, expected: bool
) -> None:
    assert turned.is_right(other, as_it_was) is expected


@pytest.mark.parametrize(
    ("text", "tells"), [("6899", False), ("66866 = 9", False), ("suos", False), ("6899 kg", True), ("Total", True)]
)
def test_what_is_characters_upside_down_too_does_not_tell_how_it_lies(text: str, tells: bool) -> None:
    assert turned.tells_its_way(text) is tells


def test_a_line_upside_down_is_cut_out_the_other_way_round() -> None:
    page = np.full((60, 100), 255, np.uint8)
    page[22:26, 12:20] = 0
    line = box(10, 20, 90, 40)
    images = [crops.crop_line(page, one.polygon) for one in (line, turned.upside_down(line))]
    right, wrong = ([float(at.mean()) for at in np.nonzero(image < 128)] for image in images)
    height, width = images[0].shape
    assert wrong == pytest.approx([height - 1 - right[0], width - 1 - right[1]], abs=1.5)


def test_parts_and_lone_characters_of_a_line_on_its_side_are_put_together() -> None:
    places = [box(10, 100, 30, 200).polygon, box(10, 240, 30, 400).polygon, box(300, 100, 400, 130).polygon]
    lines = [box(12, 210, 28, 230), box(12, 450, 28, 470), box(12, 620, 60, 640)]
    found = turned.on_side(places, lines, [Way(0.99, 1), Way(0.99, 1), Way(0.99, 9)])
    assert [line.hull.tolist() for line in found] == [[10, 100, 30, 400]]


def test_the_way_that_reads_surely_is_chosen_and_none_where_neither_does() -> None:
    tried = turned.both_ways([box(10, 100, 30, 400), box(50, 100, 70, 400)])
    (chosen,) = turned.choose([Way(0.5, 20), Way(0.98, 20), Way(0.6, 20), Way(0.7, 20)])
    assert tried[chosen].polygon.tolist() == [[10, 400], [10, 100], [30, 100], [30, 400]]
    assert tried[chosen].height == 20


def test_what_was_read_out_of_the_middle_of_a_line_on_its_side_goes() -> None:
    side = [box(10, 100, 30, 400)]
    lines = [box(12, 210, 28, 230), box(12, 240, 28, 260), box(0, 150, 200, 170), box(8, 300, 32, 320)]
    ways = [Way(0.99, 1), Way(0.6, 5), Way(0.99, 30), Way(0.99, 8)]
    assert turned.without(lines, ways, side) == [2, 3]
