"""One document from bytes to text: decode, straighten, find lines, recognise, place. Pure, and thin on purpose."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from models.line_image import MARGIN
from shared import clock
from shared.limits import Limits
from shared.options import (
    DEFAULT_CHARSET,
    DEFAULT_LAYOUT,
    DEFAULT_QUALITY,
    DEFAULT_TEXT_LAYER,
    CharsetName,
    LayoutName,
    QualityName,
    TextLayerName,
)
from shared.result import STAGES, DocumentResult, Line, ModelName, Page, as_polygon, mean_confidence
from worker.ocr.decode import memory
from worker.ocr.decode.pages import DecodedPage, decode_pages, to_gray
from worker.ocr.decode.pdf import LayerPage
from worker.ocr.ink.ink import Gray
from worker.ocr.lines import turned
from worker.ocr.lines.columns import find as columns
from worker.ocr.lines.columns import order
from worker.ocr.lines.coverage import Unread, find_unread
from worker.ocr.lines.layout import Arrangement, arrange, search_all
from worker.ocr.lines.learned.detection import PageDetector
from worker.ocr.lines.text_line import TextLine
from worker.ocr.lines.turned import DOUBTFUL, Way
from worker.ocr.page import admission, agreement, beside_layer, crops, from_layer, turning
from worker.ocr.page.admission import Admission
from worker.ocr.page.enlarge import enlarge
from worker.ocr.page.islands import in_one_polarity
from worker.ocr.page.preprocess import Upright, as_is, straighten
from worker.ocr.page.quality import Quality, measure_page, measure_writing
from worker.ocr.page.reading import measure_reading
from worker.ocr.text import rule, words
from worker.ocr.text.cascade import Cascade
from worker.ocr.text.decoder import Reading, edits
from worker.ocr.text.reader import Card, LineReader, LineRecognizer

LEAST_CONFIDENCE = 0.55  # what was found by searching a page and reads worse than this is a picture, not writing
LOOK_ALIKE = frozenset("1lI|0Oo")  # characters that share their probability with others of the same shape ...
LEAST_LOOK_ALIKE = 0.35  # ... so that one alone in its line may be this unsure which of them it is
LEAST_IN_COLUMN = 0.75  # a column of Chinese reads at least as surely
LEAST_IN_DOUBT = 0.85  # and what only a second look found must read as surely as this


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
    quality: `fast` (the recogniser alone), `balanced` (lines in doubt are read again by the stronger one) or `best`
        (the stronger one alone). Without a stronger one all three are `fast`.
    """

    layout: LayoutName = DEFAULT_LAYOUT
    limits: Limits = field(default_factory=Limits)
    admission: Admission = "warn"
    charset: CharsetName = DEFAULT_CHARSET
    text_layer: TextLayerName = DEFAULT_TEXT_LAYER
    pages: str | None = None
    quality: QualityName = DEFAULT_QUALITY


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
        checkpoint: Called before each page and between batches.
        detector: Finds the lines of pages.
        stronger: The same, for lines in doubt.
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
            reader = _Reader(recognizer, options, checkpoint, stopwatch, detector, stronger)
            page = reader.read_layer(decoded) if isinstance(decoded, LayerPage) else reader.read_page(decoded)
            del decoded
            memory.give_back()
            yield ReadPage(page, stopwatch.timings_ms)


