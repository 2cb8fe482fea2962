"""What the rendered lines say: prose, words, single characters, numbers, forms, receipts, codes, both languages mixed."""

from __future__ import annotations

import bisect
import itertools
import pathlib
import random
import string
from collections.abc import Callable

from models.charset import tidy_spaces
from models.training.characters import LATIN1, SIGNS

CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
UNITS = (
    "kg",
    "g",
    "mg",
    "ml",
    "mL",
    "L",
    "cm",
    "mm",
    "m",
    "km",
    "%",
    "°C",
    "MHz",
    "GB",
    "KB",
    "W",
    "kWh",
    "元",
    "万元",
    "件",
    "个",
    "天",
    "年",
)
RECEIPT = (
    "TOTAL", "SUB-TOTAL", "CASH", "CHANGE", "GST 6%", "TAX INVOICE", "QTY", "AMOUNT", "ITEM", "PRICE", "DATE", "TIME", "RECEIPT NO", "INVOICE NO",
    "ROUNDING", "DISCOUNT", "THANK YOU", "PLEASE COME AGAIN", "NO. ", "JALAN", "SDN BHD", "TEL", "FAX", "GST REG NO", "CASHIER", "TABLE", "VISA",
    "BALANCE", "CREDIT CARD", "SUMMARY", "TAX(RM)", "AMT(RM)", "RM", "GOODS SOLD ARE NOT RETURNABLE", "CO. REG", "MEMBER", "TRANS", "POS", "SERVER",
)  # fmt: skip
FORM = (
    "Name", "Address", "Date", "To", "From", "Subject", "Phone", "Fax", "Page", "of", "Signature", "Title", "Department", "Company", "City", "State",
    "Zip", "Brand", "Project", "Total", "Approved by", "Comments", "Period", "Account", "Number", "Sample", "Code", "Copies", "cc", "Re", "Product",
)  # fmt: skip
LABELS_ZH = (
    "姓名", "性别", "电话", "地址", "日期", "合计", "单价", "数量", "金额", "编号", "规格", "品名", "备注", "公司", "账号", "开户行", "时间", "票价",
    "车次", "座位", "身份证号", "税号", "收款人", "付款人", "产品名称", "生产日期", "保质期", "净含量", "执行标准", "检查项目", "结果", "参考值",
)  # fmt: skip


def load(path: pathlib.Path) -> list[str]:
    return path.read_text("utf-8").split("\n")[:-1]


