"""The shipped detector on the samples, and what happens with files that are none."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import models
from models import detector
from models.card import ModelFileError
from models.recognizer import DEFAULT, WEIGHTS
from worker.ocr.ink.copies import Copies
from worker.ocr.lines.classical import find
from worker.ocr.lines.learned import detection

SAMPLES = Path(__file__).parents[2] / "docs" / "samples"


@pytest.fixture(scope="module")
def shipped() -> detector.Detector:
    return detector.load()


@pytest.mark.parametrize("shape", [(1, 1), (4, 200), (33, 31), (320, 64)])
def test_the_maps_have_a_cell_for_each_four_pixels(shipped: detector.Detector, shape: tuple[int, int]) -> None:
    maps = shipped.maps(np.full(shape, 255, np.uint8))
    assert maps.shape == (3, -(-shape[0] // 4), -(-shape[1] // 4)) and maps.dtype == np.float32
    assert (maps[0] >= 0).all() and (maps[0] <= 1).all()


class Watched:
    """A session, and the pixels of each page that it was given."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.sizes: list[int] = []

    def run(self, outputs: None, inputs: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        self.sizes += [one.size for one in inputs.values()]
        return self._session.run(outputs, inputs)  # type: ignore[no-any-return]


def test_a_large_page_is_looked_at_in_parts_that_show_what_the_whole_shows(shipped: detector.Detector) -> None:
    sample = np.asarray(cv2.imread(str(SAMPLES / "page.png"), cv2.IMREAD_GRAYSCALE), np.uint8)
    page = np.asarray(cv2.resize(sample, (1280, 2400), interpolation=cv2.INTER_CUBIC), np.uint8)  # whole multiples
    inputs = page.astype(np.float32)[None, None] / 127.5 - 1
    whole = shipped.session.run(None, {shipped.input_name: inputs})[0][0]
    watched = copy.copy(shipped)
    watched.session = Watched(shipped.session)
    apart = np.abs(watched.maps(page) - whole)  # what is a hair's breadth apart may be rounded to the next step of int8
    assert (apart > 1e-3).mean() < 1e-4 and apart.max() < 0.02  # 1.1e-3 and .2 where a part sees 32 px less around it
    assert len(watched.session.sizes) > 1 and max(watched.session.sizes) <= detector.MOST_PIXELS


def test_it_finds_the_lines_of_the_sample_page(shipped: detector.Detector) -> None:
    page = np.asarray(cv2.imread(str(SAMPLES / "page.png"), cv2.IMREAD_GRAYSCALE), np.uint8)
    found, expected = detection.find_lines(Copies(page), shipped), find.find_lines(Copies(page))
    assert len(found) == pytest.approx(len(expected), abs=2)


def test_blank_paper_has_no_lines(shipped: detector.Detector) -> None:
    for level in (0, 128, 255):
        assert detection.find_lines(Copies(np.full((700, 500), level, np.uint8)), shipped) == []


def test_the_file_says_what_it_is(shipped: detector.Detector) -> None:
    assert shipped.card.name == detector.DEFAULT
    assert shipped.card.training["pages"] > 1000
    assert detector.DetectorCard.from_metadata(shipped.card.to_metadata(), "x", "y").version == shipped.card.version


def test_a_detector_is_not_listed_as_a_recogniser() -> None:
    assert detector.DEFAULT not in models.names()
    with pytest.raises(ModelFileError):
        models.load(detector.DEFAULT)


def test_what_is_no_detector_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no detector 'nowhere'"):
        detector.load("nowhere")
    shutil.copy(WEIGHTS / DEFAULT / "model.onnx", tmp_path / "model.onnx")
    with pytest.raises(ModelFileError, match="kind='recogniser'"):
        detector.load(str(tmp_path))
