"""Pages of ten kinds, drawn from a seed, and what stands where on them: the truth of tests.bench.made_pages.

Texts and sizes are not those of the training, and of the fonts it lacks Droid Sans Fallback (half of the pages), STIX
and Hermit. Debian: apt-get install fontconfig fonts-droid-fallback fonts-arphic-gbsn00lp fonts-wqy-zenhei
fonts-noto-cjk fonts-stix fonts-hermit fonts-liberation.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from PIL import Image, ImageDraw

from tests.fonts import Box, Face

HANZI = 3 * [("Droid Sans Fallback", "fonts-droid-fallback")] + [
    ("AR PL SungtiL GB", "fonts-arphic-gbsn00lp"),
    ("WenQuanYi Zen Hei", "fonts-wqy-zenhei"),
    ("Noto Serif CJK SC", "fonts-noto-cjk"),
]
LATIN = [("STIXGeneral", "fonts-stix"), ("Hermit", "fonts-hermit"), ("Liberation Sans", "fonts-liberation")]
CLAUSES = (
    "甲方应当在每个季度结束之前支付仓储费用", "一切争议由双方协商解决", "二楼会议室已经预订", "乙方不得擅自转租",
    "十月一日起恢复营业", "雨水顺着屋檐落进青石水缸", "列车晚点四十分钟", "请勿在消防通道停放车辆", "样品须避光保存",
    "上级单位要求一周内书面答复", "这台水泵的额定功率偏小", "夜里风大务必关好门窗", "渔船在日出以前离开码头",
    "他把旧书一本一本擦干净", "工人正在检修二号锅炉", "三位顾问提出了不同意见", "果园今年收了八百多斤柿子",
)  # fmt: skip
SENTENCES = (
    "The ferry leaves the north pier at dawn.", "Keep this card in a dry place.", "Seven boxes arrived without labels.",
    "Our warehouse closes early on public holidays.", "Please return the signed copy by Thursday.", "Turn left.",
    "Her violin teacher lives above the bakery.", "Payment is due within thirty days.", "Mix the flour with water.",
    "The pump runs quietly below 40 degrees.", "I will call you when the parts are ready.",
)  # fmt: skip
TITLES = ("总则", "定义与解释", "付款方式", "违约责任", "保密义务", "附则", "交货期限", "验收标准", "争议解决")
NUMERALS = "一二三四五六七八九十"
GOODS = ("豆浆", "青菜", "牛奶", "Soap", "毛巾", "Rice 5kg", "鸡蛋", "电池 AA", "Tea 250g", "白醋", "Notebook", "雨伞")
LABELS = ("Date:", "No.", "Name:", "姓名：", "Tel:", "地址：", "Amount:", "电话：", "Signed by:", "备注：", "Ref.")
VALUES = ("2025-11-03", "B-7714", "Lena Hofer", "周文博", "0571-8832", "河东路 19 号", "¥3,480.00", "已付", "13 March")
REPLIES = (("一", "起去吧"), ("二", "楼见"), ("三", "点半"), ("一", ""), ("", "好"), ("", "7"), ("", "OK"))
CELLS = (*"0123456789甲乙丙丁一二三十有无是否Y", "合计", "数量", "Total", "12.5", "3%", "41", "853", "260", "39", "7%")
DARK, LIGHT = ((20, 20, 20), (0, 0, 0), (30, 40, 90)), ((255, 255, 255), (250, 246, 235), (236, 242, 246))
SLIDES = ((18, 42, 84), (255, 255, 255)), ((255, 255, 255), (20, 20, 20)), ((30, 110, 90), (250, 240, 200))


@dataclass(frozen=True)
class Written:
    """One truth line. lead: the box of the numeral it begins with. half: of a form, which may be read by halves."""

    text: str
    box: Box
    lead: Box | None = None
    half: int = 0


@dataclass
class Sheet:
    """A page under way. written: its lines in reading order."""

    rng: random.Random
    width: int
    height: int
    paper: tuple[int, int, int] = (255, 255, 255)
    ink: tuple[int, int, int] = (0, 0, 0)
    written: list[Written] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.image = Image.new("RGB", (self.width, self.height), self.paper)
        self.on = ImageDraw.Draw(self.image)
        self.faces = self.rng.choice(HANZI), self.rng.choice(LATIN)

    def face(self, size: int) -> Face:
        return Face(*self.faces, size)

    def write(self, left: float, top: float, text: str, size: int, *, lead: str = "", half: int = 0) -> float:
        """Write a line; return how far down it goes, with its leading."""
        face, baseline = self.face(size), top + size
        lead_box = face.box(left, baseline, lead) if lead else None
        box = face.draw(self.on, left, baseline, lead + text, self.ink)
        self.written.append(Written(lead + text, box, lead_box, half))
        return top + size * 1.2

    def paragraph(
        self, at: tuple[float, float], width: float, words: Iterator[str], *, size: int, count: int = 1
    ) -> float:
        """Write so many lines of running text; return where they end."""
        face, leading = self.face(size), size * self.rng.uniform(1.25, 1.8)
        (left, top), text = at, next(words)
        for _ in range(count):
            while face.width(text + (word := next(words))) < width:
                text += word
            self.write(left, top, text.strip(), size)
            text, top = word, top + leading
        return top

    def finish(self) -> Sheet:
        """Cut the empty paper below the last line."""
        bottom = min(self.height, round(max(line.box[3] for line in self.written)) + 40)
        self.image = self.image.crop((0, 0, self.width, bottom))
        return self


def _words(rng: random.Random, chinese: float) -> Iterator[str]:
    """Running text without an end; a hanzi, or an English word with its space, at a time."""
    while True:
        if rng.random() < chinese:
            yield from rng.choice(CLAUSES) + rng.choice("，，。；")
        else:
            yield from (word + " " for word in rng.choice(SENTENCES).split())


def letter(rng: random.Random) -> Sheet:
    sheet = Sheet(rng, 900, 1800, rng.choice(LIGHT))
    size, top, words = rng.randint(16, 27), 70.0, _words(rng, 0.97)
    style = rng.choice(("{}、", "第{}条 ", "（{}）", "第十{}章 "))
    for numeral in NUMERALS[: rng.randint(5, 9)]:
        heading = round(size * rng.choice((1, 1, 1.3)))
        top = sheet.write(90, top, rng.choice(TITLES), heading, lead=style.format(numeral)) + 10
        top = sheet.paragraph((90, top), 720, words, size=size, count=rng.randint(1, 3))
        top += size * rng.uniform(0.2, 1)
    return sheet


def grid(rng: random.Random, rules: bool = True) -> Sheet:
    rows, columns, size = rng.randint(4, 10), rng.randint(3, 8), rng.randint(14, 30)
    wide, high = size * rng.uniform(3.4, 5), size * rng.uniform(1.6, 2.4)
    sheet = Sheet(rng, round(columns * wide) + 100, round(rows * high) + 100)
    for y in range(rows):
        for x in range(columns):
            text = rng.choice(CELLS)
            left = 50 + x * wide + (wide - sheet.face(size).width(text)) / 2
            sheet.write(left, 50 + y * high + (high - size) / 2 - size * 0.1, text, size)
            if rules:
                sheet.on.rectangle((50 + x * wide, 50 + y * high, 50 + (x + 1) * wide, 50 + (y + 1) * high), outline=0)
    return sheet


def table(rng: random.Random) -> Sheet:
    return grid(rng, rules=False)


def columns(rng: random.Random) -> Sheet:
    sheet, size = Sheet(rng, 1000, rng.randint(500, 1200)), rng.randint(14, 22)
    gutter, top, words = size * rng.choice((1, 1.5, 2, 3)), 60.0, _words(rng, rng.choice((0, 1)))
    if rng.random() < 0.5:
        top = sheet.write(300, top, rng.choice(TITLES), size * 2) + size
    wide, count = (880 - gutter) / 2, int((sheet.height - top - 40) / (1.85 * size))
    for left in (60, 60 + wide + gutter):
        sheet.paragraph((left, top), wide, words, size=size, count=count)
    return sheet


def slide(rng: random.Random) -> Sheet:
    paper, ink = rng.choice(SLIDES)
    sheet, words = Sheet(rng, 1600, 900, paper, ink), _words(rng, rng.choice((0.1, 1)))
    top = sheet.write(80, 50, rng.choice((*TITLES, "Agenda", "Results 2025")), rng.randint(80, 140)) + 20
    for _ in range(rng.randint(2, 5)):
        size = rng.randint(34, 64)
        top = sheet.paragraph((100, top), 1400, words, size=size)
    sheet.write(80, 860, next(words) + "".join(next(words) for _ in range(9)).strip(), rng.randint(12, 15))
    sheet.write(1500, 860, str(rng.randint(2, 48)), rng.randint(13, 18))
    return sheet


def receipt(rng: random.Random) -> Sheet:
    rows, size, width = rng.randint(6, 16), rng.randint(15, 22), rng.randint(320, 440)
    sheet = Sheet(rng, width, round((rows + 5) * size * 1.6) + 40, rng.choice(LIGHT), (40, 40, 40))
    top = sheet.write(width / 4, 20, rng.choice(("河滨超市", "Corner Shop", "老周便利店")), size + 6) + size
    for _ in range(rows):
        price = f"{rng.uniform(1, 90):.2f}"
        sheet.write(20, top, f"{rng.choice(GOODS)} x{rng.randint(1, 5)}", size)
        sheet.write(width - 20 - sheet.face(size).width(price), top, price, size)
        top += size * 1.5
    sheet.write(20, top, rng.choice(("合计", "TOTAL")), size)
    sheet.write(width - 20 - sheet.face(size).width("188.40"), top, "188.40", size)
    return sheet


def chat(rng: random.Random) -> Sheet:
    count, size = rng.randint(10, 22), rng.randint(20, 30)
    sheet = Sheet(rng, 560, 60 + count * round(size * 5.6), (237, 237, 237))
    top, words = 40.0, _words(rng, 0.8)
    for i in range(count):
        if i % 5 == 0:
            top = sheet.write(250, top, f"{rng.randint(10, 23)}:{rng.randint(10, 59)}", round(size * 0.7)) + size * 0.6
        mine, lines = rng.random() < 0.5, rng.randint(1, 3)
        wide = rng.uniform(0.25 if lines == 1 else 0.5, 0.7) * 560
        left = 540 - wide if mine else 20.0
        bubble = (left - 12, top - size * 0.4, left + wide + 8, top + size * (1.5 * lines + 0.3))
        sheet.on.rounded_rectangle(bubble, 10, fill=(149, 236, 105) if mine else (255, 255, 255))
        if lines == 1 and rng.random() < 0.6:
            lead, reply = rng.choice(REPLIES)
            sheet.write(left, top, reply, size, lead=lead)
        else:
            for row in range(lines):
                sheet.paragraph((left, top + size * 1.5 * row), wide, words, size=size)
        top += size * (1.5 * lines + 1.2)
    return sheet


def form(rng: random.Random) -> Sheet:
    sheet, size = Sheet(rng, 800, 620), rng.randint(13, 20)
    top = sheet.write(300, 40, rng.choice(("登记表", "Order Form", "Claim")), size * 2) + size
    for label in rng.sample(LABELS, 8):
        for half, left in enumerate((60, rng.randint(340, 480))):
            sheet.write(left, top, label, size, half=half)
            start = left + sheet.face(size).width(label) + size
            if rng.random() < 0.6:
                sheet.write(start, top, rng.choice(VALUES), size, half=half)
            if rng.random() < 0.5:
                sheet.on.line((start, top + size * 1.25, left + 310, top + size * 1.25), fill=0)
        top += size * 2.4
    return sheet


def mixed(rng: random.Random) -> Sheet:
    sheet, top, words = Sheet(rng, 900, 1000, rng.choice(LIGHT), rng.choice(DARK)), 50.0, _words(rng, 0.55)
    for _ in range(rng.randint(3, 5)):
        size = rng.randint(15, 28)
        top = sheet.paragraph((70, top), 760, words, size=size, count=rng.randint(2, 4)) + size
    return sheet


def small(rng: random.Random) -> Sheet:
    words = _words(rng, rng.choice((0, 0.5, 1)))
    sheet, top = Sheet(rng, 620, 520, rng.choice(LIGHT), rng.choice(DARK)), 30.0
    for _ in range(3):
        top = sheet.paragraph((40, top), 540, words, size=rng.randint(11, 13), count=rng.randint(3, 6)) + 12
    return sheet


KINDS: dict[str, Callable[[random.Random], Sheet]] = {
    kind.__name__: kind for kind in (letter, grid, table, columns, slide, receipt, chat, form, mixed, small)
}


def draw(kind: str, seed: str) -> Sheet:
    """The page of a kind that a seed stands for."""
    return KINDS[kind](random.Random(f"{kind} {seed}")).finish()
