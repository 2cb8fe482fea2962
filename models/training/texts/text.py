"""What the rendered lines say: prose, words, single characters, numbers, forms, receipts, codes, both languages mixed."""

from __future__ import annotations

import bisect
import itertools
import pathlib
import random
import string
from collections.abc import Callable
from typing import Literal

from models.charset import tidy_spaces
from models.training.characters import ADDED, LATIN1, SIGNS
from models.training.drawing import displays
from models.training.texts import chinese, code, signs
from models.training.texts.records import FORM, LABELS_ZH, RECEIPT, Records

Style = Literal["page", "mono", "till", "small", "sign", "plate", "display"]
"""How a text wants to be drawn: print; monospaced; by a till; a few pixels high; on a wall; framed; as lamps."""
Lean = Literal["chinese", "signs", "labels"]
"""What training draws more of than what it is measured by."""


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
        self.records = Records(rng, self.names, self.english_words, self.chinese_words)
        self.known = set(characters)
        self.signs = [one for one in SIGNS + 3 * ADDED if one in self.known]
        self.kinds: list[tuple[float, Style, Callable[[], str]]] = [
            (26, "page", self.chinese_prose), (16, "page", self.chinese_words), (14, "page", self.rare_hanzi), (15, "page", self.english_prose),
            (6, "page", self.english_words), (7, "page", self.records.number), (8, "page", self.records.receipt), (4, "page", self.records.form),
            (4, "page", self.records.chinese_form), (8, "page", self.both), (2, "page", self.random_ascii), (14, "sign", self.sign),
            (9, "page", lambda: signs.sign_text(rng, self.phrase)), (3, "small", lambda: signs.sign_text(rng, self.phrase)), (5, "page", self.scattered_signs),
            (4, "mono", lambda: code.code_text(rng, self.name)), (1, "page", lambda: code.code_text(rng, self.name)),
            (3, "page", lambda: code.part_code(rng)), (3, "sign", lambda: code.part_code(rng)), (1, "mono", lambda: code.part_code(rng)),
            (2, "page", lambda: chinese.amount(rng)), (3.5, "page", lambda: chinese.heading(rng, self.short_chinese)),
            (2, "plate", lambda: chinese.plate(rng)), (2.5, "page", self.single), (3, "small", self.label),
            (2, "display", lambda: displays.reading(rng)), (0.6, "display", self.short_chinese),
        ]  # fmt: skip
        self.weights = [weight for weight, _, _ in self.kinds]

    def lean(self, *to: Lean) -> None:
        """Draw more of something in training, each as often as the others; what it is measured by stays the same.

        chinese: more prose, with rare characters inside it. signs: more words on walls, plates and parts. labels: what
        stands before the fields of forms, in a few pixels too, what tills print, sums and code.
        """
        more: dict[Lean, list[tuple[float, Style, Callable[[], str]]]] = {
            "chinese": [
                (12, "page", self.chinese_prose),
                (6, "page", self.chinese_words),
                (36, "page", self.rare_in_prose),
            ],
            "signs": [
                (70, "sign", self.sign),
                (6, "page", self.rare_in_prose),
                (6, "sign", lambda: code.part_code(self.rng)),
                (4, "plate", lambda: chinese.plate(self.rng)),
                (4, "small", self.short_chinese),
                (4, "small", self.label),
            ],
            "labels": [
                (12, "till", self.records.receipt),
                (6, "till", self.records.number),
                (14, "page", self.label),
                (16, "small", self.label),
                (12, "small", self.records.form),
                (12, "small", self.short_chinese),
                (8, "small", self.chinese_prose),
                (12, "page", lambda: signs.sign_text(self.rng, self.phrase)),
                (8, "small", lambda: signs.sign_text(self.rng, self.phrase)),
                (5, "page", lambda: signs.noted(self.rng, self.phrase)),
                (10, "mono", lambda: code.code_text(self.rng, self.name)),
                (4, "page", lambda: code.code_text(self.rng, self.name)),
            ],
        }
        for one in to:
            self.kinds += [(weight / len(to), style, kind) for weight, style, kind in more[one]]
        self.weights = [weight for weight, _, _ in self.kinds]

    def pick(self) -> tuple[str, Style]:
        """One text of 1 to about 60 characters of the charset, and how it wants to be drawn."""
        while True:
            _, style, kind = self.rng.choices(self.kinds, self.weights)[0]
            text = tidy_spaces(tidy_spaces(kind())[:64])
            if text and set(text) <= self.known:
                return text, style

    def sample(self) -> str:
        """One text, however it is drawn."""
        return self.pick()[0]

    def name(self) -> str:
        """One English word."""
        return self.rng.choice(self.names)

    def short_chinese(self) -> str:
        """Two to eight characters of words."""
        return self.chinese_words()[: self.rng.randint(2, 8)]

    def phrase(self) -> str:
        """A few words, Chinese or English."""
        rng = self.rng
        if rng.random() < 0.5:
            return self.short_chinese()
        words = " ".join(rng.choices(self.names, k=rng.choice((1, 1, 2))))
        return words if rng.random() < 0.6 else words.upper() if rng.random() < 0.4 else words.title()

    def scattered_signs(self) -> str:
        """Signs of the charset, the later ones more often."""
        return signs.scattered(self.rng, self.signs or self.hanzi, self.phrase)

    def single(self) -> str:
        """One character, or two of a kind: a digit, a letter, a hanzi; with the mark behind it, as headings have it."""
        rng = self.rng
        one = rng.choice((string.digits, string.digits, string.ascii_letters, self.hanzi, "一二三十口日人个是不"))
        return rng.choice(one) + rng.choice(("", "", "", ".", ")", "、", rng.choice(one)))

    def label(self) -> str:
        """A field's name with the colon or full stop behind it, or a short sentence with its end."""
        rng = self.rng
        end = rng.choice((":", ":", ":", ".", ".", "", ";", ","))
        name = rng.choice(
            (
                rng.choice(FORM),
                rng.choice(LABELS_ZH),
                self.phrase(),
                rng.choice(RECEIPT).title(),
                "No",
                "Ref",
                "Tel",
                "Qty",
            )
        )
        if rng.random() < 0.2:
            return f"{rng.randint(1, 40)} {rng.choice(('of', '/', '-'))} {rng.randint(1, 99)}"
        return name + end + rng.choice(("", "", "", f" {self.records.digits(4)}"))

    def sign(self) -> str:
        """A word or two of a shop, a street, a poster; a third is Chinese, some are numbers and prices."""
        rng = self.rng
        if rng.random() < 0.3:
            return self.chinese_words()[: rng.randint(1, 7)]
        draw = rng.random()
        if draw < 0.08:
            return rng.choice(
                (
                    self.records.digits(4),
                    f"{rng.randint(0, 23)}:{rng.randint(0, 59):02d}",
                    f"{rng.randint(1, 99)}%",
                    f"${rng.randint(1, 99)}.{rng.randint(0, 99):02d}",
                )
            )
        if draw < 0.5:
            words = [one for one in self.slice(self.english, 40).split(" ")[1:-1] if one.isalpha()]
            word = rng.choice(words) if words else self.name()
        else:
            word = " ".join(rng.choices(self.names, k=rng.choice((1, 1, 1, 1, 2))))
        draw = rng.random()
        word = word.upper() if draw < 0.5 else word.title() if draw < 0.85 else word
        return word + (rng.choice(("'s", "!", ".", ",", "&", ":", "?")) if rng.random() < 0.08 else "")

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

    def rare_in_prose(self) -> str:
        """Prose in which a few characters are replaced by rare ones: what the eye reads outweighs what would be usual."""
        text = list(self.chinese_prose())
        for index in self.rng.sample(range(len(text)), min(len(text), self.rng.randint(1, 3))):
            if "\u4e00" <= text[index] <= "\u9fff":
                text[index] = self.rng.choice(self.hanzi)
        return "".join(text)

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

    def both(self) -> str:
        """Chinese with English words, numbers or signs inside, and the few real mixed sentences."""
        if self.rng.random() < 0.25:
            return self.slice(self.mixed, self.length(14, 30))
        pieces = (self.chinese_words, self.records.number, self.english_words, self.chinese_words)
        return "".join(self.rng.choice(pieces)() for _ in range(self.rng.randint(2, 3)))[: self.rng.randint(6, 30)]

    def random_ascii(self) -> str:
        return "".join(
            self.rng.choices(string.ascii_letters + string.digits + string.punctuation + " ", k=self.rng.randint(1, 16))
        ).strip()
