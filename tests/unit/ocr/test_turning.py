from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import pytest

from models.calibration import IDENTITY, Calibration
from models.charset import Charset
from models.frames import Frames
from models.line_image import prepare
from worker.ocr.page import turning
from worker.ocr.page.preprocess import straighten
from worker.ocr.pipeline import Options, recognize_document
from worker.ocr.reading import taken_for_line
from worker.ocr.text import looks

ROWS = [("Letters have feet to stand on", 60, 80 + 60 * row) for row in range(8)]
TURNS = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}  # undone by so many quarters


@dataclass(frozen=True)
class Card:
    name: str = "heavy"
    version: str = "1"
    sha256: str = "0" * 64
    charset: Charset = field(default_factory=lambda: Charset(["x", "y", " "]))
    calibration: Calibration = IDENTITY
    input_height: int = 32
    time_stride: int = 4
    margin: float = 0.06


class HeavyFootRecognizer:
    """Reads every run of ink as `x`; it is sure of long lines whose ink is heavier below their middle than above."""

    card = Card()
    ngram = None

    def __init__(self) -> None:
        self.line_count = 0

    def prepare(self, gray: np.ndarray) -> np.ndarray:
        return prepare(gray)

    def frames(self, batch: np.ndarray) -> list[Frames]:
        self.line_count += len(batch)
        columns = batch[:, 0].reshape(len(batch), 32, -1, 4).mean(axis=3)
        ink = columns.mean(axis=1) < 0.0
        heavy = columns[:, 16:].mean(axis=(1, 2)) < columns[:, :16].mean(axis=(1, 2))
        heavy &= batch.shape[3] > 200
        x = np.where(ink, 6.0, -6.0)
        doubt = np.where(heavy, 2.0, 5.8)[:, None]
        logits = np.stack([np.zeros_like(x), x, np.where(ink, doubt, -9.0), np.full_like(x, -9.0)], axis=2)
        return [Frames.of(line) for line in logits.astype(np.float32)]


def heavy_page(*, columns: int = 14, rows: int = 8) -> np.ndarray:
    """Rows of signs like an L lying on its back: a thin stem, and a heavy foot."""
    page = np.full((rows * 60 + 90, columns * 34 + 100), 255, np.uint8)
    for row in range(rows):
        for column in range(columns - row % 3):
            left, top = 50 + 34 * column, 50 + 60 * row
            page[top : top + 24, left + 8 : left + 13] = 0
            page[top + 16 : top + 24, left : left + 24] = 0
    return page


def read(page: np.ndarray, encode: Any, layout: Any = "page") -> tuple[Any, int]:
    recognizer = HeavyFootRecognizer()
    return recognize_document(encode(page), recognizer, Options(layout=layout)).pages[0], recognizer.line_count


@pytest.mark.parametrize(("quarters", "angle"), [(1, 90.0), (2, 180.0), (3, -90.0)])
def test_a_page_that_lies_wrong_reads_like_the_upright_one(quarters: int, angle: float, encode: Any) -> None:
    upright, _ = read(heavy_page(), encode)
    found, _ = read(cv2.rotate(heavy_page(), TURNS[quarters]), encode)
    assert found.text == upright.text
    assert found.angle == pytest.approx(angle, abs=0.2)
    assert [line.confidence for line in found.lines] == [line.confidence for line in upright.lines]


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_polygons_of_a_turned_page_lie_on_its_writing(quarters: int, encode: Any) -> None:
    page = heavy_page()
    height, width = page.shape
    upright, _ = read(page, encode)
    found, _ = read(cv2.rotate(page, TURNS[quarters]), encode)
    corners = np.array([line.polygon for line in upright.lines])
    x, y = corners[..., 0], corners[..., 1]
    there = {1: (y, width - x), 2: (width - x, height - y), 3: (height - y, x)}[quarters]
    np.testing.assert_allclose([line.polygon for line in found.lines], np.stack(there, axis=-1), atol=0.2)


def test_a_turned_page_that_is_tilted_too_is_straightened(encode: Any) -> None:
    page = np.pad(heavy_page(), 60, constant_values=255)
    matrix = cv2.getRotationMatrix2D((page.shape[1] / 2, page.shape[0] / 2), 4.0, 1.0)
    tilted = cv2.warpAffine(page, matrix, page.shape[::-1], borderValue=255)
    found, _ = read(cv2.rotate(tilted, TURNS[1]), encode)
    assert found.angle == pytest.approx(94.0, abs=0.5)
    assert len(found.lines) == 8


