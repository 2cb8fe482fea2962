from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from shared.options import LayoutName
from worker.ocr.lines import layout
from worker.ocr.page.preprocess import as_is


def only_box(page: np.ndarray, option: LayoutName) -> tuple[float, float, float, float]:
    ((line),) = layout.arrange(as_is(page), option).lines
    return *line.polygon.min(0).tolist(), *line.polygon.max(0).tolist()


def test_a_tight_image_is_taken_as_one_line_from_side_to_side(draw: Any) -> None:
    left, top, right, bottom = only_box(draw(("one line", 4, 24), size=(28, 128)), "line")
    assert (left, right) == (0, 128)
    assert 0 <= top < 8
    assert 23 <= bottom <= 28


def test_a_faint_image_is_read_whole(draw: Any) -> None:
    faint = (230 + draw(("one line", 4, 24), size=(28, 128)) // 20).astype(np.uint8)
    assert len(layout.arrange(as_is(faint), "line").lines) == 1


def test_wide_empty_borders_are_cut_off_a_line(draw: Any) -> None:
    left, top, right, bottom = only_box(draw(("one line", 300, 300)), "line")
    assert 260 < left < 300
    assert 400 < right < 500
    assert 270 < top < 285
    assert 298 < bottom < 312


def test_layout_line_never_splits(draw: Any) -> None:
    page = draw(("left", 20, 40), ("right", 600, 40), size=(60, 800))
    assert len(layout.arrange(as_is(page), "line").lines) == 1


def test_layout_page_splits_at_a_wide_gap(draw: Any) -> None:
    page = draw(("left", 20, 40), ("right", 600, 40), size=(60, 800))
    assert len(layout.arrange(as_is(page), "page").lines) == 2


def test_auto_takes_a_strip_as_one_line(draw: Any) -> None:
    arrangement = layout.arrange(as_is(draw(("left", 20, 40), ("right", 300, 40), size=(60, 500))), "auto")
    assert len(arrangement.lines) == 1
    assert not arrangement.searched


def test_auto_searches_a_page(draw: Any) -> None:
    arrangement = layout.arrange(as_is(draw(*[("some text", 40, 60 + 50 * i) for i in range(5)])), "auto")
    assert len(arrangement.lines) == 5
    assert arrangement.searched


@pytest.mark.parametrize("option", ["line", "page", "auto"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (40, 300)])
@pytest.mark.parametrize("level", [0, 255])
def test_a_blank_image_has_no_lines(option: LayoutName, shape: tuple[int, int], level: int) -> None:
    assert layout.arrange(as_is(np.full(shape, level, np.uint8)), option).lines == []


def test_a_crop_of_a_line_loses_nothing_at_its_ends(draw: Any) -> None:
    crop = draw(("TEXT", 120, 32), size=(40, 400))
    crop[18:20, 30:52] = 0  # a thin character, like 一, far before the others
    left, _, right, _ = only_box(crop, "line")
    assert (left, right) == (0, 400)


def test_a_crop_of_which_little_ink_was_found_keeps_its_height(draw: Any) -> None:
    crop = np.full((40, 120), 255, np.uint8)
    crop[30:37, 40:80:6] = 0  # the feet of characters that are too faint above
    _, top, _, bottom = only_box(crop, "line")
    assert (top, bottom) == (0, 40)


def test_a_low_image_of_three_close_lines_is_searched(draw: Any) -> None:
    page = np.vstack([draw((f"text of line {i}", 6, 25), size=(32, 300)) for i in range(3)])
    assert layout.arrange(as_is(page), "auto").searched