class TextSampler:
    """Draws line texts from the corpora below `folder`; every text is spelled as a label (see `models.charset`)."""

    def __init__(self, folder: pathlib.Path, characters: list[str], rng: random.Random) -> None:
        self.rng = rng
        self.chinese, self.english, self.mixed = (load(folder / f"{kind}.txt") for kind in ("zh", "en", "mixed"))
        rows = [row.split("\t") for row in load(folder / "words.txt")]
        self.words = [word for word, _ in rows]
        self.cumulative = list(itertools.accumulate(float(weight) for _, weight in rows))
        self.names = load(folder / "names.txt")
        self.hanzi = [one for one in characters if "\u4e00" <= one <= "\u9fff"]
        self.punctuation = [one for one in characters if one in "、。《》「」『』【】〈〉〔〕“”‘’—–…·,:;!?()~"]
        self.kinds: list[tuple[float, Callable[[], str]]] = [
            (26, self.chinese_prose), (16, self.chinese_words), (15, self.rare_hanzi), (15, self.english_prose), (6, self.english_words),
            (8, self.number), (8, self.receipt), (4, self.form), (4, self.chinese_form), (8, self.both), (2, self.random_ascii),
        ]  # fmt: skip
        self.weights = [weight for weight, _ in self.kinds]

    def sample(self) -> str:
        """One text of 1 to about 60 characters."""
        while True:
            kind = self.rng.choices(self.kinds, self.weights)[0][1]
            text = tidy_spaces(kind())
            if text:
                return text[:64].strip()

    def sign(self) -> str:
        """A word or two of a shop, a street, a poster; a third is Chinese."""
        rng = self.rng
        if rng.random() < 0.33:
            return self.chinese_words()[: rng.randint(1, 6)]
        draw = rng.random()
        if draw < 0.12:
            return self.digits(4)
        if draw < 0.5:
            words = [one for one in self.slice(self.english, 40).split(" ")[1:-1] if one.isalpha()]
            word = rng.choice(words) if words else rng.choice(self.names)
        else:
            word = " ".join(rng.choices(self.names, k=rng.choice((1, 1, 1, 1, 2))))
        draw = rng.random()
        return word.upper() if draw < 0.5 else word.title() if draw < 0.85 else word

    def length(self, short: int, long: int) -> int:
        return self.rng.randint(2, short) if self.rng.random() < 0.78 else self.rng.randint(short, long)

    def slice(self, rows: list[str], length: int) -> str:
        row = self.rng.choice(rows)
        start = self.rng.randint(0, max(0, len(row) - length))
        return row[start : start + length]

    def chinese_prose(self) -> str:
        return self.slice(self.chinese, self.length(13, 32))

    def chinese_words(self) -> str:
        """Dictionary words by the square root of their frequency, so that rare ones come up."""
        out, length = "", self.length(8, 16)
        while len(out) < length:
            out += self.words[bisect.bisect(self.cumulative, self.rng.random() * self.cumulative[-1])]
            if self.rng.random() < 0.08:
                out += self.rng.choice(self.punctuation)
        return out[:length]

    def rare_hanzi(self) -> str:
        """Uniform over the charset: no class is starved."""
        return "".join(self.rng.choices(self.hanzi, k=self.rng.randint(1, 14)))

    def english_prose(self) -> str:
        length = self.length(30, 60)
        row = self.rng.choice(self.english)
        starts = [0] + [index + 1 for index, one in enumerate(row) if one == " "]
        start = self.rng.choice(starts[: max(1, len(starts) * 3 // 4)])
        text = row[start : start + length]
        if len(row) > start + length and " " in text:
            text = text.rsplit(" ", 1)[0]
        return self.cased(text)

    def cased(self, text: str) -> str:
        draw = self.rng.random()
        if draw < 0.15:
            return text.upper()
        if draw < 0.2:
            return text.title()
        if draw < 0.24:
            return "".join(
                self.rng.choice(LATIN1) if one in "aeiouAEIOUnc" and self.rng.random() < 0.15 else one for one in text
            )
        return text

    def english_words(self) -> str:
        word = " ".join(self.rng.choices(self.names, k=self.rng.choice((1, 1, 1, 2, 3))))
        draw = self.rng.random()
        return word.upper() if draw < 0.4 else word.title() if draw < 0.7 else self.cased(word)

    def digits(self, most: int = 6) -> str:
        return "".join(self.rng.choices(string.digits, k=self.rng.randint(1, most)))

    def amount(self) -> str:
        whole = self.rng.choice((self.digits(3), f"{self.rng.randint(0, 9_999_999):,}", self.digits(5)))
        sign = self.rng.choice(("", "", "", "$", "¥", "€", "£", "RM", "-", "RM "))
        return f"{sign}{whole}{self.rng.choice(('.', '.', '.', ',', ''))}{self.rng.randint(0, 99):02d}"

    def date(self) -> str:
        rng = self.rng
        year, month, day = rng.randint(1950, 2035), rng.randint(1, 12), rng.randint(1, 31)
        form = rng.choice(
            ("{y}-{m:02d}-{d:02d}", "{d:02d}/{m:02d}/{y}", "{m}/{d}/{s:02d}", "{y}年{m}月{d}日", "{d} {w} {y}", "{w} {d}, {y}",
             "{d:02d}-{m:02d}-{s:02d}", "{y}.{m:02d}.{d:02d}", "{d:02d}-{w}-{y}", "{y}/{m}/{d} {h:02d}:{n:02d}", "{h:02d}:{n:02d}:{e:02d}", "{h}:{n:02d} PM")
        )  # fmt: skip
        names = ("Jan", "Feb", "March", "Apr", "May", "June", "JUL", "Aug", "Sept", "OCT", "November", "Dec")
        return form.format(y=year, s=year % 100, m=month, d=day, w=names[month - 1], h=rng.randint(0, 23), n=rng.randint(0, 59), e=rng.randint(0, 59))  # fmt: skip

    def code(self) -> str:
        parts = (
            "".join(self.rng.choices(CODE_LETTERS, k=self.rng.randint(2, 7))) for _ in range(self.rng.randint(1, 3))
        )
        return self.rng.choice(("", "#", "NO.", "ID: ")) + self.rng.choice(("-", " ", "/", "")).join(parts)

    def number(self) -> str:
        rng = self.rng
        kind = rng.randint(0, 8)
        if kind == 0:
            return self.date()
        if kind <= 2:
            return " ".join(self.amount() for _ in range(rng.choice((1, 1, 1, 2, 3))))
        if kind == 3:
            return self.code()
        if kind == 4:
            return f"{self.digits(4)}{rng.choice(('', '.', '/'))}{self.digits(2)}{rng.choice(('', ' '))}{rng.choice(UNITS)}"
        if kind == 5:
            host = f"{rng.choice(self.names)}.{rng.choice(('com', 'cn', 'org', 'net', 'edu'))}".lower()
            return rng.choice(
                (
                    f"www.{host}",
                    f"https://{host}/{rng.choice(self.names)}",
                    f"{rng.choice(self.names)}{self.digits(2)}@{host}".lower(),
                )
            )
        if kind == 6:
            return rng.choice(("", "+", "Tel: ", "(0")) + rng.choice(("-", " ", "")).join(
                self.digits(4) for _ in range(3)
            )
        if kind == 7:
            return " ".join(
                rng.choice((self.digits(5), self.amount(), f"{rng.randint(0, 100)}%", rng.choice(SIGNS)))
                for _ in range(rng.randint(1, 4))
            )
        return "".join(rng.choices(string.digits + "..,-/: ", k=rng.randint(1, 14))).strip()

    def receipt(self) -> str:
        rng = self.rng
        kind = rng.randint(0, 6)
        if kind == 0:
            return f"{rng.choice(RECEIPT)}{rng.choice((' ', ': ', ' : ', ' - '))}{rng.choice((self.amount, self.date, self.code, self.digits))()}"
        if kind == 1:
            return f"{self.digits(2)} {rng.choice(('X', 'x', '@', '*'))} {self.amount()} {self.amount()}"
        if kind == 2:
            return f"{' '.join(rng.choices(self.names, k=rng.randint(1, 3))).upper()} {rng.choice(('', self.digits(3) + rng.choice(('G', 'ML', 'KG', 'PCS', 'MM'))))}".strip()
        if kind == 3:
            return f"{rng.choice(RECEIPT)} {rng.choice(RECEIPT)}"
        if kind == 4:
            return (
                rng.choice(("*", "#", "**", "(", "")) + rng.choice(RECEIPT) + rng.choice(("*", "", "!", ")", ":", ""))
            )
        if kind == 5:
            return f"{self.digits(3)}, {rng.choice(('JALAN', 'LOT', 'TAMAN', 'NO', 'ROAD'))} {rng.choice(self.names).upper()} {self.digits(2)}/{self.digits(2)},"
        return f"{rng.choice(self.names).upper()} {self.amount()} {rng.choice(('SR', 'Z', 'T', 'S', 'A'))}"

    def form(self) -> str:
        rng = self.rng
        label = rng.choice(FORM)
        label = label.upper() if rng.random() < 0.5 else label
        value = rng.choice((self.date, self.english_words, self.code, lambda: self.digits(5), lambda: ""))()
        return f"{label}{rng.choice((':', ':', '', '.', '?'))} {value}".strip()

    def chinese_form(self) -> str:
        rng = self.rng
        value = rng.choice(
            (self.date, self.code, self.amount, lambda: self.digits(8), self.chinese_words, self.english_words)
        )()
        return rng.choice(
            (
                f"{rng.choice(LABELS_ZH)}:{value}",
                f"{rng.choice(LABELS_ZH)}{value}",
                f"【{rng.choice(LABELS_ZH)}】{value}",
                f"{self.digits(2)}.{value}",
            )
        )

    def both(self) -> str:
        """Chinese with English words, numbers or signs inside, and the few real mixed sentences."""
        if self.rng.random() < 0.25:
            return self.slice(self.mixed, self.length(14, 30))
        pieces = (self.chinese_words, self.number, self.english_words, self.chinese_words)
        return "".join(self.rng.choice(pieces)() for _ in range(self.rng.randint(2, 3)))[: self.rng.randint(6, 30)]

    def random_ascii(self) -> str:
        return "".join(
            self.rng.choices(string.ascii_letters + string.digits + string.punctuation + " ", k=self.rng.randint(1, 16))
        ).strip()
