from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from worker.ocr.ink.copies import Copies
from worker.ocr.lines.classical import find
from worker.ocr.lines.reading_order import order_lines
from worker.ocr.lines.text_line import TextLine


def find_lines(page: np.ndarray) -> list[TextLine]:
    found = find.find_lines(Copies(page))
    return [found[i] for i in order_lines(found)]


def boxes(lines: list[TextLine]) -> list[tuple[int, int, int, int]]:
    return [(*line.polygon.min(0).round().astype(int), *line.polygon.max(0).round().astype(int)) for line in lines]


def test_a_paragraph_gives_its_lines_from_top_to_bottom(draw: Any) -> None:
    found = boxes(find_lines(draw(*[("Words of one line stay together", 50, 80 + 50 * i) for i in range(6)])))
    assert len(found) == 6
    assert found == sorted(found, key=lambda box: box[1])
    assert all(45 <= box[0] <= 60 and box[2] >= 470 for box in found)


def test_a_line_is_tight_around_its_writing(draw: Any) -> None:
    page = draw(("Tight around it", 100, 200))
    rows, columns = np.nonzero(page < 128)
    ((left, top, right, bottom),) = boxes(find_lines(page))
    np.testing.assert_allclose(
        [left, top, right, bottom], [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], atol=2
    )


def test_a_wide_gap_parts_the_name_from_the_price(draw: Any) -> None:
    found = boxes(
        find_lines(draw(("Coffee and cake", 40, 100), ("12.50", 600, 100), ("Tea", 40, 150), ("3.00", 600, 150)))
    )
    assert [box[0] < 300 for box in found] == [True, False, True, False]


def test_columns_of_text_are_read_one_after_the_other(draw: Any) -> None:
    left = [("a column of lines", 30, 80 + 40 * i) for i in range(8)]
    right = [("beside another one", 430, 80 + 40 * i) for i in range(8)]
    title = [("A title above both of the columns here", 60, 40)]
    found = boxes(find_lines(draw(*title, *left, *right)))
    assert len(found) == 17
    assert [box[0] > 400 for box in found[1:]] == [False] * 8 + [True] * 8


def test_light_writing_on_a_dark_page_is_found(draw: Any) -> None:
    assert len(find_lines(draw(("white on black", 50, 100), ("and one more", 50, 160), ink=255, paper=20))) == 2


def test_light_writing_on_a_dark_bar_is_found_beside_dark_writing(draw: Any) -> None:
    page = draw(*[("dark on light as usual", 50, 200 + 50 * i) for i in range(5)])
    page[60:120, 40:700] = 30
    cv2.putText(page, "light on the bar", (60, 100), cv2.FONT_HERSHEY_SIMPLEX, 1, 240, 2, cv2.LINE_AA)
    found = boxes(find_lines(page))
    assert len(found) == 6
    assert 65 <= found[0][1] <= 80
    assert found[0][3] <= 115


def test_rules_and_frames_are_not_lines_and_part_the_cells_of_a_table(draw: Any) -> None:
    page = draw(("cell one", 60, 110), ("two", 245, 110), ("cell three", 60, 170), ("four", 245, 170))
    for x in (40, 225, 400):
        page[70:190, x : x + 2] = 0
    for y in (70, 130, 189):
        page[y : y + 2, 40:402] = 0
    found = boxes(find_lines(page))
    assert len(found) == 4
    assert [box[0] > 225 for box in found] == [False, True, False, True]


def test_a_black_border_of_a_scanner_is_not_a_line(draw: Any) -> None:
    page = draw(*[("text beside the border", 120, 100 + 50 * i) for i in range(6)])
    page[:, :60] = 0
    page[:25] = 0
    assert len(find_lines(page)) == 6


@pytest.mark.parametrize("scale", [0.4, 0.6, 1.0, 2.0, 3.5])
def test_writing_of_nine_to_eighty_pixels_is_found(draw: Any, scale: float) -> None:
    step = round(50 * scale)
    page = draw(("size matters", 30, step), ("not at all", 30, 2 * step), size=(900, 1000), scale=scale)
    assert len(find_lines(page)) == 2


def test_dots_and_commas_belong_to_their_line(draw: Any) -> None:
    page = draw(("i, j; k. (l)", 50, 100))
    ((_, top, _, bottom),) = boxes(find_lines(page))
    rows = np.nonzero(page < 128)[0]
    assert top <= rows.min() + 1
    assert bottom >= rows.max()


def test_hanzi_of_several_strokes_make_one_line() -> None:
    page = np.full((200, 500), 255, np.uint8)
    for i in range(8):  # like 三 and 口
        x = 40 + 44 * i
        if i % 2:
            for y in (80, 97, 114):
                page[y : y + 4, x : x + 36] = 0
        else:
            cv2.rectangle(page, (x, 80), (x + 34, 116), 0, 4)
    ((left, top, right, bottom),) = boxes(find_lines(page))
    assert left <= 42
    assert right >= 40 + 44 * 7 + 30
    assert top <= 81
    assert bottom >= 115


def test_a_line_that_rises_a_little_has_a_polygon_that_rises_with_it(draw: Any) -> None:
    page = draw(("this line rises a little to the right", 60, 300))
    matrix = cv2.getRotationMatrix2D((400, 300), 1.5, 1.0)
    ((line),) = find_lines(cv2.warpAffine(page, matrix, (800, 600), borderValue=255))
    rise = line.polygon[0, 1] - line.polygon[1, 1]
    assert rise == pytest.approx(np.tan(np.radians(1.5)) * np.ptp(line.polygon[:, 0]), rel=0.35)


@pytest.mark.parametrize(
    "page",
    [
        np.zeros((1, 1), np.uint8),
        np.zeros((1, 5000), np.uint8),
        np.zeros((5000, 1), np.uint8),
        np.zeros((300, 300), np.uint8),
        np.full((300, 300), 255, np.uint8),
        np.full((2, 2), 255, np.uint8),
        np.tile(np.arange(256, dtype=np.uint8), (256, 1)),
    ],
    ids=["1x1", "1x5000", "5000x1", "black", "white", "2x2", "gradient"],
)
def test_a_page_without_writing_gives_no_lines(page: np.ndarray) -> None:
    assert find_lines(page) == []


@pytest.mark.parametrize("size", [(300, 300), (40, 900), (500, 950)])
def test_noise_is_searched_without_harm(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, size, np.uint8)
    for line in find_lines(noise):
        assert np.isfinite(line.polygon).all()


def test_a_checkerboard_of_specks_is_no_writing() -> None:
    page = np.full((1000, 1000), 255, np.uint8)
    page[::4, ::4] = 0
    assert find_lines(page) == []