def test_a_page_that_reads_well_is_read_once_and_left_alone(encode: Any) -> None:
    page, lines_read = read(heavy_page(), encode)
    assert page.angle == 0.0
    assert lines_read == len(page.lines)


def test_a_line_is_what_the_sender_says(encode: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "SHAPES", ())
    monkeypatch.setattr(taken_for_line, "DOUBT", 0.0)
    line = cv2.rotate(heavy_page(rows=1)[40:84], cv2.ROTATE_180)
    page, lines_read = read(line, encode, "line")
    assert (page.angle, lines_read) == (0.0, 1)


def test_a_single_line_upside_down_is_turned_where_the_server_may_look(encode: Any) -> None:
    page, _ = read(cv2.rotate(heavy_page(rows=1)[40:84], cv2.ROTATE_180), encode, "auto")
    assert page.angle == 180.0


def lines(count: int, width: int = 300) -> list[np.ndarray]:
    return [np.full((30, width), 255, np.uint8)] * count


def never(*_: object) -> Any:
    raise AssertionError("nobody asked for this")


def reads_as(*confidences: float, characters: int = 10) -> Any:
    """A reader that answers each call with the next confidence."""
    answers = iter(confidences)

    def read_lines(images: Sequence[np.ndarray]) -> list[list[float]]:
        value = next(answers)
        return [[value] * characters for _ in images]

    return read_lines


def test_a_page_without_lines_is_not_turned() -> None:
    assert turning.find_turn([], [], never, never) == 0


def test_long_lines_that_read_badly_are_only_tried_upside_down() -> None:
    assert turning.find_turn(lines(5), [[0.6] * 20] * 5, reads_as(0.95, 0.95), never) == 2


@pytest.mark.parametrize(("below", "above", "turn"), [(0.95, 0.5, 1), (0.5, 0.95, 3)])
def test_stubs_of_lines_are_tried_on_both_sides(below: float, above: float, turn: int) -> None:
    found = turning.find_turn(lines(5), [[0.4]] * 5, reads_as(0.3, below, above), lambda _: lines(3))
    assert found == turn


def test_stubs_that_stay_stubs_must_read_surely_to_turn_a_page() -> None:
    """An 8 in a cell reads as oo when it lies on its side."""
    cells = lines(8, width=30)
    assert turning.find_turn(cells, [[0.6]] * 8, reads_as(0.3, 0.4, 0.8, characters=2), lambda _: cells) == 0
    assert turning.find_turn(cells, [[0.6]] * 8, reads_as(0.3, 0.4, 0.95, characters=2), lambda _: cells) == 3


def test_long_lines_that_read_like_nothing_are_tried_on_both_sides_too() -> None:
    assert turning.find_turn(lines(5), [[0.3] * 20] * 5, reads_as(0.3, 0.9, 0.4), lambda _: lines(3)) == 1


def test_a_page_that_reads_well_upside_down_is_not_searched_anew() -> None:
    assert turning.find_turn(lines(5), [[0.3]] * 5, reads_as(0.95, 0.95), never) == 2


@pytest.mark.parametrize(("now", "other"), [(0.7, 0.74), (0.55, 0.6)])
def test_a_page_is_left_alone_when_no_direction_is_clearly_better(now: float, other: float) -> None:
    assert turning.find_turn(lines(5), [[now] * 20] * 5, reads_as(other, other), never) == 0


def test_a_few_characters_turn_nothing() -> None:
    assert turning.find_turn(lines(1), [[0.3] * 5], reads_as(0.99, characters=5), never) == 0


@pytest.mark.parametrize(("confidence", "read"), [(0.5, [turning.PROBE]), (0.6, [turning.PROBE, 8])])
def test_only_some_lines_are_read_again_and_few_where_these_read_no_better(confidence: float, read: list[int]) -> None:
    sizes = []

    def count(images: Sequence[np.ndarray]) -> list[list[float]]:
        sizes.append(len(images))
        return [[confidence]] * len(images)

    turning.find_turn(lines(100), [[0.5] * 9] * 100, count, never)
    assert sizes == read
    assert turning.SAMPLE == 12


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_the_way_back_leads_to_the_same_pixels(quarters: int, draw: Any) -> None:
    page = draw(*ROWS)
    upright = turning.turn_upright(cv2.rotate(page, TURNS[quarters]), quarters)
    assert (upright.image == straighten(page).image).all()
    corner = upright.map_to_page(np.array([[0.0, 0.0], [800.0, 600.0]]))
    expected = {1: [[0, 800], [600, 0]], 2: [[800, 600], [0, 0]], 3: [[600, 0], [0, 800]]}[quarters]
    np.testing.assert_allclose(corner, expected, atol=1e-6)