def sum_timings(timings: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Return the milliseconds of each stage over all pages."""
    found = list(timings)
    return {stage: round(sum(one[stage] for one in found), 2) for stage in STAGES}


@dataclass(frozen=True)
class _Found:
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
        return [in_one_polarity(columns.image_of(page, lines[i], margin)) for i in places]


@dataclass(frozen=True)
class _Reader:
    """What stays the same from page to page."""

    recognizer: LineRecognizer
    options: Options
    checkpoint: Callable[[], None]
    stopwatch: Stopwatch
    detector: PageDetector | None
    stronger: Callable[[], LineRecognizer] | None

    def read_layer(self, found: LayerPage) -> Page:
        """Take a page from its text layer, where that says what is seen, and read what stands beside it."""
        decoded = DecodedPage(found.page_number, to_gray(found.image), dpi=found.dpi)
        if not agreement.agrees(found.lines, decoded.gray, self.recognizer.card.charset, self._read_texts):
            return self.read_page(decoded)
        page = from_layer.to_page(found, warned=self.options.admission != "off")
        if not beside_layer.is_worth_reading(found.elsewhere, found.lines):
            return page
        rest = replace(decoded, gray=beside_layer.without_lines(decoded.gray, found.lines))
        lenient = replace(self.options, layout="page", admission="off" if self.options.admission == "off" else "warn")
        return beside_layer.merge(page, replace(self, options=lenient).read_page(rest))

    def _read_texts(self, images: Sequence[Gray]) -> list[tuple[str, float]]:
        return [("".join(peak.text for peak in one.peaks), _confidence(one)) for one in self._read(images)]

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
        read = self._read_lines(found)
        if quarters := self._find_turn(gray, found, read):
            found = self._find(self._turn(gray, quarters))
            read = self._read_lines(found)
        found, read = self._read_columns(found, read)
        found, read = self._read_turned(found, read)
        read = self._read_again(found, read)
        kept = _in_order(found, read)
        upright, searched = found.arrangement.upright, found.arrangement.searched
        lines = [_to_line(found.arrangement.lines[i], read[i], upright) for i in kept]
        if all(line.model == self.recognizer.card.name for line in lines):  # of one reader the document says enough
            lines = [replace(line, model=None) for line in lines]
        unread = self._find_unread(found, kept)
        quality |= found.quality | measure_reading(lines) | {"unread_ink": round(unread.share, 4)}
        places = [as_polygon(upright.map_to_page(place).tolist()) for place in unread.places]
        warned = policy != "off"
        warnings = admission.warnings(gray, quality, lines, searched=searched, unread=places) if warned else ()
        warnings = decoded.warnings + warnings
        page = Page(page_number, gray.shape[1], gray.shape[0], upright.angle, quality, tuple(lines), warnings)
        return page if decoded.size is None else enlarge(page, decoded.reduced, decoded.size)

    def _find_unread(self, found: _Found, kept: Sequence[int]) -> Unread:
        """Return what looks like writing and lies in no line that was kept; a line that is given is all there is."""
        if not found.arrangement.searched:
            return Unread(0.0, ())
        key = frozenset(kept)
        if key not in found.unread:
            with self.stopwatch.measure("lines"):
                copies = found.arrangement.upright.copies
                found.unread[key] = find_unread(copies, [found.arrangement.lines[i] for i in kept])
        return found.unread[key]

    def _find(self, upright: Upright) -> _Found:
        """Return the lines of an upright page."""
        with self.stopwatch.measure("lines"):
            arrangement = arrange(upright, self.options.layout, self.detector)
            images = [in_one_polarity(crops.crop_line(upright.image, line.polygon)) for line in arrangement.lines]
            return _Found(arrangement, images, measure_writing(images, [line.height for line in arrangement.lines]))

    def _read(self, images: Sequence[Gray]) -> list[Reading]:
        """Return the characters of each line image."""
        with self.stopwatch.measure("recognition"):
            return self._reader(self.recognizer).read(images)

    def _read_lines(self, found: _Found) -> list[Reading]:
        """Return the characters of each line, seen with the margin that the recogniser is used to."""
        return self._read(found.images_for(self.recognizer))

    def _read_columns(self, found: _Found, read: list[Reading]) -> tuple[_Found, list[Reading]]:
        """Return the lines with columns of Chinese that runs down in place of what was read across them."""
        arrangement, upright = found.arrangement, found.arrangement.upright
        if not arrangement.searched:
            return found, read
        hanzi = [words.middles_of_hanzi(one, line.polygon) for one, line in zip(read, arrangement.lines, strict=True)]
        places = np.concatenate([np.zeros((0, 2)), *hanzi])
        count = sum(len(one.peaks) for one in read)
        is_chinese = len(places) >= words.MOSTLY * count
        if not columns.may_run_down(places) and not (
            is_chinese and self._find_unread(found, range(len(read))).share >= columns.MOST_UNREAD
        ):
            return found, read
        with self.stopwatch.measure("lines"):
            lines = columns.find_columns(upright.image, lambda page: search_all(page, self.detector), places)
        images = self._images(upright.image, lines)
        down = self._read(images)
        sure = [i for i, one in enumerate(down) if _confidence(one) >= LEAST_IN_COLUMN and words.is_chinese(one)]
        if not sure:
            return found, read
        believed = [lines[i] for i in sure]
        across = [
            i
            for i, line in enumerate(arrangement.lines)
            if _confidence(read[i]) >= LEAST_CONFIDENCE and not columns.replaced_by(believed, line, hanzi[i])
        ]
        lines = [arrangement.lines[i] for i in across] + believed
        images = [found.images[i] for i in across] + [images[i] for i in sure]
        found = _Found(replace(arrangement, lines=lines), images, found.quality)
        return found, [read[i] for i in across] + [down[i] for i in sure]

    def _read_turned(self, found: _Found, read: list[Reading]) -> tuple[_Found, list[Reading]]:
        """Return the lines with those that lie upside down, or on their side, read as they lie."""
        if not found.arrangement.searched:
            return found, read
        page, lines = found.arrangement.upright.image, list(found.arrangement.lines)
        images, read = list(found.images), list(read)
        ways = [_way(one) for one in read]
        doubtful = [i for i in turned.doubtful(ways) if lines[i].cells is None]
        other = [turned.upside_down(lines[i]) for i in doubtful]
        other_images = self._images(page, other)
        for i, line, image, one in zip(doubtful, other, other_images, self._read(other_images), strict=True):
            if turned.is_right(_way(one), ways[i]):
                lines[i], images[i], read[i], ways[i] = line, image, one, _way(one)
                found = _Found(replace(found.arrangement, lines=lines), images, found.quality)
        kept = [i for i in _kept(found, read) if ways[i].confidence >= DOUBTFUL]
        boxes = turned.on_side(self._find_unread(found, kept).places, lines, ways)
        if not boxes:
            return found, read
        side = turned.choose(boxes, lambda some: [_way(one) for one in self._read(self._images(page, some))])
        stay = turned.without(lines, ways, side)
        side_images = self._images(page, side)
        lines, images = [lines[i] for i in stay] + side, [images[i] for i in stay] + side_images
        found = _Found(replace(found.arrangement, lines=lines), images, found.quality)
        return found, [read[i] for i in stay] + self._read(side_images)

    def _images(self, page: Gray, lines: Sequence[TextLine]) -> list[Gray]:
        """Return the images of lines with the usual margin."""
        with self.stopwatch.measure("lines"):
            return [in_one_polarity(columns.image_of(page, line, MARGIN)) for line in lines]

    def _read_again(self, found: _Found, read: list[Reading]) -> list[Reading]:
        """Return what was read, the doubtful lines read by the stronger recogniser, too.

        What was found by searching and can hardly be read is no writing; a stronger recogniser would invent some.
        """
        stronger = self.stronger
        if stronger is None or self.options.quality != "balanced":
            return read
        searched, lines = found.arrangement.searched, found.arrangement.lines
        worth = [
            i
            for i, one in enumerate(read)
            if not searched or _confidence(one) >= LEAST_CONFIDENCE or _holds_text(lines[i], one, searched=True)
        ]

        def read_stronger(places: Sequence[int]) -> Sequence[Reading]:
            recognizer = stronger()
            return self._reader(recognizer).read(found.images_for(recognizer, [worth[place] for place in places]))

        with self.stopwatch.measure("recognition"):
            images, first = [found.images[i] for i in worth], [read[i] for i in worth]
            again = dict(zip(worth, Cascade(read_stronger, rule.load()).read_again(images, first), strict=True))
        return [again.get(i, one) for i, one in enumerate(read)]

    def _reader(self, recognizer: LineRecognizer) -> LineReader:
        return LineReader(recognizer, self.options.charset, self.checkpoint)

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


def name_of(card: Card) -> ModelName:
    """What a result says of a model."""
    return ModelName(card.name, card.version, card.sha256)


def _confidence(reading: Reading) -> float:
    return mean_confidence(peak.confidence for peak in reading.peaks) or 0.0


def _way(reading: Reading) -> Way:
    return Way(_confidence(reading), len(reading.peaks))


def _confidences(read: Sequence[Reading]) -> list[list[float]]:
    return [[peak.confidence for peak in reading.peaks] for reading in read]


def _in_order(found: _Found, read: Sequence[Reading]) -> list[int]:
    """Return which lines hold text, in reading order."""
    kept = _kept(found, read)
    return [kept[place] for place in order.order_lines([found.arrangement.lines[i] for i in kept])]


def _kept(found: _Found, read: Sequence[Reading]) -> list[int]:
    """Return which lines hold text; what was found by searching and reads badly does not."""
    lines, searched = found.arrangement.lines, found.arrangement.searched
    return [i for i, line in enumerate(lines) if _holds_text(line, read[i], searched=searched)]


def _holds_text(line: TextLine, reading: Reading, *, searched: bool) -> bool:
    """Tell whether anything was read in a line, and as surely as it must where the line was found by searching."""
    if not reading.peaks or not searched:
        return bool(reading.peaks)
    is_look_alike = len(reading.peaks) == 1 and reading.peaks[0].text in LOOK_ALIKE
    least = LEAST_IN_DOUBT if line.in_doubt else LEAST_LOOK_ALIKE if is_look_alike else LEAST_CONFIDENCE
    return _confidence(reading) >= least


def _to_line(found: TextLine, reading: Reading, upright: Upright) -> Line:
    """Give what was read its place on the original page."""
    height, width = upright.image.shape
    if found.cells is None:
        quad, seen = (np.clip(crops.widen(found.polygon, m), 0, (width, height)) for m in (MARGIN, reading.margin))
        start, end = crops.shares_of(quad, seen)
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
