from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.ocr.ink.copies import Copies
from worker.ocr.page import preprocess

TEXT = [("The quick brown fox jumps over it", 60, 80 + 60 * row) for row in range(8)]


def tilted(page: np.ndarray, angle: float) -> np.ndarray:
    """Turn the writing counter-clockwise by `angle` degrees."""
    height, width = page.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    return cv2.warpAffine(page, matrix, (width, height), borderValue=255)


@pytest.mark.parametrize("angle", [-14.0, -5.0, -1.0, -0.4, 0.5, 2.0, 7.0, 14.0])
def test_a_tilted_page_is_measured_to_a_fifth_of_a_degree(draw: Any, angle: float) -> None:
    assert preprocess.estimate_angle(Copies(tilted(draw(*TEXT), angle))) == pytest.approx(angle, abs=0.2)


@pytest.mark.parametrize("angle", [-12.0, -4.0, 2.0, 6.0, 9.0])
@pytest.mark.parametrize("lines", [1, 2])
def test_the_tilt_of_a_line_or_two_is_found(draw: Any, lines: int, angle: float) -> None:
    page = draw(*TEXT[:lines], size=(600, 900))
    around = tilted(np.pad(page, 100, constant_values=255), angle)
    ink = cv2.boundingRect(np.argwhere(around < 128)[:, ::-1].astype(np.int32))
    left, top, wide, high = ink
    crop = around[max(0, top - 20) : top + high + 20, max(0, left - 20) : left + wide + 20]
    assert preprocess.estimate_angle(Copies(crop)) == pytest.approx(angle, abs=0.5)


def test_feet_that_rise_by_chance_do_not_tilt_a_level_line() -> None:
    page = np.full((90, 320), 255, np.uint8)
    for i in range(9):  # nine characters, each with a loose stroke that lies a little higher than the one before
        cv2.rectangle(page, (25 + 32 * i, 31), (48 + 32 * i, 59), 0, 2)
        cv2.rectangle(page, (32 + 32 * i, 53 - 2 * i), (40 + 32 * i, 56 - 2 * i), 0, -1)
    assert preprocess.estimate_angle(Copies(page)) == 0.0


def line_at(left: float, top: float, length: float, angle: float) -> np.ndarray:
    """A line of 20 px that rises by `angle` degrees, (4, 2) px."""
    along = np.array([np.cos(np.radians(angle)), -np.sin(np.radians(angle))])
    down, corner = np.array([-along[1], along[0]]), np.array([left, top])
    return np.array([corner, corner + length * along, corner + length * along + 20 * down, corner + 20 * down])


def test_two_lines_that_begin_further_and_further_right_are_level_if_lines_are_found_so(draw: Any) -> None:
    page = draw(("Approved", 40, 60), ("EXIT now", 190, 95), size=(140, 380))
    assert abs(preprocess.straighten(page).angle) > 5
    level = [line_at(40, 40, 140, 0.0), line_at(190, 75, 140, 0.0)]
    assert preprocess.straighten(page, lambda _: level).image is page
    alike = [line_at(40, 40, 140, -10.0)]
    assert preprocess.straighten(page, lambda _: alike).angle == preprocess.straighten(page).angle


def test_the_tilt_of_lines_is_that_of_most_writing() -> None:
    lines = [line_at(0, 0, 300, 4.0), line_at(0, 50, 90, -9.0), line_at(0, 90, 25, 80.0)]
    assert preprocess.tilt_of(lines) == pytest.approx(4.0)
    assert preprocess.tilt_of(lines[2:]) is None
    assert preprocess.tilt_of([]) is None


@pytest.mark.parametrize("angle", [-3.0, 6.0])
def test_a_tilted_page_becomes_level(draw: Any, angle: float) -> None:
    upright = preprocess.straighten(tilted(draw(*TEXT), angle))
    assert preprocess.estimate_angle(Copies(upright.image)) == pytest.approx(0.0, abs=0.2)
    assert upright.angle == pytest.approx(angle, abs=0.2)


def test_a_level_page_is_left_alone(draw: Any) -> None:
    page = draw(*TEXT)
    upright = preprocess.straighten(page)
    assert upright.angle == 0.0
    assert upright.image is page


@pytest.mark.parametrize(
    "page", [np.zeros((50, 70), np.uint8), np.full((1, 1), 255, np.uint8), np.full((1, 5000), 9, np.uint8)]
)
def test_a_page_without_writing_is_left_alone(page: np.ndarray) -> None:
    assert preprocess.straighten(page).image is page


def test_light_writing_on_a_dark_page_is_straightened_too(draw: Any) -> None:
    page = 255 - tilted(draw(*TEXT), 4.0)
    assert preprocess.estimate_angle(Copies(page)) == pytest.approx(4.0, abs=0.3)


@given(st.floats(-15, 15), st.integers(2, 300), st.integers(2, 300), st.floats(0, 1), st.floats(0, 1))
def test_points_of_the_turned_page_map_back_to_the_original(
    angle: float, height: int, width: int, across: float, down: float
) -> None:
    upright = preprocess.turn(np.full((height, width), 255, np.uint8), angle)
    original = np.array([[across * width, down * height]])
    forward = cv2.invertAffineTransform(upright.to_page)
    turned = original @ forward[:, :2].T + forward[:, 2]
    assert (turned > -1e-6).all()
    assert (turned <= np.array(upright.image.shape[::-1]) + 1e-6).all()
    np.testing.assert_allclose(upright.map_to_page(turned), original, atol=1e-6)


def test_the_way_back_finds_the_ink(draw: Any) -> None:
    page = np.full((400, 600), 255, np.uint8)
    page[100:110, 450:460] = 0
    upright = preprocess.turn(page, 9.0)
    rows, columns = np.nonzero(upright.image < 128)
    np.testing.assert_allclose(
        upright.map_to_page(np.array([[columns.mean(), rows.mean()]])), [[454.5, 104.5]], atol=1.0
    )
