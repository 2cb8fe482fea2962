"""Photographs of more pixels than may be decoded: reduced while they are decoded, with places in the upload."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from shared.errors import TooManyPixels
from shared.limits import Limits
from shared.result import Line, Page, Reason
from shared.result.line import Character, Word
from shared.uploads import header, jpeg, reduced
from worker.ocr.decode.pages import DecodedPage, decode_pages
from worker.ocr.page.enlarge import enlarge

SAMPLES = Path(__file__).parents[2] / "samples"
LIMITS = replace(Limits(), max_pixels=100 * 100)


def photograph(width: int, height: int, *, progressive: bool = False) -> bytes:
    """In colour; its colours have half the resolution."""
    image = np.full((height, width, 3), 255, np.uint8)
    image[:, : width // 2] = 0
    written, content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)])
    assert written
    return content.tobytes()


def decoded(content: bytes) -> DecodedPage:
    (page,) = decode_pages(content, LIMITS)
    assert isinstance(page, DecodedPage)
    return page


def test_a_photograph_of_48_million_pixels_is_taken_by_default() -> None:
    found = header.inspect(photograph(8064, 6048), Limits())
    assert (found.width, found.height) == (8064, 6048)


def test_it_is_reduced_and_knows_its_own_size() -> None:
    page = decoded(photograph(181, 151))
    assert (page.gray.shape, page.reduced, page.size) == ((76, 91), 2, (181, 151))
    assert page.gray[:, :40].max() < 30 and page.gray[:, 50:].min() > 225


def test_what_fits_is_decoded_as_it_is() -> None:
    page = decoded(photograph(100, 100))
    assert (page.gray.shape, page.reduced, page.size) == ((100, 100), 1, None)


@pytest.mark.parametrize(
    "content", [photograph(201, 200), photograph(150, 150, progressive=True)], ids=["too large", "progressive"]
)
def test_what_does_not_fit_even_so_is_refused(content: bytes) -> None:
    with pytest.raises(TooManyPixels):
        header.inspect(content, LIMITS)


def test_a_jpeg_cut_off_is_never_reduced() -> None:
    with pytest.raises(Exception):  # noqa: B017  (whatever it is, it is no factor)
        reduced.factor(photograph(200, 200)[:30], "image/jpeg", (200, 200), 1)


def test_a_progressive_one_is_reduced_as_long_as_its_coefficients_take_no_more_than_one_that_fits() -> None:
    assert jpeg.coefficients_bytes(photograph(100, 100)) == 0
    assert jpeg.coefficients_bytes(photograph(112, 112, progressive=True)) == 2 * 112 * 112 * 3 // 2
    page = decoded(photograph(128, 112, progressive=True))
    assert (page.gray.shape, page.reduced, page.size) == ((56, 64), 2, (128, 112))


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (photograph(150, 150, progressive=True), "not progressive"),
        ((SAMPLES / "line.heic").read_bytes(), "as a JPEG"),
    ],
    ids=["progressive", "HEIC"],
)
def test_what_would_take_too_much_memory_says_how_to_send_it(content: bytes, advice: str) -> None:
    with pytest.raises(TooManyPixels, match=advice):
        header.inspect(content, LIMITS)


def test_a_heic_of_48_million_pixels_is_reduced_behind_its_decoder() -> None:
    (page,) = decode_pages((SAMPLES / "large.heic").read_bytes(), Limits())
    assert isinstance(page, DecodedPage)
    assert (page.gray.shape, page.reduced, page.size) == ((3024, 4032), 2, (8064, 6048))
    assert page.gray.max() > 250 and page.gray[1500:1720].min() < 60, "the line stands in its middle"


def test_places_are_in_pixels_of_the_upload_and_never_beyond() -> None:
    place = ((1.0, 2.0), (50.5, 2.0), (50.5, 10.0), (1.0, 10.0))
    line = Line("x", "x", place, (Character("x", 1.0, 0.0, 1.0),), (Word("x", 1.0, place),))
    reason = Reason("cut_off", "edge", 1, 0, "", (place,))
    page = enlarge(Page(1, 51, 40, 0.0, {}, (line,), (reason,)), 2, (101, 80))
    there = ((2.0, 4.0), (101.0, 4.0), (101.0, 20.0), (2.0, 20.0))
    assert (page.width, page.height) == (101, 80)
    assert page.lines[0].polygon == page.lines[0].words[0].polygon == page.warnings[0].places[0] == there
