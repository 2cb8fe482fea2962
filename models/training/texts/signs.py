"""Sums, measures, formulas, lists and quotations: lines in which the signs carry the meaning."""

# ruff: noqa: E501  (templates read better unbroken)

from __future__ import annotations

import random
from collections.abc import Callable

Phrase = Callable[[], str]
"""Draws a few words, Chinese or English."""

BULLETS = "••••●■□◆◇▶▲★☆※→√✓✗☑☒○♪"
CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
ROMAN = "ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫ"
RAISED, LOWERED = "⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉"
FRACTIONS = "½½½¼¼¾⅓⅔"
GREEK = "αβγδεηθλμπρστφψωΓΔΘΛΠΣΦΨΩ"
UNITS = (
    "℃", "°C", "°", "℉", "°F", "%", "‰", "Ω", "kΩ", "MΩ", "μm", "μL", "μg", "μF", "μs", "mm", "cm", "m", "km", "mm²", "cm²", "m²", "㎡", "km²",
    "cm³", "m³", "L", "mL", "ml", "kg", "g", "mg", "t", "kg/m³", "g/cm³", "mg/L", "mg/dL", "mmol/L", "μmol/L", "U/L", "m/s", "m/s²", "km/h",
    "N·m", "kPa", "MPa", "V", "kV", "mV", "A", "mA", "W", "kW", "kWh", "Hz", "kHz", "MHz", "GB", "dB", "Å", "×10⁹/L", "×10³", "s⁻¹", "pH", "元",
)  # fmt: skip
ELEMENTS = ("H", "O", "C", "N", "S", "Na", "K", "Ca", "Mg", "Fe", "Cu", "Al", "Zn", "Cl", "P", "Mn", "Ag", "Si", "Ba")
GROUPS = ("OH", "SO₄", "NO₃", "CO₃", "PO₄", "NH₄", "HCO₃", "CH₃")
FUNCTIONS = ("sin", "cos", "tan", "log", "ln", "lim", "f", "g", "exp", "max")


def number(rng: random.Random, most: int = 4) -> str:
    """A whole or decimal number as sums and measures have it."""
    whole = str(rng.randint(0, 10 ** rng.randint(1, most) - 1))
    return f"{whole}.{rng.randint(0, 10 ** rng.randint(1, 3) - 1)}" if rng.random() < 0.4 else whole


def raised(rng: random.Random, digits: int = 1) -> str:
    return "".join(rng.choices(RAISED[1:], k=digits))


def sum_(rng: random.Random) -> str:
    """School arithmetic, with or without its answer."""
    signs = rng.choices("×÷+-×÷+-*/·:", k=rng.randint(1, 3))
    space = rng.choice(("", "", " "))
    text = number(rng, 3)
    for sign in signs:
        term = number(rng, 3)
        text += f"{space}{sign}{space}" + (
            f"({term}{rng.choice('+-')}{number(rng, 2)})" if rng.random() < 0.15 else term
        )
    return text + rng.choice(
        (f"{space}=", f"{space}=", f"{space}={space}{number(rng)}", f"{space}≈{space}{number(rng)}", "")
    )


def relation(rng: random.Random) -> str:
    """An equation or inequality of algebra or geometry."""
    x, y = rng.choice("xyabnkrt" + GREEK[:16]), rng.choice("xyzabcmS")
    sign = rng.choice(("=", "≤", "≥", "≠", "≈", "<", ">", "±", "∈", "→", "⇒"))
    space = rng.choice(("", " "))
    left = rng.choice(
        (
            x,
            f"{x}{raised(rng)}",
            f"{number(rng, 2)}{x}{rng.choice('+-')}{y}",
            f"√{number(rng, 2)}",
            f"{rng.choice(FUNCTIONS)}({x})",
            f"{rng.choice(FUNCTIONS[:3])} {rng.choice(GREEK[:16])}",
            f"Δ{y}",
            f"∠{''.join(rng.sample('ABCDEFO', 3))}",
            f"△{''.join(rng.sample('ABCDEF', 3))}",
            f"{x}{rng.choice(LOWERED[:5])}",
            f"|{x}-{y}|",
            f"{rng.choice(('∴', '∵', 'Σ', '∫'))}{x}",
        )
    )
    right = rng.choice(
        (number(rng), f"{number(rng, 2)}°", f"{number(rng, 1)}π", f"{y}{raised(rng)}", f"{y}/{number(rng, 2)}", "∞")
    )
    return f"{left}{space}{sign}{space}{right}"


def measure(rng: random.Random) -> str:
    """One or two values with their unit, a range, a tolerance."""
    space, unit = rng.choice(("", "", " ")), rng.choice(UNITS)
    form = rng.randint(0, 7)
    if form == 0:
        return f"{number(rng)}{space}{rng.choice(('±', '~', '-', '—'))}{space}{number(rng, 2)}{space}{unit}"
    if form == 1:
        return f"{rng.choice('≤≥<>≈±')}{space}{number(rng)}{space}{unit}"
    if form == 2:
        return (
            f"{number(rng, 3)}{rng.choice('×x*')}{number(rng, 3)}{rng.choice(('', '×' + number(rng, 3)))}{space}{unit}"
        )
    if form == 3:
        return f"{number(rng, 1)}×10{rng.choice(('', '⁻'))}{raised(rng, rng.choice((1, 1, 2)))}{space}{unit}"
    if form == 4:
        return f"{number(rng, 2)}{unit}/{number(rng, 2)}{rng.choice(UNITS)}"
    return f"{rng.choice(('', '', '-', '+'))}{number(rng)}{space}{unit}"


