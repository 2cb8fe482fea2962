"""Numerals, amounts in capitals, headings and plates as Chinese writes them."""

# ruff: noqa: E501  (templates read better unbroken)

from __future__ import annotations

import random
from collections.abc import Callable

Phrase = Callable[[], str]
"""Draws a few Chinese characters of words."""

DIGITS = "零一二三四五六七八九"
CAPITALS = "零壹贰叁肆伍陆柒捌玖"
PLACES = ("", "十", "百", "千")
CAPITAL_PLACES = ("", "拾", "佰", "仟")
SECTIONS = ("", "万", "亿")
PROVINCES = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"
PLATE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
AMOUNT_LABELS = ("", "", "人民币", "金额大写:", "大写:", "合计(大写)", "人民币(大写):", "合计人民币", "注册资本")
HEADS = ("章", "节", "条", "部分", "课", "单元", "次", "届", "号", "期", "名", "步", "卷", "版", "季度", "中学")
COUNTED = (
    "个",
    "次",
    "人",
    "年",
    "天",
    "种",
    "张",
    "份",
    "点",
    "倍",
    "项",
    "位",
    "小时",
    "方面",
    "星期",
    "分之一",
    "楼",
    "路",
    "号",
)
PAIRS = ("一一", "三三两两", "二十一世纪", "一心一意", "七上八下", "十一", "二十四节气", "一五一十", "三中全会", "一", "二", "三", "十", "工", "丁", "人", "八", "入", "口", "日", "土", "士", "于", "干", "千")  # fmt: skip


def section(value: int, digits: str, places: tuple[str, ...]) -> str:
    """0 to 9999 in words; 105 -> 一百零五."""
    text, gap = "", False
    for place in range(3, -1, -1):
        digit = value // 10**place % 10
        if digit:
            text += (digits[0] if gap and text else "") + digits[digit] + places[place]
            gap = False
        else:
            gap = True
    return text


def in_words(value: int, digits: str = DIGITS, places: tuple[str, ...] = PLACES) -> str:
    """0 to 10**12 - 1 in words, by sections of four digits."""
    if value == 0:
        return digits[0]
    text = ""
    for power in range(2, -1, -1):
        part = value // 10_000**power % 10_000
        if part:
            zero = digits[0] if text and part < 1000 else ""
            text += zero + section(part, digits, places) + SECTIONS[power]
    return text


def amount(rng: random.Random) -> str:
    """A sum of money in the capitals of cheques and invoices."""
    whole = (
        rng.randint(1, 9) * 10 ** rng.randint(0, 8) if rng.random() < 0.3 else rng.randint(1, 10 ** rng.randint(2, 8))
    )
    text = in_words(whole, CAPITALS, CAPITAL_PLACES) + rng.choice(("元", "元", "圆"))
    if rng.random() < 0.6:
        text += rng.choice(("整", "整", "正"))
    else:
        text += f"{CAPITALS[rng.randint(1, 9)]}角" + rng.choice(("", "整", f"{CAPITALS[rng.randint(1, 9)]}分"))
    return rng.choice(AMOUNT_LABELS) + text


def small_number(rng: random.Random) -> str:
    text = in_words(rng.choice((rng.randint(1, 12), rng.randint(1, 40), rng.randint(1, 130))))
    return text.removeprefix("一") if text.startswith("一十") else text


def date(rng: random.Random) -> str:
    """A date in numerals; years digit by digit, with 〇."""
    year = "".join("〇一二三四五六七八九"[int(one)] for one in str(rng.randint(1949, 2035)))
    month, day = in_words(rng.randint(1, 12)), in_words(rng.randint(1, 31))
    month, day = (one.removeprefix("一") if one.startswith("一十") else one for one in (month, day))
    return rng.choice(
        (
            f"{year}年{month}月{day}日",
            f"{month}月{day}日",
            f"{year}年",
            f"{year}年{month}月",
            f"星期{rng.choice('一二三四五六日')}",
        )
    )


def heading(rng: random.Random, phrase: Phrase) -> str:
    """Numbered headings and other lines that begin or end with the thinnest characters."""
    count = small_number(rng)
    form = rng.randint(0, 9)
    if form <= 2:
        return f"{count}、{phrase()}"
    if form == 3:
        return f"({count}){rng.choice(('', '、'))}{phrase()}"
    if form == 4:
        return f"第{count}{rng.choice(HEADS)}{rng.choice((' ', '', ':'))}{phrase()}"
    if form == 5:
        return date(rng)
    if form == 6:
        return f"{phrase()}{count}{rng.choice(COUNTED)}"
    if form == 7:
        return f"{count}{rng.choice(COUNTED)}{phrase()}"
    if form == 8:
        return f"{rng.choice(PAIRS)}{phrase()[:6]}"
    return f"{phrase()[:8]}{rng.choice(PAIRS)}"


def plate(rng: random.Random) -> str:
    """A number plate: province, letter, five or six characters."""
    tail = "".join(rng.choice(PLATE_LETTERS) if rng.random() < 0.25 else rng.choice("0123456789") for _ in range(5))
    green = rng.choice("DF") if rng.random() < 0.15 else ""
    return f"{rng.choice(PROVINCES)}{rng.choice(PLATE_LETTERS)}{rng.choice('··· ')}{green}{tail}"
