"""Amounts on receipts are cells of their own; those in sentences are not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from worker.ocr.lines.layout import Arrangement
from worker.ocr.lines.text_line import TextLine
from worker.ocr.page import crops
from worker.ocr.reading.amounts import part_amounts
from worker.ocr.reading.found import Found
from worker.ocr.text.ctc import Peak
from worker.ocr.text.decoder import Reading
from worker.ocr.text.words import place_characters

LETTER, PIXELS = 12.0, 2.0  # px from one character to the next, px for a frame
HEIGHT = 24.0


def line_of(*words: str, gaps: tuple[float, ...], searched: bool = True, raw: str = "") -> tuple[Found, list[Reading]]:
    """Return one line of words with gaps, px, between them; a gap is what a space takes."""
    x, middles, text = 0.0, [], " ".join(words)
    for word, gap in zip(words, (*gaps, 0.0), strict=True):
        middles += [x + (i + 0.5) * LETTER for i in range(len(word))]
        x += len(word) * LETTER
        if gap:
            middles.append(x + (2 * gap - LETTER) / 2)
            x += 2 * gap - LETTER
    line = TextLine.boxed(np.array([0.0, 0.0, x, HEIGHT]))
    seen = crops.widen(line.polygon, 0.06)
    frames = [round((middle - float(seen[0, 0])) / PIXELS - 0.5) for middle in middles]
    peaks = [Peak(one, 0.9, frame, frame) for one, frame in zip(text, frames, strict=True)]
    reading = Reading(peaks, raw or text, float(seen[1, 0] - seen[0, 0]) / PIXELS, 0.06)
    arrangement = Arrangement(cast("Any", SimpleNamespace()), [line], searched)
    return Found(arrangement, [np.zeros((1, 1), np.uint8)], {}), [reading]


def test_an_amount_behind_a_wide_gap_is_a_line_of_its_own() -> None:
    found, read = part_amounts(*line_of("SR", "106.90", gaps=(16.0,)))
    assert [one.text for one in read] == ["SR", "106.90"]
    assert [one.raw_text for one in read] == ["SR", "106.90"]
    left, right = (line.hull for line in found.arrangement.lines)
    assert left[2] < right[0]
    assert (left[0], right[2]) == (0.0, pytest.approx(2 * 12 + 20 + 6 * 12))
    assert len(found.images) == 2


def test_characters_of_a_part_stay_where_they_are() -> None:
    found, read = part_amounts(*line_of("Total", "106.90", "SR", gaps=(18.0, 16.0)))
    assert [one.text for one in read] == ["Total", "106.90", "SR"]
    line, reading = found.arrangement.lines[1], read[1]
    quad = crops.widen(line.polygon, 0.06)
    width = float(quad[1, 0] - quad[0, 0])
    first = place_characters(reading.peaks, reading.frame_count)[1]
    middle = float(quad[0, 0]) + (first.start + first.end) / 2 * width
    assert middle == pytest.approx(5 * LETTER + 24.0 + 1.5 * LETTER, abs=2 * PIXELS)


@pytest.mark.parametrize(
    ("words", "gaps"),
    [
        (("SR", "106.90"), (13.0,)),  # as near as words
        (("SR", "page"), (16.0,)),  # no amount
        (("it", "costs", "106.90", "a", "day"), (16.0, 16.0, 16.0, 16.0)),  # in a sentence
        (("v", "1.2.3"), (16.0,)),
    ],
)
def test_other_gaps_part_nothing(words: tuple[str, ...], gaps: tuple[float, ...]) -> None:
    found, read = line_of(*words, gaps=gaps)
    assert part_amounts(found, read) == (found, read)


def test_a_line_that_was_sent_as_one_or_was_spelled_anew_stays_whole() -> None:
    for given in (
        line_of("SR", "106.90", gaps=(16.0,), searched=False),
        line_of("SR", "106.90", gaps=(16.0,), raw="SR106.90"),
    ):
        assert len(part_amounts(*given)[1]) == 1
