"""Which of the lines that were found hold text."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from worker.ocr.lines.text_line import TextLine
from worker.ocr.reading.found import Found, kept
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
