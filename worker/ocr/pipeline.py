"""One document from bytes to text: decode, straighten, find lines, recognise, place. Pure, and thin on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from shared import clock
from shared.result import DocumentResult, Line, ModelName, Page, as_polygon
from shared.uploads.header import Limits
from worker.ocr.decode.pages import decode_pages
from worker.ocr.ink.ink import Gray
from worker.ocr.lines.layout import Arrangement, Layout, arrange
from worker.ocr.lines.learned.detection import PageDetector
from worker.ocr.lines.text_line import TextLine
from worker.ocr.page import admission, crops, turning
from worker.ocr.page.admission import Admission
from worker.ocr.page.preprocess import Upright, as_is, straighten
from worker.ocr.page.quality import Quality, measure_page, measure_writing
from worker.ocr.text import rule, words
from worker.ocr.text.cascade import Cascade, QualityName
from worker.ocr.text.decoder import CharsetName, Reading, edits
from worker.ocr.text.reader import LineReader, LineRecognizer

LEAST_CONFIDENCE = 0.45  # what was found by searching a page and reads worse than this is a picture, not writing

PHASES = ("decode", "preprocess", "lines", "recognition")


class Stopwatch:
    """Adds up how long each phase took. timings_ms: milliseconds by phase."""

    def __init__(self) -> None:
        self.timings_ms = dict.fromkeys(PHASES, 0.0)

    @contextmanager
    def measure(self, phase: str) -> Iterator[None]:
        """Add the time that the block takes to a phase."""
        start = clock.monotonic()
        try:
            yield
        finally:
            self.timings_ms[phase] = round(self.timings_ms[phase] + (clock.monotonic() - start) * 1000, 2)


@dataclass(frozen=True)
class Options:
    """What the sender may choose, and what the server allows.

    layout: `line` (the upload is one text line), `page`, or `auto` (look and decide).
    admission: `off`, `warn` (say which pages are poor) or `refuse` (do not read very poor ones).
    charset: which characters may be read, see `worker.ocr.text.decoder`.
    quality: `fast` (the recogniser alone), `balanced` (lines in doubt are read again by the stronger one) or `best`
        (the stronger one alone). Without a stronger one all three are `fast`.
    """

    layout: Layout = "auto"
    limits: Limits = field(default_factory=Limits)
    admission: Admission = "warn"
    charset: CharsetName = "all"
    quality: QualityName = "balanced"


def recognize_document(
    content: bytes,
    recognizer: LineRecognizer,
    options: Options | None = None,
    checkpoint: Callable[[], None] = lambda: None,
    detector: PageDetector | None = None,
    *,
    stronger: Callable[[], LineRecognizer] | None = None,
) -> DocumentResult:
    """Read a document.

    Args:
        content: The whole upload: PNG, JPEG, WebP, BMP or TIFF.
        recognizer: Reads line images.
        options: Layout and limits.
        checkpoint: Called between batches; what it raises stops the work (a lost lease, a cancelled job).
        detector: Finds the lines of pages; None: classical means find them.
        stronger: Gives a stronger recogniser, when one is needed; None: there is none.

    Returns:
        Text, confidences, polygons in pixels of the original pages, timings. A document without text has empty text.

    Raises:
        DocumentError: The document cannot be decoded, or its quality is too low. Nobody retries; the sender must send
            another one.
    """
    options = options or Options()
    if stronger is not None and options.quality == "best":
        recognizer, stronger = stronger(), None
    reader = _Reader(recognizer, options, checkpoint, Stopwatch(), detector, stronger)
    source = decode_pages(content, options.limits)
    pages: list[Page] = []
    while True:
        checkpoint()
        with reader.stopwatch.measure("decode"):
            gray = next(source, None)
        if gray is None:
            break
        pages.append(reader.read_page(len(pages) + 1, gray))
    admission.require_writing(pages, options.admission)
    card = recognizer.card
    return DocumentResult(ModelName(card.name, card.version, card.sha256), tuple(pages), reader.stopwatch.timings_ms)


@dataclass(frozen=True)
class _Found:
    """The lines of a page. images: (h, w) uint8 each. quality: of the writing."""

    arrangement: Arrangement
    images: Sequence[Gray]
    quality: Quality


@dataclass(frozen=True)
class _Reader:
    """What stays the same from page to page."""

    recognizer: LineRecognizer
    options: Options
    checkpoint: Callable[[], None]
    stopwatch: Stopwatch
    detector: PageDetector | None
    stronger: Callable[[], LineRecognizer] | None

    def read_page(self, page_number: int, gray: Gray) -> Page:
        policy = self.options.admission
        with self.stopwatch.measure("preprocess"):
            quality = measure_page(gray)
            admission.admit(page_number, quality, admission.PAGE_RULES, policy)
            upright = as_is(gray) if self.options.layout == "line" else straighten(gray)
        found = self._find(upright)
        admission.admit(page_number, found.quality, admission.WRITING_RULES, policy)
        read = self._read(found.images)
        if quarters := self._find_turn(gray, found, read):
            found = self._find(self._turn(gray, quarters))
            read = self._read(found.images)
        lines = _to_lines(found, self._read_again(found.images, read))
        quality |= found.quality
        searched = found.arrangement.searched
        warnings = () if policy == "off" else admission.warnings(gray, quality, lines, searched=searched)
        angle = found.arrangement.upright.angle
        return Page(page_number, gray.shape[1], gray.shape[0], angle, quality, tuple(lines), warnings)

    def _find(self, upright: Upright) -> _Found:
        """Return the lines of an upright page."""
        with self.stopwatch.measure("lines"):
            arrangement = arrange(upright, self.options.layout, self.detector)
            images = [crops.crop_line(upright.image, line.polygon) for line in arrangement.lines]
            return _Found(arrangement, images, measure_writing(images, [line.height for line in arrangement.lines]))

    def _read(self, images: Sequence[Gray]) -> list[Reading]:
        """Return the characters of each line image."""
        with self.stopwatch.measure("recognition"):
            return self._reader(self.recognizer).read(images)

    def _read_again(self, images: Sequence[Gray], read: Sequence[Reading]) -> Sequence[Reading]:
        """Return what was read, the doubtful lines read by the stronger recogniser, too."""
        stronger = self.stronger
        if stronger is None or self.options.quality != "balanced":
            return read
        with self.stopwatch.measure("recognition"):
            return Cascade(lambda: self._reader(stronger()), rule.load()).read_again(images, read)

    def _reader(self, recognizer: LineRecognizer) -> LineReader:
        return LineReader(recognizer, self.options.charset, self.checkpoint)

    def _find_turn(self, gray: Gray, found: _Found, read: Sequence[Reading]) -> int:
        """Return how many quarter turns clockwise the page needs; a sender who says that it is a line is believed."""
        if self.options.layout == "line":
            return 0
        return turning.find_turn(
            found.images,
            _confidences(read),
            read=lambda images: _confidences(self._read(images)),
            search=lambda quarters: self._find(self._turn(gray, quarters)).images,
        )

    def _turn(self, gray: Gray, quarters: int) -> Upright:
        with self.stopwatch.measure("preprocess"):
            return turning.turn_upright(gray, quarters)


def _confidences(read: Sequence[Reading]) -> list[list[float]]:
    return [[peak.confidence for peak in reading.peaks] for reading in read]


def _to_lines(found: _Found, read: Sequence[Reading]) -> list[Line]:
    """Return the lines that hold text; what was found by searching and reads badly is none."""
    upright = found.arrangement.upright
    lines = [
        _to_line(line, image, reading, upright)
        for line, image, reading in zip(found.arrangement.lines, found.images, read, strict=True)
        if reading.peaks
    ]
    return [line for line in lines if not found.arrangement.searched or line.confidence >= LEAST_CONFIDENCE]


def _to_line(found: TextLine, image: Gray, reading: Reading, upright: Upright) -> Line:
    """Give what was read its place on the original page."""
    frame_count = image.shape[1] / image.shape[0] * reading.frames_per_height
    characters = words.place_characters(reading.peaks, frame_count)
    text = "".join(character.text for character in characters)
    height, width = upright.image.shape
    cells = upright.map_to_page(np.clip(crops.widen(found.polygon), 0, (width, height)))
    return Line(
        text=text,
        raw_text=reading.raw_text,
        polygon=as_polygon(upright.map_to_page(found.polygon).tolist()),
        characters=tuple(characters),
        words=tuple(words.split_words(characters, cells)),
        edits=edits(reading.raw_text, text) + reading.disputes,
    )
