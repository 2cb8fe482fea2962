from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from shared.errors import TooManyPixels, TruncatedImage
from shared.limits import Limits
from shared.result import STAGES
from tests.images import saved, saved_together
from worker.ocr.pipeline import Options, recognize_document

BLOCK, STEP = 20, 32  # px: a row of blocks reads as a row of x


def blocks(*rows: tuple[int, int, int], size: tuple[int, int] = (300, 400)) -> np.ndarray:
    """Draw rows of blocks: how many, left, top."""
    page = np.full(size, 255, np.uint8)
    for count, left, top in rows:
        for i in range(count):
            page[top + 2 : top + BLOCK - 2, left + i * STEP + 7 : left + i * STEP + 13] = 0  # like an I with serifs
            page[top : top + 4, left + i * STEP : left + i * STEP + BLOCK] = 0
            page[top + BLOCK - 4 : top + BLOCK, left + i * STEP : left + i * STEP + BLOCK] = 0
    return page


def test_a_page_is_read_line_by_line(recognizer: Any, encode: Any) -> None:
    page = blocks((4, 40, 40), (7, 40, 90), (5, 40, 140))
    result = recognize_document(encode(page), recognizer, Options(layout="page"))
    assert result.text == "xxxx\nxxxxxxx\nxxxxx"
    assert result.model.name == "ink"


def test_polygons_lie_on_the_writing_of_the_original_page(recognizer: Any, encode: Any) -> None:
    result = recognize_document(encode(blocks((6, 40, 40), (6, 40, 120))), recognizer, Options(layout="page"))
    for line, top in zip(result.pages[0].lines, (40, 120), strict=True):
        np.testing.assert_allclose(line.polygon[0], (40, top), atol=3)
        np.testing.assert_allclose(line.polygon[2], (40 + 5 * STEP + BLOCK, top + BLOCK), atol=3)


def test_polygons_of_a_tilted_page_lie_on_the_writing_too(recognizer: Any, encode: Any) -> None:
    size = (700, 900)
    page = blocks(*[(20, 120, 120 + 60 * i) for i in range(8)], size=size)
    matrix = cv2.getRotationMatrix2D((450, 350), 5.0, 1.0)
    turned = cv2.warpAffine(page, matrix, size[::-1], borderValue=255)
    (read,) = recognize_document(encode(turned), recognizer, Options(layout="page")).pages
    assert read.angle == pytest.approx(5.0, abs=0.2)
    assert len(read.lines) == 8
    corners = np.array([[120, 120], [120 + 19 * STEP + BLOCK, 120], [120 + 19 * STEP + BLOCK, 120 + BLOCK]])
    np.testing.assert_allclose(read.lines[0].polygon[:3], corners @ matrix[:, :2].T + matrix[:, 2], atol=5)


def test_the_words_of_a_line_lie_within_it(recognizer: Any, encode: Any) -> None:
    (line,) = recognize_document(encode(blocks((6, 40, 40))), recognizer, Options(layout="page")).pages[0].lines
    (word,) = line.words
    assert word.text == "xxxxxx"
    np.testing.assert_allclose(word.polygon, line.polygon, atol=4)


@pytest.mark.parametrize("layout", ["line", "page", "auto"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (3, 3), (60, 600), (300, 300)])
@pytest.mark.parametrize("kind", ["black", "white", "noise"])
def test_no_image_crashes_and_a_blank_one_reads_as_nothing(
    recognizer: Any, encode: Any, layout: Any, shape: tuple[int, int], kind: str
) -> None:
    noise = np.random.default_rng(3).integers(0, 256, shape, np.uint8)
    image = {"black": np.zeros(shape, np.uint8), "white": np.full(shape, 255, np.uint8), "noise": noise}[kind]
    result = recognize_document(encode(image), recognizer, Options(layout=layout))
    if kind != "noise":
        assert result.text == ""
        assert result.confidence is None
    assert (result.pages[0].width, result.pages[0].height) == shape[::-1]


def test_layout_line_reads_one_line_of_whatever_it_is_given(recognizer: Any, encode: Any) -> None:
    page = blocks((3, 10, 10), (3, 250, 10), size=(40, 400))
    assert recognize_document(encode(page), recognizer, Options(layout="line")).text == "xxxxxx"


def test_pages_are_numbered_from_one(recognizer: Any) -> None:
    content = saved_together(*(Image.fromarray(blocks((n, 40, 40))) for n in (4, 5)))
    result = recognize_document(content, recognizer, Options(layout="page"))
    assert [(page.page_number, page.text) for page in result.pages] == [(1, "xxxx"), (2, "xxxxx")]
    assert result.text == "xxxx\n\nxxxxx"


def test_the_size_is_that_of_the_page_as_it_is_seen(recognizer: Any) -> None:
    exif = Image.Exif()
    exif[274] = 6
    content = saved(Image.fromarray(blocks((4, 40, 40), size=(200, 300))), "JPEG", exif=exif)
    (page,) = recognize_document(content, recognizer).pages
    assert (page.width, page.height) == (200, 300)


def test_every_phase_is_timed(recognizer: Any, encode: Any) -> None:
    timings = recognize_document(encode(blocks((4, 40, 40))), recognizer).timings_ms
    assert tuple(timings) == STAGES
    assert all(value >= 0 for value in timings.values())
    assert timings["recognition"] > 0


def test_the_checkpoint_can_stop_the_work(recognizer: Any, encode: Any) -> None:
    calls = []

    def stop_at_the_second_call() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        recognize_document(encode(blocks((4, 40, 40))), recognizer, checkpoint=stop_at_the_second_call)
    assert recognizer.batch_shapes == []


def test_the_limits_of_the_options_hold(recognizer: Any, encode: Any) -> None:
    with pytest.raises(TooManyPixels):
        recognize_document(encode(blocks()), recognizer, Options(limits=Limits(max_pixels=100)))


def test_a_truncated_body_is_named_so(recognizer: Any, encode: Any) -> None:
    content = encode(blocks((4, 40, 40)))
    with pytest.raises(TruncatedImage):
        recognize_document(content[:-20], recognizer)


def test_reading_twice_gives_the_same(recognizer: Any, encode: Any) -> None:
    content = encode(blocks((4, 40, 40), (7, 40, 90)))
    first, second = (recognize_document(content, recognizer).to_json() for _ in range(2))
    assert first == second


def test_a_charset_without_what_is_printed_reads_nothing_else(recognizer: Any, encode: Any) -> None:
    content = encode(blocks((6, 40, 40)))
    assert recognize_document(content, recognizer, Options(layout="line")).text
    assert recognize_document(content, recognizer, Options(layout="line", charset="digits")).text == ""
