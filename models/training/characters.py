"""Which characters a recogniser learns: ASCII, Latin-1 letters, hanzi, CJK punctuation and a few signs."""

from __future__ import annotations

import bz2
import pathlib
import string

ASCII = " " + string.digits + string.ascii_letters + string.punctuation
LATIN1 = "".join(chr(code) for code in range(0xC0, 0x100) if code not in (0xD0, 0xD7, 0xDE, 0xF0, 0xF7, 0xFE))
PUNCTUATION = "、。《》「」『』【】〈〉〔〕“”‘’—–…·"
SIGNS = "¥€£¢°±×÷§©®™→←↑↓■□▲△●○◆◇★☆※√≤≥≠≈∞‰①②③④⑤⑥⑦⑧⑨⑩"
ADDED = "•μΩ℃℉⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ₀₁₂₃₄₅₆₇₈₉½¼¾⅓⅔㎡№∠⊥∥∴∵∈∫⇒↔☑☒▶▼✓✗♪〇¶†‡⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫαβγδεηθλπρστφψωΓΔΘΛΠΣΦΨ"
"""Signs of the second generation: behind everything else, so that labels that weights already know keep their place."""

LEVELS_ONE_AND_TWO = 6500


def gb2312_hanzi() -> list[str]:
    """The 6,763 hanzi of GB2312 in its own order (rows 16 to 87)."""
    found = []
    for row in range(16, 88):
        for cell in range(1, 95):
            try:
                found.append(bytes((0xA0 + row, 0xA0 + cell)).decode("gb2312"))
            except UnicodeDecodeError:
                continue
    return found


def standard_table(root: pathlib.Path) -> list[str]:
    """Hanzi of levels 1 and 2 of the general standard table (2013), from Unihan's field kTGH."""
    ranked = []
    for path in sorted((root / "usr/share/unicode").glob("Unihan_*.txt.bz2")):
        for row in bz2.decompress(path.read_bytes()).decode("utf-8").splitlines():
            if "\tkTGH\t" in row:
                code, _, value = row.split("\t")
                rank = int(value.split()[0].split(":")[1])
                if rank <= LEVELS_ONE_AND_TWO:
                    ranked.append((rank, chr(int(code[2:], 16))))
    return [character for _, character in sorted(ranked)]


def all_characters(root: pathlib.Path) -> list[str]:
    """The charset in label order; `root` holds the unpacked packages."""
    ordered = [*ASCII, *LATIN1, *PUNCTUATION, *SIGNS, *gb2312_hanzi(), *standard_table(root), *ADDED]
    return list(dict.fromkeys(ordered))
