"""`tsv`: the columns that Tesseract writes, for what reads those."""

from __future__ import annotations

from collections.abc import Iterator

from api.formats.format import Format, Source, as_utf8
from api.formats.paragraphs import paragraphs_of
from api.formats.places import Box, around, box_of, line_box, words_of
from shared.result import Page

COLUMNS = (
    "level", "page_num", "block_num", "par_num", "line_num", "word_num",
    "left", "top", "width", "height", "conf", "text",
)  # fmt: skip
NO_CONFIDENCE = "-1"


def make(source: Source) -> str:
    """A row for each page (level 1), block, paragraph (each is a block here), line and word (5)."""
    rows = [COLUMNS, *(row for page in source.result.pages for row in rows_of(page))]
    return "".join("\t".join(row) + "\n" for row in rows)


def rows_of(page: Page) -> Iterator[tuple[str, ...]]:
    """The rows of a page."""
    number = page.page_number
    yield _row(1, (number, 0, 0, 0, 0), Box(0, 0, page.width, page.height))
    for block, paragraph in enumerate(paragraphs_of(page), 1):
        boxes = [line_box(line, page.width, page.height) for line in paragraph.lines]
        yield _row(2, (number, block, 0, 0, 0), around(boxes))
        yield _row(3, (number, block, 1, 0, 0), around(boxes))
        for at, (line, box) in enumerate(zip(paragraph.lines, boxes, strict=True), 1):
            yield _row(4, (number, block, 1, at, 0), box)
            for word_number, word in enumerate(words_of(line), 1):
                place = box_of(word.polygon, page.width, page.height)
                confidence = f"{100 * word.confidence:.2f}"
                yield _row(5, (number, block, 1, at, word_number), place, confidence, word.text)


def _row(
    level: int, numbers: tuple[int, ...], box: Box, confidence: str = NO_CONFIDENCE, text: str = ""
) -> tuple[str, ...]:
    cells = (level, *numbers, box.left, box.top, box.width, box.height)
    return (*map(str, cells), confidence, " ".join(text.split()))


FORMAT = Format("tsv", "text/tab-separated-values", "tsv", "Tesseract's columns, a row for each word", as_utf8(make))
