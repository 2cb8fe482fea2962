from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.ocr.page.crops import MARGIN, crop_line, widen


def rectangle(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def test_the_margin_is_a_share_of_the_height_on_every_side() -> None:
    wide = widen(rectangle(100, 200, 400, 250))
    np.testing.assert_allclose(wide, rectangle(100 - 3, 200 - 3, 400 + 3, 250 + 3), atol=1e-4)
    assert pytest.approx(0.06) == MARGIN


def test_a_level_line_is_cut_out_pixel_for_pixel() -> None:
    page = np.arange(100 * 200, dtype=np.uint32).reshape(100, 200).astype(np.uint8)
    crop = crop_line(page, rectangle(50, 40, 150, 60))
    np.testing.assert_array_equal(crop, page[39:61, 49:151])


def test_a_line_at_the_edge_of_the_page_keeps_to_the_page() -> None:
    page = np.zeros((20, 60), np.uint8)
    assert crop_line(page, rectangle(0, 0, 60, 20)).shape == (20, 60)


def test_a_tilted_line_is_cut_out_level() -> None:
    page = np.full((200, 400), 255, np.uint8)
    for x in range(50, 350):
        y = round(100 - 0.1 * (x - 50))
        page[y : y + 20, x] = 0
    polygon = np.array([[50, 100], [350, 70], [350, 90], [50, 120]], np.float32)
    crop = crop_line(page, polygon)
    assert crop.shape[0] == pytest.approx(22, abs=1)
    middle = crop[4:-4, 6:-6]
    assert middle.max() < 40


sides = st.floats(-50, 150)


@given(sides, sides, st.floats(0.01, 200), st.floats(0.01, 200), st.floats(-20, 20))
def test_any_polygon_gives_an_image_with_pixels(
    left: float, top: float, width: float, height: float, rise: float
) -> None:
    polygon = rectangle(left, top, left + width, top + height)
    polygon[[1, 2], 1] -= np.float32(rise)
    crop = crop_line(np.zeros((100, 100), np.uint8), polygon)
    assert min(crop.shape) >= 1
    assert crop.dtype == np.uint8
