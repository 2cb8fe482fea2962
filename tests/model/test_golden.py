"""Golden lines: what each model carries, and when it is no longer the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import models
from models import ModelFileError, detector, golden
from models.bringing import shelf
from models.frames import Frames
from models.recognizer import WEIGHTS
from tests import tiny_foreign

ENGLISH = "The quick brown fox jumps over the lazy dog, 1234567890."


def test_the_shipped_model_carries_what_it_reads() -> None:
    stated = golden.stated_beside(WEIGHTS / "crnn-zh-en" / "model.onnx")
    assert stated is not None and stated["english"] == ENGLISH
    assert stated.keys() == {path.stem for path in golden.LINES.glob("*.png")}
    golden.check(models.load(), stated)


def test_a_model_that_is_added_carries_what_it_has_read(tmp_path: Path) -> None:
    shelf.add(tiny_foreign.write(tmp_path / "own.onnx"), "own", tmp_path / "installed")
    path = tmp_path / "installed" / "own" / "model.onnx"
    stated = golden.stated_beside(path)
    assert stated is not None and len(stated) == 3
    golden.check(models.Recognizer(path, "own"), stated)


def test_a_model_that_reads_otherwise_than_its_author_says_is_not_added(tmp_path: Path) -> None:
    file = tiny_foreign.write(tmp_path / "own.onnx")
    golden.write_beside(file, {"english": ENGLISH})
    with pytest.raises(ModelFileError, match="must read"):
        shelf.add(file, "own", tmp_path / "installed")
    assert not (tmp_path / "installed" / "own").exists()


def test_one_character_may_differ_and_a_word_may_not() -> None:
    reader = models.load()
    golden.check(reader, {"english": ENGLISH.replace("1234567890", "12345678l0")})
    with pytest.raises(ModelFileError, match="'english'"):
        golden.check(reader, {"english": ENGLISH.replace("lazy dog", "quick brown cat")})


@pytest.mark.parametrize("text", ["[]", "{}", '{"french": "Voilà"}', '{"english": "\\ud800"}', "[" * 100_000])
def test_what_says_nothing_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / golden.FILE_NAME).write_text(text, "utf-8")
    with pytest.raises(ModelFileError, match="Correct or remove"):
        golden.stated_beside(tmp_path / "model.onnx")
    assert golden.stated_beside(tmp_path / "elsewhere" / "model.onnx") is None


class Blind:
    """A detector that sees nothing."""

    card = detector.DetectorCard("blind", "1", "")

    def maps(self, gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.zeros((3, -(-gray.shape[0] // 4), -(-gray.shape[1] // 4)), np.float32)


def test_a_detector_must_find_each_golden_line() -> None:
    golden.check_detector(detector.load())
    with pytest.raises(ModelFileError, match="finds no line"):
        golden.check_detector(Blind())


@pytest.mark.parametrize(("sight", "softmax"), [(np.nan, True), (np.nan, False), (np.inf, False)])
def test_a_model_whose_weights_are_no_numbers_is_not_added(tmp_path: Path, sight: float, softmax: bool) -> None:
    file = tiny_foreign.write(tmp_path / "own.onnx", tiny_foreign.Foreign(sight=sight, softmax=softmax))
    with pytest.raises(ModelFileError, match="not finite"):
        shelf.add(file, "own", tmp_path / "installed")
    assert not (tmp_path / "installed").exists()


def test_a_model_that_reads_nothing_is_not_added(tmp_path: Path) -> None:
    file = tiny_foreign.write(tmp_path / "own.onnx", tiny_foreign.Foreign(sight=0.0))
    with pytest.raises(ModelFileError, match="reads nothing at all"):
        shelf.add(file, "own", tmp_path / "installed")
    golden.write_beside(file, dict.fromkeys(("chinese", "english", "mixed"), ""))
    with pytest.raises(ModelFileError, match="reads nothing at all"):
        shelf.add(file, "own", tmp_path / "installed")


class Dazzled:
    """A recogniser that gives finite numbers for noise and none for text."""

    def __init__(self) -> None:
        self._reader = models.load()
        self.card, self.prepare = self._reader.card, self._reader.prepare

    def frames(self, batch: NDArray[np.float32]) -> list[Frames]:
        return [Frames.of(np.full((8, len(self.card.charset)), np.nan, np.float32)) for _ in batch]


def test_what_is_not_finite_for_text_alone_is_told() -> None:
    with pytest.raises(ModelFileError, match="not finite for the golden line 'chinese'"):
        golden.check(Dazzled(), {})


class NoNumbers:
    """A session that gives probabilities that are none."""

    def run(self, *_asked: object) -> list[NDArray[np.float32]]:
        return [np.full((1, 3, len(tiny_foreign.CHARSET) + 2), np.nan, np.float32)]


def test_probabilities_that_are_no_numbers_are_not_taken_for_blanks(tmp_path: Path) -> None:
    reader = models.load(str(tiny_foreign.write(tmp_path / "own.onnx")))
    reader.session = NoNumbers()
    assert np.isnan(reader.logits(np.zeros((1, 3, 48, 24), np.float32))).all()
