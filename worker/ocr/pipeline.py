"""One document from bytes to text: decode, straighten, find lines, recognise, place. Pure, and thin on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.charset import Charset
from models.line_image import HEIGHT as LINE_HEIGHT
from shared import clock
from shared.document import Limits
from worker.ocr import batches, crops, ctc, words
from worker.ocr.batches import LineImage
from worker.ocr.ctc import Peak
from worker.ocr.decode import decode_pages
from worker.ocr.document import DocumentResult, Line, ModelName, Page, as_polygon
from worker.ocr.ink import Gray
from worker.ocr.layout import Arrangement, Layout, arrange
from worker.ocr.lines import TextLine
from worker.ocr.preprocess import Upright, as_is, straighten
from worker.ocr.quality import measure_quality

LEAST_CONFIDENCE = 0.35  # what was found by searching a page and reads worse than this is a picture, not writing

PHASES = ("decode", "preprocess", "lines", "recognition")


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


class LineRecognizer(Protocol):
    """A line recogniser; `models.recognizer.Recognizer` is one."""

    @property
    def card(self) -> Card:
        """What the model says of itself."""

    def prepare(self, gray: NDArray[np.uint8]) -> LineImage:
        """(H, W) uint8, 0 = black -> (1, 32, W') float32, W' a multiple of 4."""

    def logits(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, 1, 32, W) float32 -> (N, W / 4, C) float32."""


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
    """

    layout: Layout = "auto"
    limits: Limits = field(default_factory=Limits)


def recognize_document(
    content: bytes,
    recognizer: LineRecognizer,
    options: Options | None = None,
    checkpoint: Callable[[], None] = lambda: None,
) -> DocumentResult:
    """Read a document.

    Args:
        content: The whole upload: PNG, JPEG, WebP, BMP or TIFF.
        recognizer: Reads line images.
        options: Layout and limits.
        checkpoint: Called between batches; what it raises stops the work (a lost lease, a cancelled job).

    Returns:
        Text, confidences, polygons in pixels of the original pages, timings. A document without text has empty text.

    Raises:
        DocumentError: The document cannot be decoded. Nobody retries; the sender must send another one.
    """
    options = options or Options()
    reader = _Reader(recognizer, options.layout, checkpoint, Stopwatch())
    source = decode_pages(content, options.limits)
    pages: list[Page] = []
    while True:
        checkpoint()
        with reader.stopwatch.measure("decode"):
            gray = next(source, None)
        if gray is None:
            break
        pages.append(reader.read_page(len(pages) + 1, gray))
    card = recognizer.card
    return DocumentResult(ModelName(card.name, card.version, card.sha256), tuple(pages), reader.stopwatch.timings_ms)


@dataclass(frozen=True)
class _Reader:
    """What stays the same from page to page."""

    recognizer: LineRecognizer
    layout: Layout
    checkpoint: Callable[[], None]
    stopwatch: Stopwatch

    def read_page(self, page_number: int, gray: Gray) -> Page:
        with self.stopwatch.measure("preprocess"):
            upright = as_is(gray) if self.layout == "line" else straighten(gray)
        with self.stopwatch.measure("lines"):
            arrangement = arrange(upright, self.layout)
        with self.stopwatch.measure("recognition"):
            lines = self._read_lines(arrangement)
        quality = measure_quality(gray, [line.height for line in arrangement.lines])
        return Page(page_number, gray.shape[1], gray.shape[0], upright.angle, quality, tuple(lines))

    def _read_lines(self, arrangement: Arrangement) -> list[Line]:
        upright = arrangement.upright
        images = [crops.crop_line(upright.image, line.polygon) for line in arrangement.lines]
        prepared = [self.recognizer.prepare(image) for image in images]
        paths = batches.recognise_lines(prepared, self.recognizer, self.checkpoint)
        lines = []
        for found, image, path in zip(arrangement.lines, images, paths, strict=True):
            peaks = ctc.decode(path, self.recognizer.card.charset)
            if peaks:
                lines.append(_to_line(found, image, peaks, upright))
        return [line for line in lines if not arrangement.searched or line.confidence >= LEAST_CONFIDENCE]


def _to_line(found: TextLine, image: Gray, peaks: Sequence[Peak], upright: Upright) -> Line:
    """Give what was read its place on the original page."""
    frame_count = image.shape[1] * LINE_HEIGHT / image.shape[0] / batches.TIME_STRIDE
    characters = words.place_characters(peaks, frame_count)
    text = "".join(character.text for character in characters)
    height, width = upright.image.shape
    cells = upright.map_to_page(np.clip(crops.widen(found.polygon), 0, (width, height)))
    return Line(
        text=text,
        raw_text=text,
        polygon=as_polygon(upright.map_to_page(found.polygon).tolist()),
        characters=tuple(characters),
        words=tuple(words.split_words(characters, cells)),
    )
