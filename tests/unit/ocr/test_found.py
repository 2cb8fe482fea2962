"""Which of the lines that were found hold text."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from worker.ocr.lines.text_line import TextLine
from worker.ocr.reading.found import Found, holds_text, kept
from worker.ocr.reading.missing import unreadable
from worker.ocr.text.ctc import Peak
from worker.ocr.text.decoder import Reading

ENGLISH = "Received with thanks the sum"


def found(texts: list[str], *, searched: bool = True) -> tuple[Found, list[Reading]]:
    """Return lines below each other that read so."""
    lines = [TextLine.boxed(np.array([0.0, 40.0 * row, 300.0, 40.0 * row + 30])) for row in range(len(texts))]
    arrangement = cast("Any", SimpleNamespace(lines=lines, searched=searched))
    read = [Reading([Peak(one, 0.97, 2 * i, 2 * i) for i, one in enumerate(text)], text) for text in texts]
    return Found(arrangement, [], {}), read


@pytest.mark.parametrize("stroke", ["一", "丨"])
def test_a_pen_mark_on_a_page_without_hanzi_is_no_numeral(stroke: str) -> None:
    assert kept(*found([ENGLISH, stroke])) == [0]


@pytest.mark.parametrize("texts", [["一", "12", "7"], [ENGLISH, "一", "总则"], [ENGLISH, "二"], [ENGLISH, "一、"]])
def test_a_numeral_stays_where_there_is_more_of_its_kind_or_too_little_to_tell(texts: list[str]) -> None:
    assert kept(*found(texts)) == list(range(len(texts)))


def test_what_a_sender_says_is_a_line_is_one() -> None:
    assert kept(*found([ENGLISH, "一"], searched=False)) == [0, 1]


@pytest.mark.parametrize(
    ("text", "confidence", "is_text"),
    [
        ("kr", 0.6, False), ("kr", 0.7, True), ("12", 0.6, True), ("road", 0.6, True), ("7", 0.5, False),
        ("OK", 0.52, True), ("0K", 0.45, True), ("OK", 0.4, False),
        ("90", 0.5, False), ("1", 0.36, True), ("1", 0.3, False),
    ],
)  # fmt: skip
def test_few_letters_must_be_as_sure_as_scraps_are_not(text: str, confidence: float, is_text: bool) -> None:
    arrangement, read = found([text])
    peaks = [replace(peak, confidence=confidence) for peak in read[0].peaks]
    assert holds_text(arrangement.arrangement.lines[0], read[0]._replace(peaks=peaks), searched=True) is is_text


@pytest.mark.parametrize(("text", "top", "is_text"), [("sum", 24.0, False), ("Sum", 24.0, True), ("sum", 60.0, True)])
def test_what_a_second_look_finds_in_a_line_that_says_it_already_is_the_same_ink(
    text: str, top: float, is_text: bool
) -> None:
    arrangement, read = found([ENGLISH, text])
    echo = TextLine.boxed(np.array([250.0, top - 10, 280.0, top + 10]), in_doubt=True)
    arrangement.arrangement.lines[1] = echo
    assert kept(arrangement, read) == ([0, 1] if is_text else [0])


@pytest.mark.parametrize(
    ("texts", "places"), [(["ll"], 1), (["7", "\u00df\u00df", "-"], 2), (["-"], 0), (["a"] * 4, 0), ([], 0)]
)
def test_a_few_letters_on_an_empty_page_that_nobody_could_read_are_told_of(texts: list[str], places: int) -> None:
    arrangement, read = found(texts)
    poor = [one._replace(peaks=[replace(peak, confidence=0.2) for peak in one.peaks]) for one in read]
    assert len(unreadable(arrangement, poor, [])) == places


@pytest.mark.parametrize(
    ("text", "confidence", "is_told"),
    [("好的", 0.3, True), ("好的", 0.2, False), ("好", 0.3, False), ("好", 0.45, True), ("--", 0.5, False)],
)
def test_a_line_that_was_dropped_beside_others_is_told_of_where_it_was_writing(
    text: str, confidence: float, is_told: bool
) -> None:
    arrangement, read = found([ENGLISH, text])
    read[1] = read[1]._replace(peaks=[replace(peak, confidence=confidence) for peak in read[1].peaks])
    assert (len(unreadable(arrangement, read, [0])) == 1) is is_told


def test_a_line_that_was_given_is_not_looked_for() -> None:
    assert unreadable(*found(["ll"], searched=False), []) == []
