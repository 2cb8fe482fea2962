"""What a page is read with, and the steps that it may take more than once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.copies import Copies
from worker.ocr.ink.ink import Gray
from worker.ocr.lines.coverage import Unread, find_unread
from worker.ocr.lines.layout import arrange, search_lines
from worker.ocr.lines.learned.detection import PageDetector
from worker.ocr.lines.text_line import TextLine
from worker.ocr.page import turning
from worker.ocr.page.preprocess import Upright, straighten
from worker.ocr.page.quality import measure_writing
from worker.ocr.reading.found import Found
from worker.ocr.reading.images import image_of
from worker.ocr.reading.options import Options
from worker.ocr.reading.stopwatch import Stopwatch
from worker.ocr.text.decoder import Reading
from worker.ocr.text.reader import LineReader, LineRecognizer


@dataclass(frozen=True)
class Tools:
    """What stays the same from page to page.

    stronger: gives the recogniser that reads again what leaves a doubt; None: there is none.
    """

    recognizer: LineRecognizer
    options: Options
    checkpoint: Callable[[], None]
    stopwatch: Stopwatch
    detector: PageDetector | None
    stronger: Callable[[], LineRecognizer] | None

    def find(self, upright: Upright) -> Found:
        """Return the lines of an upright page."""
        with self.stopwatch.measure("lines"):
            arrangement = arrange(upright, self.options.layout, self.detector)
            images = [image_of(upright.image, line) for line in arrangement.lines]
            return Found(arrangement, images, measure_writing(images, [line.height for line in arrangement.lines]))

    def find_unread(self, found: Found, kept: Sequence[int]) -> Unread:
        """Return what looks like writing and lies in no line that was kept; a line that is given is all there is."""
        if not found.arrangement.searched:
            return Unread(0.0, ())
        key = frozenset(kept)
        if key not in found.unread:
            with self.stopwatch.measure("lines"):
                copies = found.arrangement.upright.copies
                found.unread[key] = find_unread(copies, [found.arrangement.lines[i] for i in kept])
        return found.unread[key]

    def images(self, page: Gray, lines: Sequence[TextLine]) -> list[Gray]:
        """Return the images of lines with the usual margin."""
        with self.stopwatch.measure("lines"):
            return [image_of(page, line) for line in lines]

    def read(self, images: Sequence[Gray]) -> list[Reading]:
        """Return the characters of each line image."""
        with self.stopwatch.measure("recognition"):
            return self.reader(self.recognizer).read(images)

    def glance(self, images: Sequence[Gray]) -> list[Reading]:
        """Return roughly the characters of each line image: enough to tell how well it reads."""
        with self.stopwatch.measure("recognition"):
            return replace(self.reader(self.recognizer), is_glance=True).read(images)

    def read_lines(self, found: Found) -> list[Reading]:
        """Return the characters of each line, seen with the margin that the recogniser is used to."""
        return self.read(found.images_for(self.recognizer))

    def read_texts(self, images: Sequence[Gray]) -> list[tuple[str, float]]:
        """Return the text of each line image, and its confidence, 0..1."""
        return [(one.text, one.confidence) for one in self.read(images)]

    def reader(self, recognizer: LineRecognizer) -> LineReader:
        """Return how a recogniser reads the lines of this document."""
        return LineReader(recognizer, self.options.charset, self.checkpoint)

    def turn(self, gray: Gray, quarters: int) -> Upright:
        """Return a page after quarter turns clockwise."""
        with self.stopwatch.measure("preprocess"):
            return turning.turn_upright(gray, quarters, self._polygons)

    def straighten(self, gray: Gray) -> Upright:
        """Return a page turned upright."""
        return straighten(gray, self._polygons)

    def _polygons(self, page: Copies) -> list[NDArray[np.float32]]:
        return [line.polygon for line in search_lines(page, self.detector)]
