"""Which of the lines that were found by searching the stronger recogniser looks at, and what is taken of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from tests.unit.ocr.conftest import FakeCard
from worker.ocr.lines.text_line import TextLine
from worker.ocr.pipeline import Options
from worker.ocr.reading.again import read_again
from worker.ocr.reading.found import Found
from worker.ocr.reading.stopwatch import Stopwatch
from worker.ocr.text import rule
from worker.ocr.text.ctc import Peak
from worker.ocr.text.decoder import Reading
from worker.ocr.text.rule import Rule

ALWAYS = Rule({}, offset=0.0, limit=-1.0, sure=2.0)


def reading(text: str, confidence: float) -> Reading:
    return Reading([Peak(one, confidence, 2 * i, 2 * i) for i, one in enumerate(text)], text)


@dataclass
class Bench:
    """Tools whose stronger recogniser reads the same in every line."""

    answer: Reading
    looks: int = 0

    def __post_init__(self) -> None:
        self.options = Options(layout="page", quality="balanced")
        self.stopwatch = Stopwatch()
        self.recognizer = SimpleNamespace(card=FakeCard())

    @property
    def stronger(self) -> Callable[[], Any]:
        return lambda: self.recognizer

    def reader(self, _: Any) -> Any:
        return SimpleNamespace(read=self.read)

    def read(self, images: Sequence[Any]) -> list[Reading]:
        self.looks += len(images)
        return [self.answer] * len(images)


def again(bench: Bench, first: Reading, *, in_doubt: bool = False) -> str:
    """Return what is read in a line that was found by searching and first read so."""
    line = replace(TextLine.boxed(np.array([0.0, 0.0, 200.0, 30.0])), in_doubt=in_doubt)
    arrangement = cast("Any", SimpleNamespace(lines=[line], searched=True))
    found = Found(arrangement, [np.full((34, 204), 255, np.uint8)], {})
    return read_again(cast("Any", bench), found, [first])[0].text


@pytest.fixture(autouse=True)
def _all_are_doubtful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule, "load", lambda: ALWAYS)


def test_a_word_that_would_be_dropped_is_read_by_the_stronger_one_where_that_is_beyond_doubt() -> None:
    assert again(Bench(reading("CHANGE", 0.99)), reading("CHAMCE", 0.52)) == "CHANGE"


@pytest.mark.parametrize(("text", "confidence"), [("CHANGE", 0.9), ("11", 1.0), ("- - -", 1.0)])
def test_what_the_stronger_one_doubts_or_what_is_no_word_does_not_bring_a_line_back(
    text: str, confidence: float
) -> None:
    assert again(Bench(reading(text, confidence)), reading("CHAMCE", 0.52)) == "CHAMCE"


@pytest.mark.parametrize(
    ("text", "confidence", "in_doubt"),
    [("CHAMCE", 0.4, False), ("CHAMCE", 0.52, True), ("kr", 0.5, False), ("家家家家", 0.5, False), ("", 0.0, False)],
)
def test_scraps_are_not_looked_at(text: str, confidence: float, *, in_doubt: bool) -> None:
    bench = Bench(reading("CHANGE", 0.99))
    assert again(bench, reading(text, confidence), in_doubt=in_doubt) == text
    assert not bench.looks


@pytest.mark.parametrize(
    ("text", "in_doubt", "looks"), [("--一", True, 0), ("--一", False, 1), ("h", True, 1), ("Total", False, 1)]
)
def test_strokes_that_only_a_second_look_found_are_no_writing(text: str, looks: int, *, in_doubt: bool) -> None:
    bench = Bench(reading("CHANGE", 0.99))
    again(bench, reading(text, 0.7), in_doubt=in_doubt)
    assert bench.looks == looks
