"""One document from bytes to text: decode, straighten, find lines, recognise, place. Pure, and thin on purpose."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.calibration import Calibration
from models.charset import Charset
from models.line_image import HEIGHT as LINE_HEIGHT
from models.ngram import Ngram
from shared import clock
from shared.limits import Limits
from shared.options import (
    DEFAULT_CHARSET,
    DEFAULT_LAYOUT,
    DEFAULT_TEXT_LAYER,
    CharsetName,
    LayoutName,
    TextLayerName,
)
from shared.result import STAGES, DocumentResult, Line, ModelName, Page, as_polygon, mean_confidence
from worker.ocr.decode.pages import DecodedPage, decode_pages
from worker.ocr.decode.pdf import LayerPage
from worker.ocr.ink.ink import Gray
from worker.ocr.lines import reading_order
from worker.ocr.lines.coverage import Unread, find_unread
from worker.ocr.lines.layout import Arrangement, arrange
from worker.ocr.lines.learned.detection import PageDetector
from worker.ocr.lines.text_line import TextLine
from worker.ocr.page import admission, crops, from_layer, turning
from worker.ocr.page.admission import Admission
from worker.ocr.page.preprocess import Upright, as_is, straighten
from worker.ocr.page.quality import Quality, measure_page, measure_writing
from worker.ocr.page.reading import measure_reading
from worker.ocr.text import batches, words
from worker.ocr.text.batches import LineImage
from worker.ocr.text.decoder import Decoder, Reading, edits

LEAST_CONFIDENCE = 0.55  # what was found by searching a page and reads worse than this is a picture, not writing
LEAST_IN_DOUBT = 0.85  # and what only a second look found must read as surely as this


class Card(Protocol):
    """The part of a model card that a result names, and the charset to decode with."""

    @property
    def name(self) -> str:
        """Of the model."""

    @property
    def version(self) -> str:
        """Of the weights."""

    @property
    def sha256(self) -> str:
        """Of the weights' file, hexadecimal."""

    @property
    def charset(self) -> Charset:
        """What the labels mean."""

    @property
    def calibration(self) -> Calibration:
        """How its probabilities become confidences."""


class LineRecognizer(Protocol):
    """A line recogniser; `models.recognizer.Recognizer` is one."""

    @property
    def card(self) -> Card:
        """What the model says of itself."""

    @property
    def ngram(self) -> Ngram | None:
        """What follows what in text; None: unsure characters are read without."""

    def prepare(self, gray: NDArray[np.uint8]) -> LineImage:
        """(H, W) uint8, 0 = black -> (1, 32, W') float32, W' a multiple of 4."""

    def logits(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, 1, 32, W) float32 -> (N, W / 4, C) float32."""


class Stopwatch:
    """Adds up how long each stage took. timings_ms: milliseconds by stage."""

    def __init__(self) -> None:
        self.timings_ms = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Add the time that the block takes to a stage."""
        start = clock.monotonic()
        try:
            yield
        finally:
            self.timings_ms[stage] = round(self.timings_ms[stage] + (clock.monotonic() - start) * 1000, 2)


@dataclass(frozen=True)
class Options:
    """What the sender may choose, and what the server allows.

    layout: `line` (the upload is one text line), `page`, or `auto` (look and decide).
    admission: `off`, `warn` (say which pages are poor) or `refuse` (do not read very poor ones).
    charset: which characters may be read, see `worker.ocr.text.decoder`.
    text_layer: whether pages of a PDF may be taken from theirs; only with all characters, and not where it is one line.
    pages: which pages; None: all.
    """

    layout: LayoutName = DEFAULT_LAYOUT
    limits: Limits = field(default_factory=Limits)
    admission: Admission = "warn"
    charset: CharsetName = DEFAULT_CHARSET
    text_layer: TextLayerName = DEFAULT_TEXT_LAYER
    pages: str | None = None


def recognize_document(
    content: bytes,
    recognizer: LineRecognizer,
    options: Options | None = None,
    checkpoint: Callable[[], None] = lambda: None,
    detector: PageDetector | None = None,
) -> DocumentResult:
    """Read a document.

    Args:
        content: The whole upload, in one of the formats of `shared.uploads.header`.
        recognizer: Reads line images.
        options: Layout and limits.
        checkpoint: Called between batches; what it raises stops the work (a lost lease, a cancelled job).
        detector: Finds the lines of pages; None: classical means find them.

    Returns:
        Text, confidences, polygons in pixels of the original pages, timings. A document without text has empty text.

    Raises:
        DocumentError: The document cannot be decoded, or its quality is too low. Nobody retries; the sender must send
            another one.
    """
    options = options or Options()
    read = list(recognize_pages(content, recognizer, options, checkpoint, detector))
    pages = tuple(one.page for one in read)
    admission.require_writing(pages, options.admission)
    card = recognizer.card
    return DocumentResult(
        ModelName(card.name, card.version, card.sha256), pages, sum_timings(one.timings_ms for one in read)
    )


@dataclass(frozen=True)
class ReadPage:
    """A page that was read, and how long it took: milliseconds by stage."""

    page: Page
    timings_ms: dict[str, float]


