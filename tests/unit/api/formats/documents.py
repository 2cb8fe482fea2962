"""Results and images for the tests of output formats, made here: what recognition would say of them is known."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import IO, Any

from PIL import Image, ImageDraw

from api.formats.format import Choices, Format, Source
from shared.result import DocumentResult, Line, ModelName, Page, Reason, Word, as_polygon
from shared.result.polygon import Polygon

READ_AT = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
MODEL = ModelName("crnn-zh-en", "20261121.2", "ab" * 32)
WIDTH, HEIGHT = 1000, 800
BEYOND_BMP = "𠮷"


def turned(box: Sequence[float], angle: float, centre: tuple[float, float]) -> Polygon:
    """Left, top, right, bottom as a polygon, turned about a point by degrees, counter-clockwise as people see it."""
    left, top, right, bottom = box
    sine, cosine = math.sin(math.radians(-angle)), math.cos(math.radians(-angle))
    moved = [(x - centre[0], y - centre[1]) for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))]
    return as_polygon([(centre[0] + x * cosine - y * sine, centre[1] + x * sine + y * cosine) for x, y in moved])


def words_in(text: str) -> list[str]:
    """As recognition splits a line: at spaces, and around hanzi."""
    return "".join(f" {c} " if ord(c) > 0x3000 else c for c in text).split()


def line(
    text: str, left: float, top: float, height: float = 40, *, angle: float = 0.0, centre: tuple[float, float] = (0, 0)
) -> Line:
    """A line whose hanzi are as wide as it is high and whose other characters are half as wide, and its words."""
    end = left
    places = []
    for character in text:
        places.append(end)
        end += height if ord(character) > 0x3000 else height / 2
    places.append(end)
    words, at = [], 0
    for word in words_in(text):
        at = text.index(word, at)
        box = (places[at], top, places[at + len(word)], top + height)
        words.append(Word(word, 0.9, turned(box, angle, centre)))
        at += len(word)
    polygon = turned((left, top, end, top + height), angle, centre)
    return Line(text, text, polygon, (), tuple(words), stored_confidence=0.9)


SQUARE_LINE = Line("no words 中文", "", as_polygon([(10, 10), (210, 10), (210, 50), (10, 50)]), (), (),
                   stored_confidence=0.7)  # fmt: skip
"""As another dialect or an older version may have stored one."""


def page_of(*lines: Line, number: int = 1, width: int = WIDTH, height: int = HEIGHT, angle: float = 0.0) -> Page:
    warning = Reason("low_contrast", "contrast", 20.0, 40.0, "The page is pale. Scan it darker.")
    return Page(number, width, height, angle, {"contrast": 20.0}, lines, (warning,))


def mixed_page(number: int = 1) -> Page:
    """Chinese, English, both on a line, two columns, a line that stands upright, a tilted one, and a rare hanzi."""
    return page_of(
        line("年度报告 Annual report", 100, 60, 60),
        line("The quick brown fox jumps over", 100, 160, 30),
        line("the lazy dog, e-mail: a@b.cn", 100, 205, 30),
        line("订单编号 AB-2026 共3件", 100, 280, 40),
        line("左栏文字", 100, 360, 40),
        line("right column", 600, 360, 40),
        line(f"{BEYOND_BMP}野家 I", 100, 430, 40),
        line("tilted words stay whole", 100, 520, 40, angle=2.0, centre=(100, 520)),
        line("going up 上行", 900, 700, 40, angle=90, centre=(900, 700)),
        line("<&> \"quoted\" 'text'", 100, 640, 40),
        number=number,
    )


def result_of(*pages: Page) -> DocumentResult:
    """As it is read back from the database: without characters."""
    fresh = DocumentResult(MODEL, pages)
    told: dict[str, Any] = {
        "text": "\n\n".join(page.text for page in pages if page.lines),
        "confidence": 0.9,
        "min_confidence": 0.9,
        "model": MODEL.to_json(),
        "pages": [page.to_json() for page in fresh.pages],
    }
    return DocumentResult.from_json(told)


def white(width: int = WIDTH, height: int = HEIGHT, mode: str = "L") -> Image.Image:
    """A page with a few strokes, so that it does not compress to nothing."""
    image = Image.new(mode, (width, height), "white" if mode != "1" else 1)
    draw = ImageDraw.Draw(image)
    for x in range(0, width, 37):
        draw.line((x, 0, width - x, height), fill=0)
    return image


def source_of(result: DocumentResult, upload: bytes = b"", media_type: str = "image/png", **choices: bool) -> Source:
    return Source(result, "job_1", READ_AT, media_type, lambda: upload, Choices(**choices))


def written(form: Format, source: Source) -> bytes:
    file: IO[bytes] = io.BytesIO()
    form.write(source, file)
    file.seek(0)
    return file.read()