def formula(rng: random.Random) -> str:
    """A chemical formula, an ion, or a reaction."""

    def compound() -> str:
        parts = [
            rng.choice(ELEMENTS) + rng.choice(("", "", rng.choice(LOWERED[2:8]))) for _ in range(rng.randint(1, 3))
        ]
        if rng.random() < 0.3:
            group = rng.choice(GROUPS)
            parts.append(rng.choice((group, f"({group}){rng.choice('₂₃')}")))
        if rng.random() < 0.15:
            parts.append(rng.choice(("", "²", "³")) + rng.choice("⁺⁻"))
        return "".join(parts)

    space = rng.choice(("", " "))
    terms = [rng.choice(("", "", "2", "3")) + compound() for _ in range(rng.choice((1, 1, 1, 2, 3)))]
    arrow = rng.choice(("=", "→", "⇒")) + space + compound() if len(terms) > 1 else ""
    return f"{space}+{space}".join(terms) + (space + arrow if arrow else "")


def listed(rng: random.Random, phrase: Phrase) -> str:
    """An item of a list behind its bullet or number; a rating."""
    form = rng.randint(0, 6)
    if form <= 2:
        return f"{rng.choice(BULLETS)}{rng.choice((' ', ' ', ''))}{phrase()}"
    if form == 3:
        return (
            f"{rng.choice(CIRCLED)}{rng.choice((' ', ''))}{phrase()}{rng.choice(('', rng.choice(CIRCLED) + phrase()))}"
        )
    if form == 4:
        return f"{rng.choice(('', '第'))}{rng.choice(ROMAN)}{rng.choice(('.', '、', ' ', '级', '型', '期', '章'))}{rng.choice(('', phrase()))}"
    if form == 5:
        full = rng.randint(0, 5)
        return "★" * full + "☆" * (5 - full) + rng.choice(("", f" {number(rng, 1)}", f" ({rng.randint(1, 999)})"))
    return f"{rng.choice('□☑☒√✓○')}{phrase()[:6]} {rng.choice('□☑☒×✗○')}{phrase()[:6]}"


def marked(rng: random.Random, phrase: Phrase) -> str:
    """Quotations, notes, rights, fractions of recipes, prefixes in Greek, prices with their offers."""
    words = phrase()
    form = rng.randint(0, 9)
    if form <= 2:
        left, right = rng.choice(("“”", "‘’", '""', "''", "“”", "「」", "《》", "【】", "()", "[]", "<>", "{}"))
        return f"{rng.choice(('', phrase() + ' '))}{left}{words}{rng.choice(('', ',', '.', '。', '!', '?'))}{right}{rng.choice(('', '.', ','))}"
    if form == 3 and rng.random() < 0.5:
        return noted(rng, phrase)
    if form == 3:
        return f"{words}{rng.choice(('™', '®', '†', '‡', '¶', '※', '*', '¹', '²', '³', '…', '——'))}"
    if form == 4:
        return rng.choice(
            (
                f"© {rng.randint(1980, 2030)} {words}",
                f"§ {rng.randint(1, 400)} {words}",
                f"¶{number(rng, 2)} {words}",
                f"№ {number(rng)}",
            )
        )
    if form == 5:
        return f"{rng.choice(('', str(rng.randint(1, 9))))}{rng.choice(FRACTIONS)}{rng.choice((' ', ''))}{words}"
    if form == 6:
        return f"{rng.choice(GREEK)}{rng.choice(('-', ' = ', '-', ''))}{words}"
    if form == 7:
        return f"{rng.choice('¥$€£¥')}{rng.choice(('', ' '))}{number(rng)}{rng.choice(('', '/kg', '元', '/斤', '起', ' OFF', '-' + number(rng)))}"
    if form == 8:
        return f"{words}{rng.choice((' → ', '→', ' > ', ' / ', ' | ', ' & ', ' + ', '←', '↑', '↓', ' ↔ '))}{phrase()}"
    return f"{words}{rng.choice(('~', '…', '...', '!!', '?!', ';', ':', '%'))}"


def noted(rng: random.Random, phrase: Phrase) -> str:
    """Words with the number of a note behind them, or the note itself behind its number."""
    note = raised(rng, rng.choice((1, 1, 1, 2)))
    end = rng.choice(("", "", ".", ",", "。"))
    return rng.choice(
        (f"{phrase()}{end}{note}", f"{phrase()}{note}{end}", f"{phrase()}{note} {phrase()}", f"{note} {phrase()}")
    )


def scattered(rng: random.Random, signs: list[str], phrase: Phrase) -> str:
    """Any signs at all among digits and words: no class is starved."""
    text = ""
    for _ in range(rng.randint(2, 6)):
        draw = rng.random()
        text += (
            rng.choice(signs) if draw < 0.7 else number(rng, 2) if draw < 0.8 else phrase()[:4] if draw < 0.92 else " "
        )
    return text


def sign_text(rng: random.Random, phrase: Phrase) -> str:
    """One line in which signs stand where people put them."""
    kinds: tuple[tuple[int, Callable[[], str]], ...] = (
        (4, lambda: sum_(rng)),
        (3, lambda: relation(rng)),
        (5, lambda: measure(rng)),
        (2, lambda: f"{phrase()}{rng.choice((':', ' ', ''))}{measure(rng)}"),
        (2, lambda: formula(rng)),
        (6, lambda: listed(rng, phrase)),
        (6, lambda: marked(rng, phrase)),
    )
    return rng.choices(kinds, [weight for weight, _ in kinds])[0][1]()