def recognize_pages(
    content: bytes,
    recognizer: LineRecognizer,
    options: Options,
    checkpoint: Callable[[], None] = lambda: None,
    detector: PageDetector | None = None,
    *,
    done: Sequence[int] = (),
) -> Generator[ReadPage, None, None]:
    """Read a document page by page; exhaust or close it in the thread that began. As `recognize_document`, and:

    Args:
        content: The whole upload.
        recognizer: Reads line images.
        options: Layout, limits, which pages.
        checkpoint: Called before each page and between batches.
        detector: Finds the lines of pages.
        done: Numbers of pages that were read before and are left out.
    """
    layer: TextLayerName = options.text_layer if options.charset == "all" and options.layout != "line" else "ignore"
    with closing(decode_pages(content, options.limits, options.pages, done=done, text_layer=layer)) as source:
        while True:
            checkpoint()
            stopwatch = Stopwatch()
            with stopwatch.measure("decode"):
                decoded = next(source, None)
            if decoded is None:
                return
            if isinstance(decoded, LayerPage):
                page = from_layer.to_page(decoded, warned=options.admission != "off")
            else:
                page = _Reader(recognizer, options, checkpoint, stopwatch, detector).read_page(decoded)
            yield ReadPage(page, stopwatch.timings_ms)


def sum_timings(timings: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Return the milliseconds of each stage over all pages."""
    found = list(timings)
    return {stage: round(sum(one[stage] for one in found), 2) for stage in STAGES}


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

    @property
    def decoder(self) -> Decoder:
        card = self.recognizer.card
        return Decoder(card.charset, card.calibration, self.recognizer.ngram, self.options.charset)

    def read_page(self, decoded: DecodedPage) -> Page:
        page_number, gray = decoded.page_number, decoded.gray
        policy = self.options.admission
        with self.stopwatch.measure("preprocess"):
            quality = measure_page(gray)
            if decoded.dpi is not None:
                quality["dpi"] = round(decoded.dpi, 1)
            admission.admit(page_number, quality, admission.PAGE_RULES, policy)
            upright = as_is(gray) if self.options.layout == "line" else straighten(gray)
        found = self._find(upright)
        admission.admit(page_number, found.quality, admission.WRITING_RULES, policy)
        read = self._read(found.images)
        if quarters := self._find_turn(gray, found, read):
            found = self._find(self._turn(gray, quarters))
            read = self._read(found.images)
        kept = _in_order(found, read)
        upright, searched = found.arrangement.upright, found.arrangement.searched
        lines = [_to_line(found.arrangement.lines[i], found.images[i], read[i], upright) for i in kept]
        unread = self._find_unread(found, kept)
        quality |= found.quality | measure_reading(lines) | {"unread_ink": round(unread.share, 4)}
        places = [as_polygon(upright.map_to_page(place).tolist()) for place in unread.places]
        warned = policy != "off"
        warnings = admission.warnings(gray, quality, lines, searched=searched, unread=places) if warned else ()
        warnings = decoded.warnings + warnings
        return Page(page_number, gray.shape[1], gray.shape[0], upright.angle, quality, tuple(lines), warnings)

    def _find_unread(self, found: _Found, kept: Sequence[int]) -> Unread:
        """Return what looks like writing and lies in no line that was kept; a line that is given is all there is."""
        if not found.arrangement.searched:
            return Unread(0.0, ())
        with self.stopwatch.measure("lines"):
            return find_unread(found.arrangement.upright.copies, [found.arrangement.lines[i] for i in kept])

    def _find(self, upright: Upright) -> _Found:
        """Return the lines of an upright page."""
        with self.stopwatch.measure("lines"):
            arrangement = arrange(upright, self.options.layout, self.detector)
            images = [crops.crop_line(upright.image, line.polygon) for line in arrangement.lines]
            return _Found(arrangement, images, measure_writing(images, [line.height for line in arrangement.lines]))

    def _read(self, images: Sequence[Gray]) -> list[Reading]:
        """Return the characters of each line image."""
        with self.stopwatch.measure("recognition"):
            prepared = [self.recognizer.prepare(image) for image in images]
            decoder = self.decoder
            paths = batches.recognise_lines(prepared, self.recognizer, self.checkpoint, decoder.read)
            return [decoder.decode(path) for path in paths]

    def _find_turn(self, gray: Gray, found: _Found, read: Sequence[Reading]) -> int:
        """Return how many quarter turns clockwise the page needs; a sender who says that it is a line is believed."""
        if self.options.layout == "line":
            return 0
        sure = [i for i, line in enumerate(found.arrangement.lines) if not line.in_doubt]
        return turning.find_turn(
            [found.images[i] for i in sure],
            _confidences([read[i] for i in sure]),
            read=lambda images: _confidences(self._read(images)),
            search=lambda quarters: self._find(self._turn(gray, quarters)).images,
        )

    def _turn(self, gray: Gray, quarters: int) -> Upright:
        with self.stopwatch.measure("preprocess"):
            return turning.turn_upright(gray, quarters)


def _confidences(read: Sequence[Reading]) -> list[list[float]]:
    return [[peak.confidence for peak in reading.peaks] for reading in read]


def _in_order(found: _Found, read: Sequence[Reading]) -> list[int]:
    """Return which lines hold text, in reading order; what was found by searching and reads badly does not."""
    lines, searched = found.arrangement.lines, found.arrangement.searched
    kept = [i for i, line in enumerate(lines) if _holds_text(line, read[i], searched=searched)]
    return [kept[place] for place in reading_order.order_lines([lines[i] for i in kept])]


def _holds_text(line: TextLine, reading: Reading, *, searched: bool) -> bool:
    """Tell whether anything was read in a line, and as surely as it must where the line was found by searching."""
    if not reading.peaks or not searched:
        return bool(reading.peaks)
    least = LEAST_IN_DOUBT if line.in_doubt else LEAST_CONFIDENCE
    return (mean_confidence(peak.confidence for peak in reading.peaks) or 0.0) >= least


def _to_line(found: TextLine, image: Gray, reading: Reading, upright: Upright) -> Line:
    """Give what was read its place on the original page."""
    frame_count = image.shape[1] * LINE_HEIGHT / image.shape[0] / batches.TIME_STRIDE
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
        edits=edits(reading.raw_text, text),
    )
