from __future__ import annotations

import cv2
import numpy as np
import pytest

from shared.uploads.header import Limits
from worker.ocr.decode import planes
from worker.ocr.decode.pages import decode_pages

RED, GREEN, BLUE, GRAY, ORANGE = (24, 20, 200), (10, 118, 12), (240, 60, 60), (150, 150, 150), (30, 140, 240)


def only_page(image: np.ndarray, extension: str) -> np.ndarray:
    (page,) = (page.gray for page in decode_pages(bytes(cv2.imencode(extension, image)[1]), Limits()))
    return page


def painted(ink: tuple[int, int, int], paper: tuple[int, int, int]) -> np.ndarray:
    image = np.full((120, 400, 3), paper, np.uint8)
    cv2.putText(image, "SALE ENDS", (20, 80), cv2.FONT_HERSHEY_SIMPLEX, 2.0, ink, 5, cv2.LINE_AA)
    return image


@pytest.mark.parametrize("extension", [".png", ".jpg", ".webp"])
@pytest.mark.parametrize(("ink", "paper"), [(RED, GREEN), (BLUE, RED), (ORANGE, GRAY)])
def test_writing_as_bright_as_its_ground_shows(
    ink: tuple[int, int, int], paper: tuple[int, int, int], extension: str
) -> None:
    level = cv2.cvtColor(np.array([[paper]], np.uint8), cv2.COLOR_BGR2GRAY)[0, 0]
    tint = np.array(ink, np.float32)
    for _ in range(20):  # make the ink exactly as bright as its ground, whatever the weights are
        now = cv2.cvtColor(tint.reshape(1, 1, 3).astype(np.uint8), cv2.COLOR_BGR2GRAY)[0, 0]
        tint = np.clip(tint * (float(level) / max(float(now), 1.0)), 0, 255)
    page = only_page(painted(tuple(int(v) for v in tint), paper), extension)
    assert float(np.ptp(page[20:100, 20:380])) > 60


def test_dark_writing_on_white_is_gray_as_ever() -> None:
    image = painted((60, 20, 20), (255, 255, 255))
    np.testing.assert_array_equal(only_page(image, ".png"), cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))


@pytest.mark.parametrize("bubble", [(105, 236, 149), (250, 220, 180), (255, 255, 255)])
def test_a_bubble_whose_edge_gray_hardly_shows_stays_gray(
    bubble: tuple[int, int, int],
) -> None:
    image = np.full((240, 600, 3), 237, np.uint8)
    image[60:140, 150:560] = bubble
    cv2.putText(image, "see you", (170, 110), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (0, 0, 0), 2, cv2.LINE_AA)
    np.testing.assert_array_equal(only_page(image, ".png"), cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))


def test_only_the_place_where_gray_hides_something_is_changed() -> None:
    image = np.full((800, 800, 3), 255, np.uint8)
    image[:120, :400] = painted(RED, GREEN)
    image[600:700, 500:700] = 0
    gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    clear = planes.clearest(image, gray)
    np.testing.assert_array_equal(clear[500:], gray[500:])
    assert not np.array_equal(clear[:120, :400], gray[:120, :400])


@pytest.mark.parametrize(("level", "ground"), [(255, 0), (200, 0), (90, 255), (0, 255)])
def test_what_is_transparent_lies_on_the_ground_that_shows_the_writing(level: int, ground: int) -> None:
    image = np.zeros((60, 200, 4), np.uint8)
    image[20:40, 20:120] = (level, level, level, 255)
    page = only_page(image, ".png")
    assert page[0, 0] == ground
    assert page[30, 50] == level


def test_a_bright_page_with_writing_of_its_own_lies_on_white() -> None:
    image = np.zeros((60, 200, 4), np.uint8)
    image[5:-5, 5:-5] = (255, 255, 255, 255)
    image[20:40, 20:120] = (0, 0, 0, 255)
    assert only_page(image, ".png")[0, 0] == 255


def test_black_and_white_writing_on_transparency_both_show() -> None:
    image = np.zeros((120, 400, 4), np.uint8)
    cv2.putText(image, "Black line", (10, 45), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (0, 0, 0, 255), 2)
    cv2.putText(image, "White line", (10, 95), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (255, 255, 255, 255), 2)
    (page,) = decode_pages(bytes(cv2.imencode(".png", image)[1]), Limits())
    assert page.gray.min() < 20 and page.gray.max() > 235 and 120 <= np.median(page.gray) <= 136
