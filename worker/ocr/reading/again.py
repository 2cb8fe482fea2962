"""Lines that leave a doubt are read again: by the stronger recogniser, or a few of them in other shapes.

What was found by searching and can hardly be read is mostly no writing, and another reading would invent some. The
stronger recogniser looks at the surest of it, and only what it reads beyond doubt is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from worker.ocr.reading.found import LEAST_CONFIDENCE, Found, holds_text
from worker.ocr.reading.tools import Tools
from worker.ocr.text import looks, rule
from worker.ocr.text.cascade import Cascade
from worker.ocr.text.decoder import Reading
from worker.ocr.text.reader import LineRecognizer

LEAST = 0.45  # confidence of a line that is dropped and may be writing
FEWEST_LETTERS = 3  # different letters and digits in such a line, and in what the stronger recogniser reads there
BEYOND_DOUBT = 0.95  # confidence of that
STROKES = frozenset("-_—=~.·'|丨\\/<>一二三 ")  # as these rules, dashes and specks are read


def read_again(tools: Tools, found: Found, read: list[Reading]) -> list[Reading]:
    """Return what was read, doubtful lines read again."""
    quality = tools.options.quality
    stronger = tools.stronger if quality == "balanced" else None
    if quality == "best" or (stronger is None and len(read) > looks.FEW):
        return read
    worth = [i for i, one in enumerate(read) if _is_worth(found, i, one)]
    first = [read[i] for i in worth]
    if stronger is None:
        second = looks.look_again(found.images_for(tools.recognizer, worth), first, tools.read)
        again = dict(zip(worth, second, strict=True))
    else:
        with tools.stopwatch.measure("recognition"):
            again = _read_stronger(tools, found, worth, stronger, first)
            again |= _read_dropped(tools, found, read, stronger)
    return [again.get(i, one) for i, one in enumerate(read)]


def _is_worth(found: Found, i: int, reading: Reading) -> bool:
    """Tell whether a line is writing, or may be: what only a second look found is not where it is read as strokes."""
    line, searched = found.arrangement.lines[i], found.arrangement.searched
    if not searched or holds_text(line, reading, searched=True):
        return True
    return reading.confidence >= LEAST_CONFIDENCE and not (line.in_doubt and STROKES.issuperset(reading.text))


def _read_stronger(
    tools: Tools, found: Found, places: Sequence[int], stronger: Callable[[], LineRecognizer], first: Sequence[Reading]
) -> dict[int, Reading]:
    """Return the readings of the lines at these places, the doubtful ones by the stronger recogniser."""

    def read(doubtful: Sequence[int]) -> Sequence[Reading]:
        recognizer = stronger()
        return tools.reader(recognizer).read(found.images_for(recognizer, [places[at] for at in doubtful]))

    second = Cascade(read, rule.load()).read_again([found.images[i] for i in places], first)
    return dict(zip(places, second, strict=True))


def _read_dropped(
    tools: Tools, found: Found, read: Sequence[Reading], stronger: Callable[[], LineRecognizer]
) -> dict[int, Reading]:
    """Return what the stronger recogniser reads beyond doubt in lines that would be dropped."""
    places = [i for i, one in enumerate(read) if _is_half_legible(found, i, one)]
    if not places:
        return {}
    recognizer = stronger()
    second = tools.reader(recognizer).read(found.images_for(recognizer, places))
    pairs = zip(places, second, strict=True)
    return {i: one for i, one in pairs if one.confidence >= BEYOND_DOUBT and _has_letters(one)}


def _is_half_legible(found: Found, i: int, reading: Reading) -> bool:
    line, searched = found.arrangement.lines[i], found.arrangement.searched
    may_be_writing = searched and not line.in_doubt and LEAST <= reading.confidence < LEAST_CONFIDENCE
    return may_be_writing and _has_letters(reading)


def _has_letters(reading: Reading) -> bool:
    return len({one for one in reading.text if one.isalnum()} - STROKES) >= FEWEST_LETTERS
