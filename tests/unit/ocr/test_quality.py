from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from worker.ocr.page.quality import measure_page, measure_writing


def line(draw: Any, scale: float = 1.0, **colours: int) -> np.ndarray:
    return draw(
        ("Sharp ink on paper", 4, round(28 * scale)),
        size=(round(36 * scale), round(330 * scale)),
        scale=scale,
        **colours,
    )


def softness(image: np.ndarray, height: float) -> float:
    value = measure_writing([image], [height])["softness"]
    assert value is not None
    return value


def test_size_is_in_pixels(draw: Any) -> None:
    quality = measure_page(draw(("x", 5, 50), size=(60, 90)))
    assert (quality["width"], quality["height"]) == (90, 60)


def test_contrast_and_brightness_are_grey_levels(draw: Any) -> None:
    page = draw(*[("ink and paper", 5, 30 + 40 * i) for i in range(14)], ink=60, paper=200)
    quality = measure_page(page)
    assert (quality["contrast"], quality["brightness"]) == (140, 200)


def test_a_flat_page_has_neither_contrast_nor_sharpness() -> None:
    quality = measure_page(np.full((1, 5000), 77, np.uint8))
    assert (quality["contrast"], quality["blur"], quality["brightness"]) == (0.0, 0.0, 77.0)


def test_blur_lowers_the_variance_of_the_laplacian(draw: Any) -> None:
    page = draw(("sharp", 50, 100))
    sharp, blurred = measure_page(page)["blur"], measure_page(cv2.GaussianBlur(page, (0, 0), 3))["blur"]
    assert sharp is not None
    assert blurred is not None
    assert blurred < sharp / 4


def test_a_page_without_lines_has_no_writing_to_measure() -> None:
    assert set(measure_writing([], []).values()) == {None}


def test_text_height_is_the_median_of_all_lines(draw: Any) -> None:
    assert measure_writing([line(draw)] * 3, [10.0, 12.0, 30.0])["text_height"] == 12.0


@pytest.mark.parametrize(("ink", "paper"), [(60, 200), (230, 90)])
def test_the_contrast_of_writing_is_that_of_ink_and_paper(draw: Any, ink: int, paper: int) -> None:
    assert measure_writing([line(draw, ink=ink, paper=paper)], [22])["text_contrast"] == abs(ink - paper)


def test_the_more_blurred_the_softer(draw: Any) -> None:
    sharp = line(draw)
    measured = [softness(cv2.GaussianBlur(sharp, (0, 0), sigma), 22) for sigma in (0.5, 1.5, 3.0, 5.0)]
    assert measured == sorted(measured)
    assert measured[0] < 0.06
    assert measured[2] > 0.15


def test_softness_is_the_same_at_any_size(draw: Any) -> None:
    small, large = line(draw), line(draw, scale=2.0)
    blurred = [cv2.GaussianBlur(small, (0, 0), 2.5), cv2.GaussianBlur(large, (0, 0), 5.0)]
    assert softness(blurred[0], 22) == pytest.approx(softness(blurred[1], 44), rel=0.25)


def test_softness_does_not_depend_on_contrast(draw: Any) -> None:
    strong, faint = (cv2.GaussianBlur(line(draw, ink=ink), (0, 0), 3.0) for ink in (0, 200))
    assert softness(strong, 22) == pytest.approx(softness(faint, 22), rel=0.25)


def test_small_writing_that_is_sharp_is_not_soft(draw: Any) -> None:
    assert softness(line(draw, scale=0.35), 8) < 0.1
