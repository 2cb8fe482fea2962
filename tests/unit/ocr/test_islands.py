from __future__ import annotations

import cv2
import numpy as np
import pytest

from worker.ocr.page.islands import in_one_polarity


def line(*, ground: int = 255, ink: int = 0) -> np.ndarray:
    image = np.full((40, 400), ground, np.uint8)
    cv2.putText(image, "Glucose", (5, 29), cv2.FONT_HERSHEY_SIMPLEX, 0.8, ink, 2)
    cv2.putText(image, "mg/dL", (260, 29), cv2.FONT_HERSHEY_SIMPLEX, 0.8, ink, 2)
    return image


@pytest.mark.parametrize(("ground", "ink"), [(255, 0), (20, 230)])
def test_a_value_in_a_filled_box_is_inverted(ground: int, ink: int) -> None:
    plain = line(ground=ground, ink=ink)
    boxed = plain.copy()
    boxed[3:38, 150:220] = ink
    for image, colour in ((plain, ink), (boxed, ground)):
        cv2.putText(image, "36", (165, 29), cv2.FONT_HERSHEY_SIMPLEX, 0.8, colour, 2)
    assert np.abs(in_one_polarity(boxed).astype(int) - plain).mean() < 3


def test_a_line_without_an_island_is_left_as_it_is() -> None:
    plain = line()
    assert in_one_polarity(plain) is plain


def test_bold_hanzi_with_closed_frames_are_no_islands() -> None:
    image = np.full((40, 400), 255, np.uint8)
    for left in range(5, 360, 42):  # 国, as bold as they come
        cv2.rectangle(image, (left, 3), (left + 36, 36), 0, 6)
        cv2.line(image, (left, 20), (left + 36, 20), 0, 5)
    assert in_one_polarity(image) is image


def test_a_line_that_is_white_on_black_as_a_whole_is_left_as_it_is() -> None:
    dark = line(ground=10, ink=240)
    assert in_one_polarity(dark) is dark
