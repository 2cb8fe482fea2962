"""Two recognisers: a fast one for all lines, a stronger one for those that leave a doubt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from models.charset import CJK
from worker.ocr.text.ctc import Peak
from worker.ocr.text.decoder import Reading
from worker.ocr.text.reader import Gray
from worker.ocr.text.rule import Rule

SURE_SPACE = 0.9  # of 49 spaces that the stronger one lacked, those below this were wrong more often than right


@dataclass(frozen=True)
class Cascade:
    """How doubtful lines are read again. stronger: reads the lines of these places with the stronger recogniser."""

    stronger: Callable[[Sequence[int]], Sequence[Reading]]
    rule: Rule

    def read_again(self, images: Sequence[Gray], readings: Sequence[Reading]) -> list[Reading]:
        """Return the readings, those that leave a doubt replaced by the better of two."""
        pairs = zip(images, readings, strict=True)
        doubtful = [i for i, (image, first) in enumerate(pairs) if self.rule.is_doubtful(image, first)]
        result = list(readings)
        if doubtful:
            for i, second in zip(doubtful, self.stronger(doubtful), strict=True):
                result[i] = choose(readings[i], second, self.rule.sure)
        return result


def choose(first: Reading, second: Reading, sure: float) -> Reading:
    """The better of two readings of one line: the stronger recogniser's, with the spaces that it lost.

    Args:
        first: By the fast recogniser.
        second: By the stronger one.
        sure: Lines whose confidence is as high as this are sure; two of these that differ are a dispute.
    """
    if not second.peaks:
        return first
    chosen = take_spaces(first, second)
    if is_disputed(first, chosen, sure):
        return chosen._replace(disputes=(_dispute(first, chosen),))
    return chosen


def is_disputed(first: Reading, second: Reading, sure: float) -> bool:
    """Whether two readings differ by more than spaces and case although both are sure."""
    if _letters(first.text) == _letters(second.text):
        return False
    return min(first.confidence, second.confidence) >= sure


def take_spaces(first: Reading, second: Reading) -> Reading:
    """The second reading with the spaces of the first, where both have the same letters on both sides of it."""
    gaps = _missing_spaces(first.peaks, second.peaks)
    if not gaps:
        return second
    peaks: list[Peak] = []
    for place, peak in enumerate(second.peaks):
        if place in gaps:
            frame = (second.peaks[place - 1].last + peak.first) // 2
            peaks.append(Peak(" ", gaps[place].confidence, frame, frame))
        peaks.append(peak)
    return second._replace(peaks=peaks, raw_text="".join(peak.text for peak in peaks))


def _missing_spaces(first: Sequence[Peak], second: Sequence[Peak]) -> dict[int, Peak]:
    """Sure spaces of the first that the second lacks, by the place in the second before which each belongs."""
    same = _same_letters(first, second)
    return {
        same[i + 1]: peak
        for i, peak in enumerate(first)
        if peak.text == " "
        and peak.confidence >= SURE_SPACE
        and same.get(i + 1, -1) == same.get(i - 1, -9) + 1
        and not _touches(second, same[i + 1])
    }


def _same_letters(first: Sequence[Peak], second: Sequence[Peak]) -> dict[int, int]:
    """Places in the first and in the second where the same is written, spaces and case left out of account."""
    letters = [[i for i, peak in enumerate(peaks) if peak.text != " "] for peaks in (first, second)]
    texts = [[peak.text.lower() for peak in peaks if peak.text != " "] for peaks in (first, second)]
    blocks = SequenceMatcher(None, texts[0], texts[1], autojunk=False).get_matching_blocks()
    return {letters[0][a + i]: letters[1][b + i] for a, b, size in blocks for i in range(size)}


def _touches(peaks: Sequence[Peak], place: int) -> bool:
    """Whether a space before `place` would stand beside Chinese."""
    return any(CJK.match(peaks[i].text) for i in (place - 1, place))


def _dispute(first: Reading, second: Reading) -> dict[str, Any]:
    return {
        "kind": "dispute",
        "start": 0,
        "from": first.text,
        "to": second.text,
        "from_confidence": round(first.confidence, 4),
        "to_confidence": round(second.confidence, 4),
    }


def _letters(text: str) -> str:
    return text.replace(" ", "").lower()
