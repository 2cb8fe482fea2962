"""Numbers, dates, amounts, codes, and the lines of receipts and forms."""

# ruff: noqa: E501  (templates read better unbroken)

from __future__ import annotations

import random
import string
from collections.abc import Callable

from models.training.characters import SIGNS

CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
UNITS = (
    "kg", "g", "mg", "ml", "mL", "L", "cm", "mm", "m", "km", "%", "°C", "MHz", "GB", "KB", "W", "kWh", "元", "万元", "件", "个", "天", "年",
)  # fmt: skip
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


class Records:
    """Draws entries as people write them down.

    Attributes:
        names: single English words.
        english_words, chinese_words: draw a few words.
    """

    def __init__(
        self, rng: random.Random, names: list[str], english_words: Callable[[], str], chinese_words: Callable[[], str]
    ) -> None:
        self.rng, self.names = rng, names
        self.english_words, self.chinese_words = english_words, chinese_words

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
        """A date, amounts, a code, a value with its unit, an address of the net, a telephone number, digits."""
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
        kind = rng.randint(0, 8)
        if kind == 7:
            return self.tax()
        if kind == 8:
            return self.starred()
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

    def tax(self) -> str:
        """What a till says of taxes and of the firm: `S = 6%`, `GST SR@0%`, `@2 X RM 6.79`, `(519537-X)`, `MR. D.I.Y.`"""
        rng = self.rng
        rate, code = rng.choice((0, 3, 5, 6, 7, 8, 10, 15, 19, 20)), rng.choice(("S", "SR", "Z", "ZRL", "GST", "VAT"))
        return rng.choice(
            (
                f"{code} = {rate}%",
                f"{code}{rng.choice((' ', ''))}@{rng.choice((' ', ''))}{rate}%",
                f"GST {code}@{rate}%",
                f"({code}) @ {rate}% {self.amount()}",
                f"@{rng.randint(1, 9)} X RM {self.amount()}",
                f"{self.amount()} {code}*",
                f"{rng.choice(self.names).upper()} SDN BHD ({self.digits(6)}-{rng.choice(string.ascii_uppercase)})",
                f"GST {rng.choice(('ID', 'REG'))}. NO : {self.digits(9).zfill(12)}",
                f"{'.'.join(rng.choices(string.ascii_uppercase, k=3))}. ({rng.choice(self.names).upper()})",
                f"{rng.choice(self.names).upper()} {rng.randint(1, 9)}.{rng.randint(0, 9)}L",
            )
        )

    def starred(self) -> str:
        """A greeting between rows of stars, dashes or signs of equality."""
        rng = self.rng
        row = rng.choice("***-=#") * rng.randint(1, 8)
        said = rng.choice(RECEIPT) if rng.random() < 0.6 else " ".join(rng.choices(self.names, k=rng.randint(1, 3)))
        said = rng.choice((said.upper(), said.title()))
        gap = rng.choice(("", " "))
        return f"{row}{gap}{said}{rng.choice(('', '!'))}{gap}{row}"

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
