"""Small pictures of the kinds that users found misread, each drawn here and read by the shipped models."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw

import models
from models import detector
from shared.options import LayoutName
from tests.fonts import Face, FontMissingError
from tests.services import unavailable
from worker.ocr.pipeline import Options, recognize_document

SANS, SONG = ("Droid Sans Fallback", "fonts-droid-fallback"), ("AR PL SungtiL GB", "fonts-arphic-gbsn00lp")
LATIN = "Liberation Sans", "fonts-liberation"
GREEN, RED = (0, 130, 0), (255, 0, 0)  # 76 of 255 is the luma of both
PROSE_ZH = [
    "甲方应当在每个季度结束之前支付",
    "仓储费用，逾期不付的，每日加收",
    "千分之一的违约金。一切争议由双",
    "方协商解决，协商不成的提交仲裁",
]
CLAUSE = ["一、付款", *PROSE_ZH]
PROSE_EN = [
    "The ferry leaves the north pier",
    "at dawn and comes back after the",
    "last train. Tickets are sold on",
    "board, but only for cash in hand",
]
VERSE = ["雨水顺着", "屋檐落进", "青石水缸", "里去"]
BARS = "its bars are read as letters, too, and a year behind them"
CHART = "120 100 80 60 40 20 2015 2016 2017 2018 2019 2020 2021"
CONTENTS = [("1.9 Getting started", "15"), ("2.1 用户手册", "81"), ("3.8 Network setup", "127"), ("4.2 系统概述", "9")]
TALK = ["明天几点开会？", "三点半", "好的", "一起去吧", "Turn left", "到了", "一", "OK", "收到", "二楼会议室"]
LONG = ("Her violin teacher lives above the bakery and the pump runs quietly below forty degrees " * 3)[:240].strip()
PROSE = (
    "Her violin teacher lives above the bakery",
    "and the pump runs quietly below forty degrees",
    "until somebody shuts the door of the cellar",
    "and goes home along the river in the rain",
    "while the lamps are lit one after the other",
    "and the ferry waits for the last of them",
    "who comes late, as he does every evening",
)
RATES = ("Rent 412 - 9.5", "Fuel - 88 -", "Bread 7 31 2.1", "Milk 15 - 6.0")
TABLE = ("甲是有丙", "对否无丁", "戊是无甲", "己否有对")
POEM = ("春眠不觉晓", "处处闻啼鸟", "夜来风雨声", "花落知多少")
HALVES = "the upper half and the lower half of the first character are found as two lines"
ALONE = "a thin hanzi that stands in no row and in no column with a line is not read"
THIN = "thin hanzi alone in their cells have no line beside them that shows their row and column"
Draw = Callable[[], Image.Image]


def sheet(
    rows: Sequence[tuple[str, float, float]],
    size: tuple[int, int],
    px: int,
    *,
    hanzi: tuple[str, str] = SANS,
    ink: Any = 0,
    paper: Any = "white",
    mode: str = "RGB",
) -> Image.Image:
    """A picture with texts, each at its left end and baseline."""
    image = Image.new(mode, size, paper)
    for text, left, baseline in rows:
        Face(hanzi, LATIN, px).draw(ImageDraw.Draw(image), left, baseline, text, ink)
    return image


def lines(texts: Sequence[str], px: int, margin: int = 40, leading: float = 1.6, **look: Any) -> Image.Image:
    """Lines of text with paper around."""
    face = Face(look.get("hanzi", SANS), LATIN, px)
    width = round(max(face.width(text) for text in texts)) + 2 * margin
    rows = [(text, margin, margin + px * (0.9 + leading * i)) for i, text in enumerate(texts)]
    return sheet(rows, (width, round(px * (leading * (len(texts) - 1) + 1.15)) + 2 * margin), px, **look)


def table(cells: Sequence[str], px: int, rules: bool) -> Image.Image:
    """Cells of one character or number each, in rows as long as the first."""
    wide, high = 4 * px, 2 * px
    rows = [
        (text, 30 + x * wide + 1.5 * px, 30 + y * high + 1.4 * px)
        for y, row in enumerate(cells)
        for x, text in enumerate(row)
    ]
    image = sheet(rows, (60 + len(cells[0]) * wide, 60 + len(cells) * high), px)
    for _, left, baseline in rows if rules else ():
        x, y = left - 1.5 * px, baseline - 1.4 * px
        ImageDraw.Draw(image).rectangle((x, y, x + wide, y + high), outline=0)
    return image


def below(image: Image.Image, y: float, left: float, right: float) -> Image.Image:
    """The picture with a rule across."""
    ImageDraw.Draw(image).line((left, y, right, y), fill=0, width=1)
    return image


def slide(title: str, px: int) -> Image.Image:
    image = sheet([(title, 90, 60 + px)], (1600, 900), px)
    Face(SANS, LATIN, 40).draw(ImageDraw.Draw(image), 90, 400, "图书馆周一闭馆，请提前归还")
    return image


def columns(texts: Sequence[str], px: int) -> Image.Image:
    """Twice the same paragraph, an em apart."""
    width = max(Face(SANS, LATIN, px).width(text) for text in texts)
    rows = [(text, left, 60 + px * 1.5 * i) for left in (40.0, 40 + width + px) for i, text in enumerate(texts * 2)]
    return sheet(rows, (round(2 * width + px) + 80, round(12 * px) + 80), px)


def down(
    columns: Sequence[str], px: int, pitch: float = 1.1, gutter: float = 0.7, hanzi: tuple[str, str] = SANS
) -> Image.Image:
    """Columns from right to left, their characters below each other."""
    far, step = px * (1 + gutter), px * pitch
    size = round(far * len(columns) + 3 * px), round(step * max(map(len, columns)) + 3 * px)
    rows = [
        (character, size[0] - 2.5 * px - far * x, 2.4 * px + step * y)
        for x, text in enumerate(columns)
        for y, character in enumerate(text)
    ]
    return sheet(rows, size, px, hanzi=hanzi)


def cells(rows: Sequence[str], px: int) -> Image.Image:
    """A table without rules that has one character in each cell."""
    written = [
        (mark, 2 * px + 4 * px * x, 2 * px * (y + 1)) for y, row in enumerate(rows) for x, mark in enumerate(row)
    ]
    return sheet(written, (4 * px * (len(rows[0]) + 1), 2 * px * (len(rows) + 1)), px)


def rates(rows: Sequence[str], px: int) -> Image.Image:
    """A table without rules, with words, numbers and dashes."""
    parted = [(y, x, text) for y, row in enumerate(rows, 1) for x, text in enumerate(row.split())]
    written = [(text, 2.0 * px + 6 * px * x, 2.0 * px * y) for y, x, text in parted]
    return sheet(written, (27 * px, 2 * px * (len(rows) + 1)), px)


def in_boxes(numbers: Sequence[str], px: int, ticks: bool) -> Image.Image:
    """Numbers of a form with a box, or two ticks, around each digit, each below its name."""
    wide, high = round(1.6 * px), round(1.7 * px)
    rows, boxes = [], []
    for at, number in enumerate(numbers):
        top = 2 * px + 5 * px * at
        rows += [("Number", 40.0, 1.2 * px + 5 * px * at)]
        rows += [(one, 40 + wide * i + 0.5 * px, top + 1.2 * px) for i, one in enumerate(number)]
        boxes += [(40 + wide * i, top, 40 + wide * (i + 1), top + high) for i in range(len(number))]
    image = sheet(rows, (100 + wide * max(map(len, numbers)), 5 * px * len(numbers) + px), px)
    for left, top, right, bottom in boxes:
        if ticks:
            middle = (top + bottom) // 2
            ImageDraw.Draw(image).line([(left, middle), (left, bottom), (right, bottom), (right, middle)], fill=90)
        else:
            ImageDraw.Draw(image).rectangle((left, top, right, bottom), outline=90)
    return image


def with_turned(text: str, degrees: int, px: int) -> Image.Image:
    """A page of prose with one line on its side, or upside down at its foot."""
    image = lines(PROSE, px, 3 * px)
    face = Face(SANS, LATIN, px)
    strip = sheet([(text, 4, px)], (round(face.width(text)) + 8, round(1.4 * px)), px).rotate(degrees, expand=True)
    image.paste(strip, (px // 2, 2 * px) if degrees != 180 else (4 * px, image.height - 2 * px))
    return image


def in_margin(title: str, texts: Sequence[str], px: int, pitch: float, paper: str) -> Image.Image:
    """Lines of text with a title in white down a coloured strip at their left."""
    page = lines(texts, px, margin=5 * px, leading=1.9)
    ImageDraw.Draw(page).rectangle((0, 0, 3 * px, page.height), fill=paper)
    for i, character in enumerate(title):
        Face(SANS, LATIN, 2 * px).draw(ImageDraw.Draw(page), px / 2, px * (4 + 2 * pitch * i), character, "white")
    return page


def below_title(title: str, image: Image.Image, px: int) -> Image.Image:
    """The picture with a line that runs across above it."""
    whole = Image.new("RGB", (max(image.width, len(title) * px + 60), image.height + 3 * px), "white")
    whole.paste(image, (0, 3 * px))
    Face(SANS, LATIN, px).draw(ImageDraw.Draw(whole), 30, 2 * px, title)
    return whole


def contents(rows: Sequence[tuple[str, str]], px: int, dot: str) -> Image.Image:
    """Titles, dots, and the numbers of their pages at the right end."""
    face, right = Face(SANS, LATIN, px), 40.0 + 26 * px
    written = []
    for i, (title, number) in enumerate(rows):
        baseline, start, end = 40 + px * (0.9 + 1.6 * i), 44 + face.width(title), right - face.width(number)
        dots = dot * int((end - start - 4) / face.width(dot))
        written += [(title, 40, baseline), (dots, start, baseline), (number, end, baseline)]
    return sheet(written, (round(right) + 40, round(px * 1.6 * len(rows)) + 80), px)


def bars(heights: Sequence[int], px: int) -> Image.Image:
    """A chart: amounts beside its axis, bars, a year below each."""
    step = 4 * px
    width, foot = step * (len(heights) + 2), 20 * px
    rows = [(str(2015 + i), step * (1.5 + i), foot + 1.5 * px) for i in range(len(heights))]
    rows += [(str(20 * i), step - 2.5 * px, foot - 3 * px * i) for i in range(1, 7)]
    image = sheet(rows, (width, 23 * px), px)
    on = ImageDraw.Draw(image)
    on.line((step, px, step, foot, width - px, foot), fill=0, width=2)
    for i, height in enumerate(heights):
        on.rectangle((step * (1.5 + i), foot - height * px, step * (1.9 + i), foot), fill="steelblue")
    return image


def tilted(image: Image.Image, degrees: float) -> Image.Image:
    """An image turned a little, as a photograph is."""
    return image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor="white")


def shaded(texts: Sequence[str], px: int) -> Image.Image:
    """Dark lines on grey paper with much around them, of which a side lies in the dark."""
    image = lines(texts, px, 2 * px, ink="#333366", paper="#9999aa")
    shadow = Image.linear_gradient("L").rotate(90).resize(image.size).point(lambda level: 90 + level * 165 // 255)
    return ImageChops.multiply(image, shadow.convert("RGB"))


def chat(texts: Sequence[str]) -> Image.Image:
    """Bubbles, left and right in turn, on a tall picture."""
    image = Image.new("RGB", (560, 120 * len(texts) + 40), (237, 237, 237))
    on, face = ImageDraw.Draw(image), Face(SANS, LATIN, 26)
    for i, text in enumerate(texts):
        left, top = (40.0, (540 - face.width(text)))[i % 2], 120 * i + 30
        fill = ("white", (149, 236, 105))[i % 2]
        on.rounded_rectangle((left - 16, top, left + face.width(text) + 16, top + 56), 8, fill=fill)
        face.draw(on, left, top + 37, text)
    return image


def palette() -> Image.Image:
    """White writing, transparent elsewhere, in a palette whose transparent colour is white, too."""
    image = Image.new("P", (300, 80), 0)
    image.putpalette([255, 255, 255, 250, 250, 250])
    image.info["transparency"] = 0
    Face(SANS, LATIN, 28).draw(ImageDraw.Draw(image), 30, 50, "会议延期 10:30", 1)
    return image


def case(name: str, text: str, draw: Draw, layout: LayoutName = "auto", fails: str = "") -> Any:
    marks = [pytest.mark.xfail(reason=fails, strict=False)] if fails else []
    return pytest.param(text, draw, layout, id=name, marks=marks)


def one(name: str, text: str, px: int, layout: LayoutName = "auto", *, fails: str = "", **look: Any) -> Any:
    """A single line on paper."""
    family = "Song" if look.get("hanzi") == SONG else "sans"
    return case(f"{name}, {px} px {family}", text, partial(lines, [text], px, **look), layout, fails)


def grid(name: str, cells: Sequence[str], px: int, rules: bool, fails: str = "") -> Any:
    name = f"{name} in cells {'with' if rules else 'without'} rules, {px} px"
    return case(name, " ".join(" ".join(row) for row in cells), partial(table, cells, px, rules), fails=fails)


CASES = [
    one("numeral heading", "一、总则", 16),
    one("numeral heading", "一、总则", 16, hanzi=SONG),
    one("numeral heading", "一、总则", 24),
    one("numeral heading", "一、总则", 24, hanzi=SONG),
    one("date in hanzi", "十二月三十一日", 18, hanzi=SONG),
    one("date in hanzi", "十二月三十一日", 26),
    one("idiom", "一一对应", 20, hanzi=SONG),
    one("idiom", "一一对应", 28),
    one("lone numeral", "三、", 22),
    one("clause number", "第十二条", 16, hanzi=SONG),
    case("heading over a paragraph", "".join(CLAUSE), partial(lines, CLAUSE, 20, hanzi=SONG)),
    case("numeral beside its text", "二、雨水", partial(sheet, [("二、", 40, 80), ("雨水", 90, 80)], (300, 160), 20)),
    grid("digits", ["137", "902", "465"], 18, True),
    grid("digits", ["137", "902", "465"], 24, False),
    grid("zeros and ones", ["0101", "1100"], 22, True),
    grid("hanzi", ["甲乙无", "有是否"], 18, True),
    grid("hanzi", ["甲乙无", "有是否"], 24, False),
    grid("numerals", ["一二三", "十一二"], 18, True, THIN),
    grid("numerals", ["一二三", "十一二"], 24, False, THIN),
    *(case(f"one digit, {text}", text, partial(sheet, [(text, 22, 46)], (64, 64), 36)) for text in "719"),
    one("one hanzi", "是", 30, margin=16),
    *(
        case(f"slide, title of {px} px", f"{title} 图书馆周一闭馆，请提前归还", partial(slide, title, px), fails=fails)
        for title, px, fails in (("工作安排", 96, ""), ("总则", 108, HALVES), ("Results", 130, ""), ("总则", 140, ""))
    ),
    one("red on green of the same brightness", "Quarter 3 结果", 30, ink=RED, paper=GREEN),
    one("white on transparent", "会议延期 10:30", 28, ink="white", paper=(255, 255, 255, 0), mode="RGBA"),
    one("black on transparent", "会议延期 10:31", 28, ink="black", paper=(0, 0, 0, 0), mode="RGBA"),
    case("palette with transparency", "会议延期 10:30", palette),
    case(
        "two short lines, the second further right",
        "审批意见 EXIT",
        partial(sheet, [("审批意见", 20, 40), ("EXIT", 180, 64)], (260, 94), 20),
    ),
    case("narrow crop of three lines", "".join(VERSE[:3]), partial(lines, VERSE[:3], 24, margin=4, leading=1.25)),
    case("narrow crop of four lines", "".join(VERSE), partial(lines, VERSE, 24, margin=4, leading=1.25)),
    one("crop that begins with a thin hanzi", "一切正常", 24, "line", margin=3),
    one("crop of a numeral heading", "一、总则", 20, "line", margin=2, hanzi=SONG),
    one("crop of one thin hanzi", "一", 24, "line", margin=4),
    one("crop of 240 characters", LONG, 18, "line", margin=6),
    one("240 characters on a page", LONG, 16, "page"),
    one("label that ends in a colon", "Date:", 14),
    one("longer label that ends in a colon", "Invoice Date:", 14),
    one("label that ends in a full stop", "Order No.", 15),
    one("short label that ends in a full stop", "No.", 18),
    case("label before a rule", "Date:", lambda: below(lines(["Date:"], 16, margin=60), 78, 110, 150)),
    case("columns an em apart, Chinese", "".join(PROSE_ZH * 4), partial(columns, PROSE_ZH, 18)),
    case("columns an em apart, English", " ".join(PROSE_EN * 4), partial(columns, PROSE_EN, 18)),
    case("underline through descenders", "Graph jumps", lambda: below(lines(["Graph jumps"], 24), 65, 40, 180)),
    case("underlined hanzi", "甲方：河滨仓储公司", lambda: below(lines(["甲方：河滨仓储公司"], 20), 63, 100, 230)),
    case("tall chat", " ".join(TALK), partial(chat, TALK)),
    *(case(f"dashes in the cells of a table, {px} px", " ".join(RATES), partial(rates, RATES, px)) for px in (16, 26)),
    *(
        case(
            f"a form's number in {name}, {px} px",
            "Number 41870362 Number 350204198806",
            partial(in_boxes, ("41870362", "350204198806"), px, ticks),
        )
        for name, ticks in (("boxes", False), ("a comb", True))
        for px in (14, 18, 32)
    ),
    case("hanzi in the cells of a table", " ".join(" ".join(row) for row in TABLE), partial(cells, TABLE, 22)),
    case("a poem in columns", "".join(POEM), partial(down, POEM, 28)),
    case("a poem in columns, Song, far apart", "".join(POEM), partial(down, POEM, 24, 1.2, 1.1, SONG)),
    case("a shop's sign that runs down", "山水人家茶馆", partial(down, ["山水人家茶馆"], 48)),
    case(
        "a title down the margin",
        "公司报告" + "".join(PROSE_ZH * 3),
        partial(in_margin, "公司报告", PROSE_ZH * 3, 20, 1.4, "#d2691e"),
    ),
    case(
        "columns below a title",
        "会议日程安排本合同由甲方与乙方签订三十二年一月十二日",
        lambda: below_title("会议日程安排", down(["本合同由甲方与乙方签订", "三十二年一月十二日"], 28, 1.05, 0.8), 28),
    ),
    *(
        case(f"{name} sent as a line", text, draw, "line")
        for text in ("请出示身份证件", "Take your ticket")
        for name, draw in {
            "wide borders": partial(lines, [text], 24, margin=50),
            "a tilt": lambda text=text: tilted(lines([text], 24, margin=10), 7),
            "wide borders and a tilt": lambda text=text: tilted(lines([text], 24), -5),
        }.items()
    ),
    case("two rows sent as a line", "谢谢合作Take it", partial(lines, ["谢谢合作", "Take it"], 24, 8), "line"),
    *(
        case(f"a sign that slants by {degrees} degrees", text, lambda t=text, d=degrees: tilted(lines([t], 24), d))
        for text in ("请出示身份证件", "Take your ticket")
        for degrees in (-50, -35, 20, 28, 65, 160)
    ),
    *(
        case(f"page at {degrees} degrees", " ".join(PROSE_EN), lambda d=degrees: tilted(lines(PROSE_EN, 20), d), "page")
        for degrees in (-35, 20, 50)
    ),
    *(
        case(f"letters of {px} px", text, partial(lines, texts, px, px // 5), layout)
        for text, texts in (("今日特价商品", ["今日特价商品"]), ("Take it谢谢合作", ["Take it", "谢谢合作"]))
        for px, layout in ((240, "page"), (450, "page"), (450, "auto"))
    ),
    case("a faint line in a shadow", "Take your ticket", partial(shaded, ["Take your ticket"], 20)),
    *(
        case(f"contents with {name}, {px} px", " ".join(map(" ".join, CONTENTS)), partial(contents, CONTENTS, px, dot))
        for name, dot in {"dots": ".", "dots far apart": ". ", "middle dots": "·"}.items()
        for px in (14, 26)
    ),
    case("a chart", CHART, partial(bars, (7, 3, 6, 8, 5, 7, 6), 24)),
    case("a chart with low bars", CHART, partial(bars, (7, 5, 1, 6, 7, 3, 3), 20)),
    case("a chart on a small page", CHART, partial(bars, (7, 3, 6, 8, 5, 7, 6), 18), fails=BARS),
    case("three rows sent as a line", "".join(VERSE[:3]), partial(lines, VERSE[:3], 18, 4), "line"),
]  # fmt: skip


def plain(text: str) -> str:
    """Full-width forms as ASCII, white space as one space, none beside a Chinese character."""
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).replace("、", ",").replace("。", ".")).strip()
    return re.sub(r"(?<=[\u3000-\u9fff]) | (?=[\u3000-\u9fff])", "", text)


@cache
def shipped() -> tuple[models.Recognizer, detector.Detector]:
    return models.load(threads=1), detector.load(threads=1)


@pytest.mark.parametrize(("text", "draw", "layout"), CASES)
def test_what_users_sent_is_read(text: str, draw: Draw, layout: LayoutName) -> None:
    png = io.BytesIO()
    try:
        draw().save(png, "png")
    except FontMissingError as missing:
        unavailable(str(missing))
    recognizer, finder = shipped()
    document = recognize_document(png.getvalue(), recognizer, Options(layout), detector=finder)
    assert plain(document.text) == plain(text)


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("Archive 2051-1190 page 8", 90),
        ("Archive 2051-1190 page 8", 270),
        ("旋转文字在页面边上", 270),
        ("This line stands upside down here", 180),
        ("颠倒的一行文字在下面", 180),
    ],
)
def test_a_line_that_lies_otherwise_than_its_page_is_read(text: str, degrees: int) -> None:
    png = io.BytesIO()
    try:
        with_turned(text, degrees, 22).save(png, "png")
    except FontMissingError as missing:
        unavailable(str(missing))
    recognizer, finder = shipped()
    read = recognize_document(png.getvalue(), recognizer, Options(), detector=finder).text.splitlines()
    assert sorted(map(plain, read)) == sorted(map(plain, [*PROSE, text]))
