"""Dot leaders are wiped off a page; what looks a little like them is not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from worker.ocr.ink.ink import DEPTH_FLOOR, Gray
from worker.ocr.page.leaders import without_leaders
from worker.ocr.page.preprocess import as_is

LETTER = 14, 9  # px, height and width
FOOT = 60  # px: where letters and dots stand
BETWEEN = slice(150, 360)  # px: columns of the dots


def page(dots: int, *, step: float = 8.0, dot: int = 3, paper: int = 255, ink: int = 0) -> Gray:
    """A word, so many dots, and a number, as hollow boxes and squares."""
    image = np.full((100, 500), paper, np.uint8)
    for left in (*range(40, 140, 14), *range(400, 440, 14)):
        box = image[FOOT - LETTER[0] : FOOT, left : left + LETTER[1]]
        box[:] = ink
        box[2:-2, 2:-2] = paper
    for i in range(dots):
        left = round(155 + i * step)
        image[FOOT - dot : FOOT, left : left + dot] = ink
    return image


def wiped(image: Gray) -> Gray:
    return without_leaders(as_is(image)).image


def letters_of(image: Gray) -> Gray:
    return np.delete(image, np.r_[BETWEEN], axis=1)


@pytest.mark.parametrize(("dots", "step", "dot"), [(25, 8.0, 3), (30, 6.5, 2), (12, 15.0, 5), (7, 9.0, 3)])
def test_a_leader_is_wiped_and_letters_stay(dots: int, step: float, dot: int) -> None:
    image = page(dots, step=step, dot=dot)
    now = wiped(image)
    assert (now[:, BETWEEN] == 255).all()
    assert np.array_equal(letters_of(now), letters_of(image))


def test_white_dots_on_black_are_wiped_too() -> None:
    assert (wiped(page(25, paper=0, ink=255))[:, BETWEEN] == 0).all()


def test_no_shadow_of_the_dots_stays_after_jpeg() -> None:
    image = cv2.imdecode(cv2.imencode(".jpg", page(25), [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_GRAYSCALE)
    now = wiped(np.asarray(image, np.uint8))
    far_from_letters = slice(BETWEEN.start + 20, BETWEEN.stop - 20)
    assert now[:, far_from_letters].min() > 255 - DEPTH_FLOOR


def test_dots_beside_letters_that_are_too_faint_for_ink_are_wiped_with_the_others() -> None:
    image = page(25)
    image[FOOT - 3 : FOOT, 155:158] = image[FOOT - 3 : FOOT, 347:350] = 160
    assert (wiped(image)[:, BETWEEN] == 255).all()


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(page(6), id="an ellipsis"),
        pytest.param(page(20, step=10.0, dot=8), id="bullets"),
        pytest.param(page(20, step=6.0, dot=5), id="small print beside large letters"),
        pytest.param(page(20, step=9.0, dot=5)[:, 148:396], id="a row of dots beside nothing"),
    ],
)
def test_what_is_no_leader_stays(image: Gray) -> None:
    assert wiped(image) is image


def test_dots_at_unequal_distances_stay() -> None:
    image = page(0)
    for left in (155, 161, 180, 186, 214, 219, 244, 262, 271, 300):
        image[FOOT - 3 : FOOT, left : left + 3] = 0
    assert wiped(image) is image


def test_a_tracked_caption_below_a_large_title_stays() -> None:
    image = np.full((220, 500), 255, np.uint8)
    for left in range(40, 440, 80):
        image[30:100, left : left + 60], image[45:85, left + 15 : left + 45] = 0, 255
    for left in range(60, 420, 20):
        image[150:164, left : left + 12] = 0
    assert wiped(image) is image


def test_a_dash_on_the_level_of_the_dots_is_no_dot() -> None:
    image = page(25)
    image[FOOT - 3 : FOOT, 355:375] = 0
    assert (wiped(image)[FOOT - 3 : FOOT, 355:375] == 0).all()


def test_faint_writing_on_a_line_of_dots_is_not_cut() -> None:
    image = page(25)
    for left in range(160, 340, 14):
        image[FOOT - 11 : FOOT - 4, left : left + 9] = 225
    assert np.array_equal(wiped(image)[: FOOT - 5], image[: FOOT - 5])


def test_dots_below_letters_stay() -> None:
    image = page(25)
    image[FOOT - 12 : FOOT - 6, 160:340:14] = 0
    image[FOOT - 6, 160:340] = 0
    assert wiped(image) is image


def test_a_tilted_rule_of_dots_is_not_wiped_with_what_it_passes() -> None:
    image = page(0)
    for i in range(35):
        top, left = FOOT + 25 - i // 2, 150 + 6 * i
        image[top : top + 3, left : left + 3] = 0
    assert wiped(image) is image


def test_words_of_small_print_beside_large_letters_stay() -> None:
    image = page(0)
    for i, left in enumerate(range(160, 340, 7)):
        high = 9 if i % 4 == 3 else 6
        image[FOOT - high : FOOT, left : left + 4] = 0
    assert wiped(image) is image
