"""Program code, file names, commands, and the codes on parts and labels, where no word helps to guess a character."""

# ruff: noqa: E501  (templates read better unbroken)

from __future__ import annotations

import random
import string
from collections.abc import Callable

Word = Callable[[], str]
"""Draws one English word."""

CONFUSED = "Il1|O0oQD8B5S2Z"
OPERATORS = ("==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "&&", "||", "->", "=>", "+=", "=", "and", "in")
ENDINGS = (".py", ".js", ".txt", ".csv", ".json", ".c", ".h", ".md", ".jpg", ".pdf", ".sh", ".yml", ".xml")
LETTERS = string.ascii_uppercase
DIGITS = string.digits


def identifier(rng: random.Random, word: Word) -> str:
    """A name as programs spell it."""
    words = [
        "".join(one for one in word().lower() if one.isascii() and one.isalpha()) or "x"
        for _ in range(rng.randint(1, 3))
    ]
    words = [one[: rng.randint(2, 9)] for one in words]
    form = rng.randint(0, 6)
    if form <= 1:
        return "_".join(words)
    if form == 2:
        return "_".join(words).upper()
    if form == 3:
        return words[0] + "".join(one.title() for one in words[1:])
    if form == 4:
        return f"__{words[0]}__"
    if form == 5:
        return rng.choice(("_", "", "$", "@", "--", "-")) + rng.choice(("_", "-")).join(words)
    return rng.choice(("i", "j", "n", "x", "k", "l", "tmp", words[0])) + rng.choice(("", str(rng.randint(0, 20))))


def value(rng: random.Random, word: Word) -> str:
    quote = rng.choice("'\"")
    return rng.choice(
        (
            str(rng.randint(-1, 300)),
            f"0x{rng.randrange(1 << 16):04X}",
            f"{quote}{identifier(rng, word)}{quote}",
            f"{identifier(rng, word)}[{rng.choice(('i', '0', '-1', '1:', quote + word() + quote))}]",
            f"{identifier(rng, word)}.{identifier(rng, word)}",
            f"{identifier(rng, word)}({rng.choice(('', identifier(rng, word)))})",
            rng.choice(("None", "True", "null", "false", "NULL", "[]", "{}", "self")),
        )
    )


def statement(rng: random.Random, word: Word) -> str:
    """One line of a program."""

    def name() -> str:
        return identifier(rng, word)

    def given() -> str:
        return value(rng, word)

    condition = f"{name()} {rng.choice(OPERATORS)} {given()}"
    return rng.choice(
        (
            f"{name()} = {given()}",
            f"{name()} = {given()};",
            f"if ({condition}) {{",
            f"if {condition}:",
            f"for {name()} in {given()}:",
            f"for (int i = 0; i < {name()}; i++) {{",
            f"def {name()}(self, {name()}):",
            f"return {condition}",
            f"{name()} ? {given()} : {given()};",
            f"const {name()} = ({name()}) => {given()};",
            f"from {name()} import {name()}",
            f"#include <{name()}.h>",
            f'"{name()}": {given()},',
            f'<{name()} {name()}="{word()}">',
            f"}} else {{  // {word()} {word()}",
            f"# {word()} {word()} {word()}",
            " ".join(("SELECT", name(), "FROM", name(), "WHERE", condition)) + ";",
            f"{name()}({given()}, {given()})",
            f"[{given()} for {name()} in {name()}]",
            f"std::{name()}<{name()}> {name()};",
            f"{condition} && !{name()}",
            f"{name()} += {given()} * {rng.randint(2, 64)}",
        )
    )


def command(rng: random.Random, word: Word) -> str:
    """A shell line, a path, an address, a hash."""

    def name() -> str:
        return identifier(rng, word)

    return rng.choice(
        (
            f"$ {rng.choice(('git', 'pip', 'docker', 'cd', 'ls', 'sudo apt', 'make', 'curl'))} {name()} -{rng.choice('abelmnopqrsvx')} {name()}",
            f"/{'/'.join(name() for _ in range(rng.randint(1, 3)))}{rng.choice(ENDINGS)}",
            f"C:\\{name()}\\{name()}{rng.choice(ENDINGS)}",
            f"{name()}{rng.choice(ENDINGS)}",
            f"export {name().upper()}={name()}",
            f"https://{word().lower()}.{rng.choice(('com', 'org', 'cn', 'io'))}/{name()}?{name()}={rng.randint(1, 99)}&{name()}={word()}",
            f"{name()}@{word().lower()}.{rng.choice(('com', 'cn', 'edu.cn'))}",
            ".".join(str(rng.randint(0, 255)) for _ in range(4))
            + rng.choice(("", f":{rng.randint(20, 65535)}", "/24")),
            "".join(rng.choices("0123456789abcdef", k=rng.randint(6, 24))),
            "v" + ".".join(str(rng.randint(0, 20)) for _ in range(rng.randint(2, 4))),
            ":".join(f"{rng.randrange(256):02x}" for _ in range(rng.randint(3, 6))),
        )
    )


def confused(rng: random.Random) -> str:
    """Characters that monospaced faces keep apart and others do not."""
    return "".join(rng.choices(CONFUSED + "_-./ ", k=rng.randint(2, 14))).strip() or "Il1O0"


def code_text(rng: random.Random, word: Word) -> str:
    """One line of a program, a shell, a log."""
    draw = rng.random()
    if draw < 0.5:
        return statement(rng, word)
    if draw < 0.65:
        return identifier(rng, word)
    return command(rng, word) if draw < 0.9 else confused(rng)


def shaped(rng: random.Random, shape: str) -> str:
    """`shape` with A for a letter and 9 for a digit, filled in."""
    fill = {"A": LETTERS, "9": DIGITS}
    return "".join(rng.choice(fill[one]) if one in fill else one for one in shape)


SHAPES = (
    "A9", "A99", "99A", "AA99", "AA9", "AAA99", "9A999", "99A99", "999A99", "A9A99", "99AAA", "AAA", "-AA9A99", "-A99", "-AA9AA", "AA-99", "A99-9",
    "A9.9", "AA9:99", "A9-9:9", "AAA-999", "A-9999", "99-99", "9-9-9", "9999", "99999", "999", "A999A", "AAAA99", "AA9999", "AA9999A", "999999A99",
    "99A9AA999", "A99999999", "9999AA", "AAA 999", "AA 99 AA", "-AA9.9", "9A9A9A", "A9/9", "AA99/99", "+99A", "99AA", "9AAA99",
)  # fmt: skip
COUNTED = (
    "PCS",
    "PC",
    "ML",
    "G",
    "KG",
    "MM",
    "CM",
    "V",
    "A",
    "W",
    "HZ",
    "KW",
    "L",
    "M",
    "K",
    "GB",
    "MB",
    "P",
    "X",
    "S",
    "H",
    "CT",
    "OZ",
    "LBS",
)
NAMED = (
    "POS",
    "NO",
    "NO.",
    "ID",
    "LOT",
    "REF",
    "SKU",
    "S/N",
    "P/N",
    "TYPE",
    "MODEL",
    "BIN",
    "ROW",
    "REV",
    "TRX",
    "INV",
    "CH",
    "OUT",
    "IN",
    "KM",
    "SB",
    "QF",
)


def part_code(rng: random.Random) -> str:
    """What is printed on wires, parts, shelves and receipts: letters and digits close together, I and O included."""
    draw = rng.random()
    if draw < 0.6:
        return shaped(rng, rng.choice(SHAPES))
    if draw < 0.78:
        return f"{rng.randint(1, 10 ** rng.randint(1, 4))}{rng.choice(('', '', ' '))}{rng.choice(COUNTED)}"
    if draw < 0.95:
        return f"{rng.choice(NAMED)}{rng.choice(('', '', ' ', '-', ':', ': '))}{shaped(rng, rng.choice(SHAPES))}"
    return " ".join(shaped(rng, rng.choice(SHAPES)) for _ in range(2))
