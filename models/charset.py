"""The charset of a recogniser and the rules of spelling that labels and results share.

Label 0 is the blank of CTC, everywhere. Label `i` is `characters[i - 1]`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence

BLANK = 0

LOOK_ALIKES = str.maketrans(
    {
        "−": "-", "‐": "-", "‑": "-", "―": "—", "─": "—", "・": "·", "‧": "·", "⋅": "·", "∶": ":", "´": "'",
        "〜": "~", "￥": "¥", "　": " ", "\u00a0": " ", "〝": "“", "〞": "”", "‚": ",", "‥": "…", "﹑": "、",
        "′": "'", "″": '"', "\u00b5": "μ", "\u2126": "Ω", "∆": "Δ", "∑": "Σ", "∏": "Π", "\u212b": "Å",
        "☐": "□", "◻": "□", "◯": "○", "✔": "✓", "✘": "✗", "☓": "✗", "▸": "▶", "►": "▶", "￠": "¢", "￡": "£",
    }
)  # fmt: skip
FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
ZERO = re.compile(r"(?<=[一二三四五六七八九〇])[Oo0]+(?=[一二三四五六七八九〇年])")
WIDE = dict(zip(",:;!?()", "，：；！？（）", strict=True))
HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
CJK = re.compile(f"[{HAN}\u3001-\u303f\uff01-\uff60]")
LOW_RING = re.compile(rf"(?:(?<={CJK.pattern})|(?<=%))[₀₆₉]")


def unify(text: str) -> str:
    """Spell look-alikes in one way, one for one: full-width ASCII becomes ASCII, dashes and dots are merged."""
    return text.translate(FULL_WIDTH).translate(LOOK_ALIKES)


def kept(text: str) -> list[bool]:
    """For each character of `text`, whether it stays: spaces that touch Chinese, repeat or stand at an end go."""
    keep = [True] * len(text)
    last = ""
    for index, character in enumerate(text):
        if character != " ":
            last = character
            continue
        after = text[index + 1 : index + 2]
        keep[index] = bool(last and after.strip()) and not (CJK.match(last) or CJK.match(after))
    return keep


def tidy_spaces(text: str) -> str:
    """`text` without the spaces that `kept` refuses; English keeps the ones between its words."""
    return "".join(character for character, stays in zip(text, kept(text), strict=True) if stays)


def widen_punctuation(text: str) -> str:
    """Give ASCII punctuation its full-width form where Chinese writes it so: straight after a Chinese character.

    The model does not tell `，` from `,` (fonts do not either); the neighbours do. Lengths stay equal, so confidences
    and positions of single characters stay valid. A closing parenthesis follows its opening one.
    """
    out = list(text)
    opened: list[bool] = []
    for index, character in enumerate(out):
        before = out[index - 1] if index else out[1] if len(out) > 1 and character == "(" else ""
        wide = bool(before and CJK.match(before))
        if character == "(":
            opened.append(wide)
        elif character == ")" and opened:
            wide = opened.pop()
        if wide and character in WIDE:
            out[index] = WIDE[character]
    return "".join(out)


def spell(text: str) -> str:
    """Write what the model cannot tell apart as its neighbours want it; lengths stay equal.

    Punctuation is widened, a ring between Chinese numerals is 〇 (二〇二六年), and a low one behind a Chinese character
    or a percent sign is a full stop, not a subscript.
    """
    text = ZERO.sub(lambda rings: "〇" * len(rings[0]), text)
    return widen_punctuation(LOW_RING.sub("。", text))


@dataclasses.dataclass(frozen=True)
class Charset:
    """The ordered characters that a recogniser knows.

    Raises:
        ValueError: a character is repeated or is not one code point.
    """

    characters: tuple[str, ...]

    def __init__(self, characters: Sequence[str]) -> None:
        object.__setattr__(self, "characters", tuple(characters))
        if len(set(self.characters)) != len(self.characters) or any(len(one) != 1 for one in self.characters):
            raise ValueError("a charset holds each character once, and each is one code point")
        object.__setattr__(self, "_labels", {one: label for label, one in enumerate(self.characters, 1)})

    def __len__(self) -> int:
        """Number of classes: the characters and the blank."""
        return len(self.characters) + 1

    def __contains__(self, character: object) -> bool:
        return character in self.characters if not isinstance(character, str) else character in self.labels

    @property
    def labels(self) -> dict[str, int]:
        """Character -> label."""
        return self._labels  # type: ignore[attr-defined,no-any-return]

    def encode(self, text: str) -> list[int]:
        """Labels of `text`; raises KeyError on a character that the charset lacks."""
        return [self.labels[character] for character in text]

    def decode(self, labels: Iterable[int]) -> str:
        """The text of `labels`; blanks are left out, repeats are not merged (that is CTC's business)."""
        return "".join(self.characters[label - 1] for label in labels if label != BLANK)
