"""A doubtful line of a small image is read in other shapes, too; the first reading stays unless others agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.unit.ocr.conftest import InkRecognizer
from tests.unit.ocr.test_pipeline import blocks
from worker.ocr.pipeline import Options, recognize_document
from worker.ocr.text import looks
from worker.ocr.text.ctc import Peak
from worker.ocr.text.decoder import Reading
from worker.ocr.text.looks import FEW, SHAPES, Shape, look_again

LINE = np.arange(50 * 200, dtype=np.uint32).reshape(50, 200).astype(np.uint8)


def reading(text: str, confidence: float) -> Reading:
    return Reading([Peak(one, confidence, 2 * i, 2 * i) for i, one in enumerate(text)], text)


class Reader:
    """Reads one answer after the other, and keeps what it was shown."""

    def __init__(self, *answers: Reading) -> None:
        self.answers, self.shown = list(answers), []  # type: tuple[list[Reading], list[Any]]

    def __call__(self, images: Sequence[Any]) -> list[Reading]:
        self.shown += images
        return [self.answers.pop(0) for _ in images]


def test_a_sure_line_is_read_once() -> None:
    read, first = Reader(), reading("Total", 0.96)
    assert look_again([LINE], [first], read) == [first]
    assert read.shown == []


def test_two_looks_that_agree_end_the_search_and_the_surer_one_is_kept() -> None:
    read = Reader(reading("Total", 0.8), reading("Tota", 0.7), reading("Total", 0.9))
    (found,) = look_again([LINE], [reading("T0tal", 0.7)], read)
    assert (found.text, found.peaks[0].confidence, len(read.shown)) == ("Total", 0.9, 3)


def test_the_first_look_counts_half_again() -> None:
    others = [reading(text, 0.75) for text in "abcdef"]
    assert look_again([LINE], [reading("T0tal", 0.7)], Reader(*others))[0].text == "T0tal"
    surer = [*others[:-1], reading("Total", 0.9)]
    assert look_again([LINE], [reading("T0tal", 0.7)], Reader(*surer))[0].text == "Total"


def test_nothing_is_never_agreed_on_against_something() -> None:
    read = Reader(*[reading("", 0.0) for _ in SHAPES[:-1]], reading("7", 0.4))
    assert look_again([LINE], [reading("", 0.0)], read)[0].text == "7"
    assert len(read.shown) == len(SHAPES)


@pytest.mark.parametrize(
    ("shape", "size"), [(Shape(1.2), (50, 240)), (Shape(0.9), (50, 180)), (Shape(cut=0.08), (42, 200))]
)
def test_shapes_change_the_size(shape: Shape, size: tuple[int, int]) -> None:
    assert shape.show(LINE).shape == size


def test_the_inverse_is_the_inverse_and_small_images_survive_every_shape() -> None:
    np.testing.assert_array_equal(Shape(inverse=True).show(LINE), 255 - LINE)
    for shape in SHAPES:
        assert min(shape.show(np.zeros((1, 1), np.uint8)).shape) == 1


@pytest.mark.parametrize(
    ("count", "quality", "is_looked_at"),
    [(1, "fast", True), (FEW, "fast", True), (FEW + 1, "fast", False), (1, "best", False), (1, "balanced", True)],
)
def test_only_a_few_lines_are_looked_at_and_only_by_the_fast_recogniser(
    count: int, quality: Any, is_looked_at: bool, encode: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "DOUBTFUL", 1.1)
    recognizer = InkRecognizer()
    page = blocks(*[(5, 40, 40 + 50 * row) for row in range(count)])
    result = recognize_document(encode(page), recognizer, Options("page", quality=quality))
    assert len(result.pages[0].lines) == count
    assert (len(recognizer.batch_shapes) > count) is is_looked_at
