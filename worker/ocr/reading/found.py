"""The lines of a page with what was read in each: which hold text, in which order, and as lines of the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from models.charset import CJK
from models.line_image import MARGIN
from shared.result import Line, as_polygon
from worker.ocr.ink.ink import Gray
from worker.ocr.lines.classical.fragments import overlaps
from worker.ocr.lines.columns import order
from worker.ocr.lines.coverage import Unread
from worker.ocr.lines.layout import Arrangement
from worker.ocr.lines.text_line import TextLine, hulls_of
from worker.ocr.page import crops
from worker.ocr.page.preprocess import Upright
from worker.ocr.page.quality import Quality
from worker.ocr.reading.images import image_of
from worker.ocr.text import words
from worker.ocr.text.decoder import Reading, edits
from worker.ocr.text.reader import LineRecognizer

LEAST_CONFIDENCE = 0.55  # what was found by searching a page and reads worse than this is a picture, not writing
LOOK_ALIKE = frozenset("1lI|0Oo")  # characters that share their probability with others of the same shape, ...
SHARED = 1.6  # ... which is sure so many times as much: in a line of few of them that is what counts
SHORT, LEAST_SHORT = (2, 3), 0.65  # so few letters are read in scraps, too: a line of them must be as sure as this
LEAST_IN_DOUBT = 0.85  # and what only a second look found must read as surely as this
ECHO = 0.5  # of the place of what only a second look found: so much in another line that reads the same is one ink
STROKES = frozenset("一丨丶")  # hanzi of one stroke; alone on a page that has no other hanzi they are marks of a pen
FEWEST = 20  # characters of a page that tell in which script it is


@dataclass(frozen=True)
class Found:
    """The lines of a page.

    images: (h, w) uint8 each, with the usual margin. quality: of the writing. unread: by the lines that were read.
    """

    arrangement: Arrangement
    images: Sequence[Gray]
    quality: Quality
    unread: dict[frozenset[int], Unread] = field(default_factory=dict)

    def images_for(self, recognizer: LineRecognizer, places: Sequence[int] | None = None) -> list[Gray]:
        """Return the images of all lines, or of those at these places, as the recogniser wants them."""
        places = range(len(self.images)) if places is None else places
        margin = recognizer.card.margin
        if margin == MARGIN:
            return [self.images[i] for i in places]
        page, lines = self.arrangement.upright.image, self.arrangement.lines
        return [image_of(page, lines[i], margin) for i in places]


def confidences(read: Sequence[Reading]) -> list[list[float]]:
    """Return the confidences of the characters of each line."""
    return [[peak.confidence for peak in reading.peaks] for reading in read]


def in_order(found: Found, read: Sequence[Reading]) -> list[int]:
    """Return which lines hold text, in reading order."""
    places = kept(found, read)
    return [places[at] for at in order.order_lines([found.arrangement.lines[i] for i in places])]


def kept(found: Found, read: Sequence[Reading]) -> list[int]:
    """Return which lines hold text; what was found by searching and reads badly does not."""
    lines, searched = found.arrangement.lines, found.arrangement.searched
    held = [i for i, line in enumerate(lines) if holds_text(line, read[i], searched=searched)]
    held = [i for i in held if not (lines[i].in_doubt and _is_echo(i, held, lines, read))]
    text = "".join(read[i].text for i in held if read[i].text not in STROKES)
    if not searched or len(text) < FEWEST or CJK.search(text):
        return held
    return [i for i in held if read[i].text not in STROKES]


def _is_echo(i: int, held: Sequence[int], lines: Sequence[TextLine], read: Sequence[Reading]) -> bool:
    """Tell whether another line covers a line and says the same, and more: its ink was found twice."""
    others = [j for j in held if j != i and len(read[j].text) > len(read[i].text) and read[i].text in read[j].text]
    hull = lines[i].hull
    area = (hull[2] - hull[0]) * (hull[3] - hull[1])
    return bool(others) and bool((overlaps(hull, hulls_of([lines[j] for j in others])) >= ECHO * area).any())


def holds_text(line: TextLine, reading: Reading, *, searched: bool) -> bool:
    """Tell whether anything was read in a line, and as surely as it must where the line was found by searching."""
    if not reading.peaks or not searched:
        return bool(reading.peaks)
    if line.in_doubt:
        return _shape_confidence(reading) >= LEAST_IN_DOUBT
    least = LEAST_SHORT if len(reading.peaks) in SHORT and reading.text.isalpha() else LEAST_CONFIDENCE
    return _shape_confidence(reading) >= least


def _shape_confidence(reading: Reading) -> float:
    """Return how sure the characters of a line are, 0..1; of one, and of a short word, only their shapes."""
    is_word = len(reading.peaks) in SHORT and any(one.text.isalpha() for one in reading.peaks)
    if len(reading.peaks) != 1 and not is_word:
        return reading.confidence
    shares = [SHARED if one.text in LOOK_ALIKE else 1.0 for one in reading.peaks]
    rated = zip(reading.peaks, shares, strict=True)
    return sum(min(1.0, one.confidence * share) for one, share in rated) / len(shares)


def to_line(found: TextLine, reading: Reading, upright: Upright) -> Line:
    """Give what was read its place on the original page."""
    height, width = upright.image.shape
    if found.cells is None:
        quad = np.clip(crops.widen(found.polygon), 0, (width, height))
        start, end = 0.0, 1.0
        if reading.margin != MARGIN:
            start, end = crops.shares_of(quad, np.clip(crops.widen(found.polygon, reading.margin), 0, (width, height)))
        frame_count = (end - start) * reading.frame_count
        characters = words.place_characters(reading.peaks, frame_count, start * reading.frame_count)
    else:
        quad = found.polygon
        characters = words.place_in_column(reading, found.cells, float(np.linalg.norm(quad[1] - quad[0])))
    text = "".join(character.text for character in characters)
    raw_text = reading.raw_text if found.cells is None else reading.raw_text.replace(" ", "")
    return Line(
        text=text,
        raw_text=raw_text,
        polygon=as_polygon(upright.map_to_page(found.polygon).tolist()),
        characters=tuple(characters),
        words=tuple(words.split_words(characters, upright.map_to_page(quad))),
        edits=edits(raw_text, text) + reading.disputes,
        model=reading.model,
    )
