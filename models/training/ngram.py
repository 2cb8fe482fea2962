"""Build the character n-gram from the corpora, for the search of the decoder.

    python -m models.training.ngram build/training models/weights/crnn-zh-en

Counts 12 million characters of English, all Chinese, dictionary words, and what `Records` writes of numbers,
receipts and forms; interpolates with absolute discounting; keeps the grams that change a probability most, by how often
they do. One line in twenty is left out: `tests.bench.decoding` renders those to choose the weight.

Source: Seymore and Rosenfeld, "Scalable backoff language models", 1996 (what to keep).
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
import random
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.card import ModelCard
from models.charset import BLANK, Charset
from models.ngram import FILE_NAME, as_costs
from models.recognizer import FILE_NAME as MODEL_NAME
from models.session import open_session
from models.training.texts.text import TextSampler, load

ORDER = 5
DISCOUNT = 0.75
LEAST_GAIN = 10.0
"""A gram stays if its count times the change of its log probability is above this: sets the size of the file."""
ENGLISH_CHARACTERS = 12_000_000
WRITTEN_LINES = 60_000
UPPER_SHARE, TITLE_SHARE = 0.25, 0.06
WEIGHT = 0.3


def held_out(line: str) -> bool:
    """Whether a line of the corpora is kept from the n-gram."""
    return zlib.crc32(line.encode()) % 20 == 0


def texts(folder: pathlib.Path, characters: list[str], rng: random.Random) -> Iterator[str]:
    """What is counted, line by line."""
    corpus = folder / "corpus"
    for kind in ("zh", "mixed"):
        yield from (line for line in load(corpus / f"{kind}.txt") if not held_out(line))
    english = load(corpus / "en.txt")
    rng.shuffle(english)
    left = ENGLISH_CHARACTERS
    for line in english:
        if left <= 0:
            break
        if not held_out(line):
            draw = rng.random()
            yield line.upper() if draw < UPPER_SHARE else line.title() if draw < UPPER_SHARE + TITLE_SHARE else line
            left -= len(line)
    for row in load(corpus / "words.txt"):
        word, weight = row.split("\t")
        yield from [word] * min(4, 1 + int(float(weight) / 30))
    for name in load(corpus / "names.txt"):
        yield from (name, *rng.choice(((), (name.upper(),), (name.title(),))))
    records = TextSampler(corpus, characters, rng).records
    for _ in range(WRITTEN_LINES):
        yield rng.choice((records.number, records.number, records.receipt, records.form, records.chinese_form))()


def stream(lines: Iterator[str], charset: Charset) -> NDArray[np.int64]:
    """All lines as labels, (n,) int64, each line behind a 0; characters out of the charset are left out."""
    labels = charset.labels
    out: list[int] = []
    for line in lines:
        out.append(BLANK)
        out.extend(labels[character] for character in line if character in labels)
    return np.array(out, np.int64)


@dataclasses.dataclass
class Level:
    """Grams of one length, sorted by (history, last label). history: index in the level before."""

    history: NDArray[np.int64]
    label: NDArray[np.int64]
    log_p: NDArray[np.float64]
    backoff: NDArray[np.float64]  # log; set when the next level is made


def first_level(data: NDArray[np.int64], classes: int) -> Level:
    """Single characters, smoothed, one entry for each label; 0, the start of a line, follows nothing."""
    counts = np.bincount(data, minlength=classes) + 0.5
    counts[BLANK] = 1e-6
    labels = np.arange(classes)
    return Level(np.zeros(classes, np.int64), labels, np.log(counts / counts.sum()), np.zeros(classes))


def next_level(
    data: NDArray[np.int64], before: Level, node: NDArray[np.int64], log_p: NDArray[np.float64], classes: int
) -> tuple[Level, NDArray[np.int64], NDArray[np.float64]]:
    """Grams one character longer.

    Args:
        data: (n,) labels.
        before: the level before; its backoff is set here.
        node: (n,) for each place the gram of `before` that ends there, or -1.
        log_p: (n,) for each place the log probability by the levels so far.
        classes: labels in all.

    Returns:
        The level, and `node` and `log_p` with it.
    """
    history = np.concatenate([[-1], node[:-1]])
    places = np.flatnonzero((history >= 0) & (data != BLANK))
    keys, first, inverse, counts = np.unique(
        history[places] * classes + data[places], return_index=True, return_inverse=True, return_counts=True
    )
    lower = log_p[places[first]]
    parents, labels = keys // classes, keys % classes
    size = len(before.label)
    total = np.bincount(parents, counts, size)
    kinds = np.bincount(parents, minlength=size)
    seen = np.maximum(total, 1)
    probability = (counts - DISCOUNT) / seen[parents] + (DISCOUNT * kinds / seen)[parents] * np.exp(lower)
    kept = counts * np.abs(np.log(probability) - lower) > LEAST_GAIN
    mass = np.bincount(parents, np.where(kept, probability, 0), size)
    lower_mass = np.bincount(parents, np.where(kept, np.exp(lower), 0), size)
    before.backoff = np.log(np.clip((1 - mass) / np.maximum(1 - lower_mass, 1e-9), 1e-6, 1.0))
    level = Level(parents[kept], labels[kept], np.log(probability[kept]), np.zeros(int(kept.sum())))
    numbers = np.where(kept, np.cumsum(kept) - 1, -1)[inverse]
    longer = np.full(len(data), -1)
    longer[places] = numbers
    log_p = log_p.copy()
    log_p[places] += before.backoff[history[places]]
    hit = numbers >= 0
    log_p[places[hit]] = level.log_p[numbers[hit]]
    return level, longer, log_p


def count(data: NDArray[np.int64], classes: int) -> list[Level]:
    """The levels from 1 to ORDER."""
    levels = [first_level(data, classes)]
    node, log_p = data.copy(), levels[0].log_p[data]
    for _ in range(1, ORDER):
        level, node, log_p = next_level(data, levels[-1], node, log_p, classes)
        levels.append(level)
    return levels


def save(path: pathlib.Path, levels: list[Level], charset: Charset, weight: float) -> None:
    """Write the file that `models.ngram` reads."""
    arrays: dict[str, Any] = {
        "characters": np.array("".join(charset.characters)),
        "order": np.array(len(levels)),
        "weight": np.array(weight),
        "alone": levels[0].log_p.astype(np.float32),
    }
    for length, level in enumerate(levels, 1):
        arrays[f"labels{length}"] = level.label.astype(np.uint16)
        arrays[f"costs{length}"] = as_costs(level.log_p)
        if length < len(levels):
            children = np.bincount(levels[length].history, minlength=len(level.label))
            arrays[f"starts{length}"] = np.concatenate([[0], np.cumsum(children)]).astype(np.uint32)
            arrays[f"backoffs{length}"] = as_costs(level.backoff)
    np.savez_compressed(path, **arrays)


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the n-gram of a model.")
    parser.add_argument("folder", type=pathlib.Path, help="the training folder; its corpus is read")
    parser.add_argument("model", type=pathlib.Path, help="the model's folder; its charset is used, ngram.npz written")
    parser.add_argument("--weight", type=float, default=WEIGHT, help="how loud it is; see tests/bench/decoding.py")
    args = parser.parse_args()
    metadata = open_session(args.model / MODEL_NAME).get_modelmeta().custom_metadata_map
    charset = ModelCard.from_metadata(metadata, args.model.name, "").charset
    data = stream(texts(args.folder, list(charset.characters), random.Random(1)), charset)
    levels = count(data, len(charset))
    save(args.model / FILE_NAME, levels, charset, args.weight)
    grams = ", ".join(f"{len(level.label):,}" for level in levels)
    print(f"{args.model / FILE_NAME}: {(args.model / FILE_NAME).stat().st_size / 1e6:.1f} MB, grams by length {grams}")


if __name__ == "__main__":
    main()
