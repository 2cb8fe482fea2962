"""From the detector's maps to boxes: the maps here are drawn, no network is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.ocr.ink.copies import Copies
from worker.ocr.lines import layout
from worker.ocr.lines.classical import find
from worker.ocr.lines.learned import detection, joining
from worker.ocr.page.preprocess import as_is

STRIDE = detection.STRIDE
Box = tuple[float, float, float, float]


def maps_of(*boxes: Box, size: tuple[int, int] = (320, 480), slope: float = 0.0) -> np.ndarray:
    """What a perfect detector says of lines (left, top, right, bottom) that fall by `slope` px per px to the right."""
    y, x = (np.mgrid[: size[0] // STRIDE, : size[1] // STRIDE] + 0.5) * STRIDE
    maps = np.full((3, *x.shape), 1.0, np.float32)
    maps[0] = 0.02
    for left, top, right, bottom in boxes:
        margin = detection.SHRINK * (bottom - top)
        above, below = y - slope * (x - left) - top, bottom + slope * (x - left) - y
        inside = (above >= margin) & (below >= margin) & (x >= left + margin) & (x <= right - margin)
        maps[0][inside] = 0.97
        maps[1][inside], maps[2][inside] = np.log2(above[inside]), np.log2(below[inside])
    return maps


class DrawnDetector:
    def __init__(self, maps: np.ndarray) -> None:
        self.maps_shown = maps

    def maps(self, gray: np.ndarray) -> np.ndarray:
        return self.maps_shown


def test_an_empty_map_has_no_lines() -> None:
    assert detection.boxes_of(maps_of()) == []


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_map_of_what_is_no_number_is_no_empty_page(value: float) -> None:
    maps = maps_of()
    maps[0, 7, 9] = value
    with pytest.raises(ArithmeticError, match="not finite"):
        detection.find_lines(Copies(np.full((320, 480), 255, np.uint8)), DrawnDetector(maps))


@given(left=st.floats(0, 200), top=st.floats(0, 200), wide=st.floats(60, 250), tall=st.floats(14, 60))
def test_a_box_comes_back_within_a_cell(left: float, top: float, wide: float, tall: float) -> None:
    (box,) = detection.boxes_of(maps_of((left, top, left + wide, top + tall)))
    np.testing.assert_allclose(box[:, 1], (top, top, top + tall, top + tall), atol=0.1)
    np.testing.assert_allclose(box[:, 0], (left, left + wide, left + wide, left), atol=STRIDE)


def test_lines_that_stand_close_stay_apart() -> None:
    boxes = [(20.0, 20.0 + 22 * i, 300.0, 40.0 + 22 * i) for i in range(6)]
    assert len(detection.boxes_of(maps_of(*boxes))) == 6


@pytest.mark.parametrize("slope", [-0.15, 0.08, 0.2])
def test_a_tilted_line_gets_a_tilted_box(slope: float) -> None:
    (box,) = detection.boxes_of(maps_of((60, 120, 360, 144), slope=slope))
    assert (box[1, 1] - box[0, 1]) / (box[1, 0] - box[0, 0]) == pytest.approx(slope, abs=0.01)
    assert np.linalg.norm(box[3] - box[0]) == pytest.approx(24 / np.hypot(1, slope), abs=1)


def test_a_short_line_is_tilted_like_the_long_ones() -> None:
    maps = maps_of((20, 40, 400, 60), slope=0.1)
    short = maps_of((20, 120, 50, 140), slope=0.1)
    boxes = detection.boxes_of(np.where(short[:1] > 0.5, short, maps))
    slopes = [(box[1, 1] - box[0, 1]) / (box[1, 0] - box[0, 0]) for box in boxes]
    assert slopes == pytest.approx([0.1, 0.1], abs=0.04)


def test_an_unsure_region_is_no_line() -> None:
    maps = maps_of((20, 20, 300, 50))
    maps[0] = np.minimum(maps[0], 0.55)
    assert detection.boxes_of(maps) == []


def test_lines_come_in_pixels_of_the_page(draw: Any) -> None:
    page = np.full((480, 720), 255, np.uint8)  # so small that a copy of twice its size is searched
    boxes = [(40.0, 300.0, 700.0, 340.0), (40.0, 100.0, 700.0, 140.0)]
    found = detection.find_lines(Copies(page), DrawnDetector(maps_of(*boxes, size=(960, 1440))))
    assert sorted(round(line.polygon[0, 1]) for line in found) == [50, 150]
    assert [round(line.height) for line in found] == [20, 20]


def test_the_edges_move_out_to_the_ink_that_they_cut(draw: Any) -> None:
    page = draw(("Typing", 100, 200), size=(1000, 1000), scale=2)
    rows, columns = np.flatnonzero((page < 128).any(1)), np.flatnonzero((page < 128).any(0))
    left, top, right, bottom = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    tight = (left + 6.0, top + 8.0, right - 6.0, bottom - 10.0)
    (line,) = detection.find_lines(Copies(page), DrawnDetector(maps_of(tight, size=(1000, 1000))))
    assert line.polygon[0] == pytest.approx((left, top), abs=3)
    assert line.polygon[2] == pytest.approx((right, bottom), abs=3)
    assert line.height == pytest.approx(find.find_lines(Copies(page))[0].height, abs=4)  # means the same as there


def test_a_rule_beside_a_line_does_not_move_its_edge(draw: Any) -> None:
    page = draw(("nose", 100, 200), size=(1000, 1000), scale=2)
    rows = np.flatnonzero((page < 128).any(1))
    page[rows[-1] + 8 : rows[-1] + 10] = 0
    columns = np.flatnonzero((page[: rows[-1]] < 128).any(0))
    box = (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    (line,) = detection.find_lines(Copies(page), DrawnDetector(maps_of(box, size=(1000, 1000))))
    assert line.polygon[2, 1] < rows[-1] + 5


def test_a_page_is_searched_by_the_detector_that_is_given(draw: Any) -> None:
    page = draw(("classical", 40, 60), ("finds two", 40, 160), size=(1000, 1000))
    detector = DrawnDetector(maps_of((38, 36, 200, 66), size=(1000, 1000)))
    assert len(layout.arrange(as_is(page), "page").lines) == 2
    seen, missed = layout.arrange(as_is(page), "page", detector).lines
    assert (seen.in_doubt, missed.in_doubt) == (False, True)


def rectangle(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)


def test_words_become_a_line_and_columns_stay_apart() -> None:
    words = [rectangle(10, 100, 90, 120), rectangle(98, 101, 180, 121), rectangle(188, 100, 300, 120)]
    column, below = rectangle(330, 100, 400, 120), rectangle(10, 124, 90, 144)
    joined = joining.join_words([words[1], column, words[0], below, words[2]])
    hulls = sorted((*box.min(0).tolist(), *box.max(0).tolist()) for box in joined)
    assert hulls == [(10, 100, 300, 120), (10, 124, 90, 144), (330, 100, 400, 120)]


def test_boxes_that_run_far_into_each_other_on_one_line_are_one() -> None:
    (joined,) = joining.join_words([rectangle(83, 68, 455, 187), rectangle(375, 72, 587, 187)])
    assert (joined[:, 0].min(), joined[:, 0].max()) == (83, 587)
    assert len(joining.join_words([rectangle(10, 100, 150, 140), rectangle(40, 102, 180, 142)])) == 2


def test_a_lone_digit_is_not_joined_to_the_item_beside_it() -> None:
    assert len(joining.join_words([rectangle(10, 100, 32, 120), rectangle(38, 100, 200, 120)])) == 2


def test_writing_of_another_size_is_another_line() -> None:
    assert len(joining.join_words([rectangle(10, 100, 90, 140), rectangle(95, 113, 200, 128)])) == 2
