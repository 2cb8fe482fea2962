"""Detectors of another make: loaded by how they behave, refused with the reason, and used like ours."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from models import ModelFileError, detector
from models.bringing import shelf
from models.db_detector import DbDetector, open_detector
from models.recognizer import DEFAULT, FILE_NAME, WEIGHTS
from shared.cli import main
from tests import tiny_db
from worker.ocr.ink.copies import Copies
from worker.ocr.lines.learned import shrunk
from worker.ocr.lines.learned.detection import find_lines


def page() -> np.ndarray:
    """Two lines of bars, 120 px apart."""
    gray = np.full((400, 600), 255, np.uint8)
    for top in (100, 220):
        for left in range(80, 440, 16):
            gray[top : top + 24, left : left + 8] = 0
    return gray


def test_each_region_of_a_map_is_a_line_that_is_grown_again() -> None:
    probability = np.zeros((200, 400), np.float32)
    probability[50:60, 40:340] = 0.9
    probability[120:130, 40:340] = 0.4  # likely, but not in the mean
    (box,) = shrunk.boxes_of(probability)
    left, top, right, bottom = *box.min(axis=0), *box.max(axis=0)
    assert box[0].tolist() == [left, top]
    assert (left, right) == pytest.approx((32, 347), abs=3)
    assert (top, bottom) == pytest.approx((42, 67), abs=3)


def test_a_line_that_rises_keeps_its_slope() -> None:
    probability = np.zeros((200, 400), np.float32)
    cv2.line(probability, (40, 120), (340, 90), 0.9, 10)
    (box,) = shrunk.boxes_of(probability)
    assert (box[1] - box[0])[1] / (box[1] - box[0])[0] == pytest.approx(-0.1, abs=0.02)


def test_lines_are_found_with_it(tmp_path: Path) -> None:
    found = find_lines(Copies(page()), open_detector(tiny_db.write(tmp_path / "db.onnx"), "db"))
    assert sorted(float(line.polygon.mean(axis=0)[1]) for line in found) == pytest.approx([112, 232], abs=4)
    assert all(line.hull[0] < 80 and line.hull[2] > 428 for line in found)


def test_ours_is_opened_as_ours() -> None:
    assert isinstance(open_detector(WEIGHTS / detector.DEFAULT / FILE_NAME, "ours"), detector.Detector)


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"channels": 1}, "A detector takes one"),
        ({"has_sigmoid": False}, "probabilities from 0 to 1"),
        ({"metadata": {"kind": "recogniser"}}, "is a recogniser"),
        ({"metadata": {"mean": "much"}}, "mean='much'"),
        ({"metadata": {"std": "0"}}, "std='0'"),
    ],
)
def test_what_cannot_be_run_is_refused_with_the_reason(tmp_path: Path, made: dict[str, object], reason: str) -> None:
    with pytest.raises(ModelFileError, match=reason):
        open_detector(tiny_db.write(tmp_path / "db.onnx", **made), "db")  # type: ignore[arg-type]


def test_a_recogniser_is_no_detector() -> None:
    with pytest.raises(ModelFileError, match="recogniser"):
        open_detector(WEIGHTS / DEFAULT / FILE_NAME, "crnn")


def test_a_card_beside_the_file_says_how_pixels_are_scaled(tmp_path: Path) -> None:
    path = tiny_db.write(tmp_path / "db.onnx")
    path.with_name("card.json").write_text(json.dumps({"mean": "0.485,0.456,0.406", "std": "0.2", "version": "3"}))
    found = DbDetector(path, "db")
    assert found.card.version == "3"
    assert found.maps(page()).shape == (1, 400, 600)


def test_one_of_ones_own_is_added_under_a_name_of_its_own_and_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "models"
    monkeypatch.setenv("OCRELAY_MODELS_DIR", str(folder))
    data = ["--data", str(tmp_path / "data")]
    path = tiny_db.write(tmp_path / "mine.onnx", metadata={"version": "7"})
    done = CliRunner().invoke(main, ["models", "add", str(path), "--detector", *data])
    assert done.exit_code == 0, done.output
    assert "ocrelay models activate detector-mine --role detector" in done.output
    assert "Any job may name it (detector=detector-mine) in a few seconds" in done.output
    assert (folder / "detector-mine" / FILE_NAME).is_file()
    listed = CliRunner().invoke(main, ["models", "list", *data]).output
    assert "detector-mine" in listed
    assert "finds" in next(line for line in listed.splitlines() if line.startswith(detector.DEFAULT))
    with pytest.raises(ModelFileError, match="There is a model 'detector-mine' already"):
        shelf.add_detector(path, "mine", folder)
    assert CliRunner().invoke(main, ["models", "remove", "detector-mine", *data]).exit_code == 0
    assert not (folder / "detector-mine").exists()


def test_one_that_sees_nothing_is_not_stored(tmp_path: Path) -> None:
    path = tiny_db.write(tmp_path / "blind.onnx", metadata={"mean": "-9"})
    with pytest.raises(ModelFileError, match="finds no line"):
        shelf.add_detector(path, "blind", tmp_path / "models")
    assert not (tmp_path / "models" / "detector-blind").exists()
