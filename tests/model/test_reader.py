"""What decides what is read, in one SHA-256: whatever changes it makes a repeated document be read anew."""

from __future__ import annotations

from pathlib import Path

import pytest

import models
from models import detector
from shared.settings import Settings
from worker.models.equipment import reader_sha256


@pytest.fixture(scope="module")
def parts() -> tuple[models.Recognizer, detector.Detector, Settings]:
    return models.load(), detector.load(), Settings.load()


def test_an_equal_reader_has_an_equal_sha256(parts: tuple[models.Recognizer, detector.Detector, Settings]) -> None:
    again = models.load(), detector.load(), Settings.load(port=1234)
    assert reader_sha256(*parts) == reader_sha256(*again)


def test_each_part_of_a_reader_changes_its_sha256(
    parts: tuple[models.Recognizer, detector.Detector, Settings], tiny_model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognizer, finder, settings = parts
    found = {
        reader_sha256(recognizer, finder, settings),
        reader_sha256(models.load(str(tiny_model_path)), finder, settings),
        reader_sha256(recognizer, None, settings),
        reader_sha256(recognizer, finder, settings.model_copy(update={"quality_admission": "off"})),
    }
    monkeypatch.setattr(recognizer, "ngram", None)
    found.add(reader_sha256(recognizer, finder, settings))
    monkeypatch.setattr("worker.models.equipment.version", lambda _name: "another")
    found.add(reader_sha256(recognizer, finder, settings))
    assert len(found) == 6
