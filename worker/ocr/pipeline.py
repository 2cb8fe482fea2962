"""One document from bytes to text: decode, then page by page. Pure, and thin on purpose."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from shared.options import TextLayerName
from shared.result import STAGES, DocumentResult, ModelName, Page
from worker.ocr.decode import memory
from worker.ocr.decode.pages import decode_pages
from worker.ocr.decode.pdf import LayerPage
from worker.ocr.lines.learned.detection import PageDetector
from worker.ocr.page import admission
from worker.ocr.reading.options import Options
from worker.ocr.reading.page import read_layer, read_page
from worker.ocr.reading.stopwatch import Stopwatch
from worker.ocr.reading.tools import Tools
from worker.ocr.text.reader import Card, LineRecognizer

__all__ = ["Options", "ReadPage", "choose_readers", "name_of", "recognize_document", "recognize_pages", "sum_timings"]


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
        content: The whole upload, in one of the formats of `shared.uploads.header`.
        recognizer: Reads line images.
        options: Layout and limits.
        checkpoint: Called between lines; what it raises stops the work (a lost lease, a cancelled job).
        detector: Finds the lines of pages; None: classical means find them.
        stronger: Gives a stronger recogniser, when one is needed; None: there is none.

    Returns:
        Text, confidences, polygons in pixels of the original pages, timings. A document without text has empty text.

    Raises:
        DocumentError: The document cannot be decoded, or its quality is too low. Nobody retries; the sender must send
            another one.
    """
    options = options or Options()
    recognizer, stronger = choose_readers(recognizer, options, stronger)
    read = list(recognize_pages(content, recognizer, options, checkpoint, detector, stronger=stronger))
    pages = tuple(one.page for one in read)
    admission.require_writing(pages, options.admission)
    by_two = any(line.model for page in pages for line in page.lines)
    return DocumentResult(
        name_of(recognizer.card),
        pages,
        sum_timings(one.timings_ms for one in read),
        stronger=name_of(stronger().card) if stronger is not None and by_two else None,
    )


def choose_readers(
    recognizer: LineRecognizer, options: Options, stronger: Callable[[], LineRecognizer] | None
) -> tuple[LineRecognizer, Callable[[], LineRecognizer] | None]:
    """Return who reads every line, and who reads again what leaves a doubt."""
    return (stronger(), None) if stronger is not None and options.quality == "best" else (recognizer, stronger)


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
    stronger: Callable[[], LineRecognizer] | None = None,
    done: Sequence[int] = (),
) -> Generator[ReadPage, None, None]:
    """Read a document page by page; exhaust or close it in the thread that began. As `recognize_document`, and:

    Args:
        content: The whole upload.
        recognizer: Reads line images, as `choose_readers` says.
        options: Layout, limits, which pages.
        checkpoint: Called before each page and between lines.
        detector: Finds the lines of pages.
        stronger: The same, for lines in doubt.
        done: Numbers of pages that were read before and are left out.
    """
    memory.keep_freed()
    layer: TextLayerName = options.text_layer if options.charset == "all" and options.layout != "line" else "ignore"
    with closing(decode_pages(content, options.limits, options.pages, done=done, text_layer=layer)) as source:
        while True:
            checkpoint()
            stopwatch = Stopwatch()
            with stopwatch.measure("decode"):
                decoded = next(source, None)
            if decoded is None:
                return
            tools = Tools(recognizer, options, checkpoint, stopwatch, detector, stronger)
            page = read_layer(tools, decoded) if isinstance(decoded, LayerPage) else read_page(tools, decoded)
            del decoded
            memory.give_back()
            yield ReadPage(page, stopwatch.timings_ms)


def sum_timings(timings: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Return the milliseconds of each stage over all pages."""
    found = list(timings)
    return {stage: round(sum(one[stage] for one in found), 2) for stage in STAGES}


def name_of(card: Card) -> ModelName:
    """What a result says of a model."""
    return ModelName(card.name, card.version, card.sha256)
