from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from worker.ocr.quality import measure_quality


def test_size_and_text_height_are_in_pixels(draw: Any) -> None:
    quality = measure_quality(draw(("x", 5, 50), size=(60, 90)), [10.0, 12.0, 30.0])
    assert (quality["width"], quality["height"], quality["text_height"]) == (90, 60, 12.0)


def test_a_page_without_lines_has_no_text_height() -> None:
    assert measure_quality(np.zeros((5, 5), np.uint8), [])["text_height"] is None


def test_contrast_is_the_distance_of_ink_and_paper_in_grey_levels(draw: Any) -> None:
    page = draw(*[("ink and paper", 5, 30 + 40 * i) for i in range(14)], ink=60, paper=200)
    assert measure_quality(page, [])["contrast"] == 140


def test_a_flat_page_has_neither_contrast_nor_sharpness() -> None:
    quality = measure_quality(np.full((1, 5000), 77, np.uint8), [])
    assert (quality["contrast"], quality["blur"]) == (0.0, 0.0)


def test_blur_lowers_the_variance_of_the_laplacian(draw: Any) -> None:
    page = draw(("sharp", 50, 100))
    sharp, blurred = measure_quality(page, [])["blur"], measure_quality(cv2.GaussianBlur(page, (0, 0), 3), [])["blur"]
    assert sharp is not None
    assert blurred is not None
    assert blurred < sharp / 4
