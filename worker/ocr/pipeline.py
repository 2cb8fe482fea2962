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
from worker.ocr.layout import Arrangement, Layout, arrange, take_as_line
from worker.ocr.lines import TextLine
from worker.ocr.preprocess import Upright, straighten
from worker.ocr.quality import measure_quality

LEAST_CONFIDENCE = 0.35  # what was found by searching a page and reads worse than this is a picture, not writing

PHASES = ("decode", "preprocess", "lines", "recognition")


class Card(Protocol):
    """The part of a model card that a result names."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def charset(self) -> Charset: ...


class LineRecognizer(Protocol):
    """A line recogniser; `models.recognizer.Recognizer` is one."""

    @property
    def card(self) -> Card: ...

    def prepare(self, gray: NDArray[np.uint8]) -> LineImage:
        """(H, W) uint8, 0 = black -> (1, 32, W') float32, W' a multiple of 4."""

    def logits(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, 1, 32, W) float32 -> (N, W / 4, C) float32."""


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
    stopwatch = Stopwatch()
    pages = []
    source = decode_pages(content, options.limits)
    while True:
        checkpoint()
        with stopwatch.measure("decode"):
            gray = next(source, None)
        if gray is None:
            break
        pages.append(_recognize_page(len(pages) + 1, gray, recognizer, options, checkpoint, stopwatch))
    card = recognizer.card
    return DocumentResult(ModelName(card.name, card.version, card.sha256), tuple(pages), stopwatch.timings_ms)


def _recognize_page(
    page_number: int,
    gray: Gray,
    recognizer: LineRecognizer,
    options: Options,
    checkpoint: Callable[[], None],
    stopwatch: Stopwatch,
) -> Page:
    with stopwatch.measure("preprocess"):
        upright = straighten(gray) if options.layout != "line" else None
    with stopwatch.measure("lines"):
        arrangement = arrange(upright, options.layout) if upright else take_as_line(gray)
    with stopwatch.measure("recognition"):
        lines = _recognize_lines(arrangement, recognizer, checkpoint)
    quality = measure_quality(gray, [line.height for line in arrangement.lines])
    return Page(page_number, gray.shape[1], gray.shape[0], arrangement.upright.angle, quality, tuple(lines))


def _recognize_lines(
    arrangement: Arrangement, recognizer: LineRecognizer, checkpoint: Callable[[], None]
) -> list[Line]:
    upright = arrangement.upright
    images = [crops.crop_line(upright.image, line.polygon) for line in arrangement.lines]
    paths = batches.recognise_lines([recognizer.prepare(crop) for crop in images], recognizer, checkpoint)
    read = []
    for found, crop, path in zip(arrangement.lines, images, paths, strict=True):
        peaks = ctc.decode(path, recognizer.card.charset)
        if peaks:
            read.append(_to_line(found, crop, peaks, upright))
    return [line for line in read if not arrangement.searched or line.confidence >= LEAST_CONFIDENCE]


def _to_line(found: TextLine, crop: Gray, peaks: Sequence[Peak], upright: Upright) -> Line:
    """Give what was read its place on the original page."""
    frame_count = crop.shape[1] * LINE_HEIGHT / crop.shape[0] / batches.TIME_STRIDE
    characters = words.place_characters(peaks, frame_count)
    text = "".join(character.text for character in characters)
    cells = upright.map_to_page(crops.widen(found.polygon))
    return Line(
        text=text,
        raw_text=text,
        polygon=as_polygon(upright.map_to_page(found.polygon).tolist()),
        characters=tuple(characters),
        words=tuple(words.split_words(characters, cells)),
    )


class Stopwatch:
    """Adds up how long each phase took. timings_ms: milliseconds by phase."""

    def __init__(self) -> None:
        self.timings_ms = dict.fromkeys(PHASES, 0.0)

    @contextmanager
    def measure(self, phase: str) -> Iterator[None]:
        start = clock.monotonic()
        try:
            yield
        finally:
            self.timings_ms[phase] = round(self.timings_ms[phase] + (clock.monotonic() - start) * 1000, 2)
