"""Sentences and words to render, taken from Debian packages and kept out of the repository.

python -m models.training.corpus build/training
"""

from __future__ import annotations

import argparse
import collections
import gzip
import html
import math
import pathlib
import re
from collections.abc import Iterator

from models.charset import CJK, tidy_spaces, unify

SOURCES = (
    "usr/share/libreoffice/help/zh-CN/text/**/*.html",
    "usr/share/libreoffice/help/en-US/text/**/*.html",
    "usr/share/debian-reference/ch*.zh-cn.html",
    "usr/share/debian-reference/ch*.en.html",
    "usr/share/doc/debian-handbook/html/en-US/*.html",
    "usr/share/doc/debian-handbook/html/zh-CN/*.html",
    "usr/share/doc/maint-guide-zh-cn/maint-guide.zh-cn.txt.gz",
    "usr/share/doc/debian/FAQ/debian-faq.*.txt.gz",
    "usr/share/developers-reference/developers-reference.html",
    "usr/share/games/fortunes/*",
    "usr/share/man/zh_CN/man*/*.gz",
    "usr/share/dictd/gcide.dict.dz",
    "usr/share/dictd/foldoc.dict.dz",
)
KINDS = ("zh", "en", "mixed", "words", "names")
TAG = re.compile(r"<(script|style)[^>]*>.*?</\1>|<[^>]+>", re.S)
BLOCK = re.compile(r"</?(p|div|li|h\d|td|tr|br|pre|dt|dd)[^>]*>", re.I)
ROFF = re.compile(r"^[.'].*$|\\f[BRIP]|\\-|\\&|\\\(..", re.M)


def read(path: pathlib.Path) -> str:
    """Text of one file: unpacked, tags and roff commands removed."""
    raw = path.read_bytes()
    if path.suffix in (".gz", ".dz"):
        raw = gzip.decompress(raw)
    text = raw.decode("utf-8", "ignore")
    if path.suffix == ".html":
        text = html.unescape(TAG.sub("", BLOCK.sub("\n", text)))
    if "/man/" in str(path):
        text = ROFF.sub("", text)
    return text


def sentences(root: pathlib.Path, allowed: set[str]) -> Iterator[str]:
    """Distinct lines of all sources, spelled as labels, characters out of the charset dropped with their line."""
    seen: set[str] = set()
    for pattern in SOURCES:
        for path in sorted(root.glob(pattern)):
            if not path.is_file() or path.suffix in (".dat", ".u8"):
                continue
            for row in read(path).splitlines():
                line = tidy_spaces(unify(re.sub(r"\s+", " ", row)).strip())
                if 4 <= len(line) <= 2000 and line not in seen and set(line) <= allowed:
                    seen.add(line)
                    yield line


def words(root: pathlib.Path, allowed: set[str]) -> Iterator[tuple[str, float]]:
    """Words of the jieba dictionary with a weight (square root of their count)."""
    for row in (root / "usr/lib/python3/dist-packages/jieba/dict.txt").read_text("utf-8").splitlines():
        word, count, *_ = row.split(" ")
        if set(word) <= allowed and len(word) <= 8:
            yield word, math.sqrt(float(count) + 1)


def build(folder: pathlib.Path, allowed: set[str]) -> dict[str, int]:
    """Write corpus/{zh,en,words,names}.txt below `folder`; returns how many rows each has."""
    root, out = folder / "root", folder / "corpus"
    out.mkdir(parents=True, exist_ok=True)
    kinds: dict[str, list[str]] = collections.defaultdict(list)
    for line in sentences(root, allowed):
        han = len(CJK.findall(line))
        kinds["zh" if han >= 3 and han > len(line) / 4 else "en" if not han else "mixed"].append(line)
    kinds["words"] = [f"{word}\t{weight:.2f}" for word, weight in words(root, allowed)]
    spelling = (root / "usr/share/dict/american-english").read_text("utf-8").split()
    kinds["names"] = [word for word in spelling if not word.endswith("'s") and set(word) <= allowed]
    for kind in KINDS:
        rows = kinds[kind]
        (out / f"{kind}.txt").write_text("\n".join(rows) + "\n", "utf-8")
    return {kind: len(rows) for kind, rows in kinds.items()}


def main() -> None:
    from models.training.characters import all_characters

    parser = argparse.ArgumentParser(description="Extract the corpora from the unpacked packages.")
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    print(build(folder, set(all_characters(folder / "root"))))


if __name__ == "__main__":
    main()
