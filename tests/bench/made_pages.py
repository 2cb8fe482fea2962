"""Pages with known lines: which lines are found, once and whole, and in which order are they read?

    python -m tests.bench.made_pages [--pages 1000] [--seed 7] [--kind NAME] [--show FOLDER]

The pages are those of tests.bench.drawn_pages, read with layout=page by the finder that the service uses. What counts:

- a truth line is there when one read line holds it: the characters of that read line whose middles lie over the truth's
  box have a CER of at most 20 % (spaces, case and the width of punctuation aside). A read line that runs over several
  truth lines beside one another holds them all; one that is read in two pieces is not there.
- a line that is not there is `missing` (no read line covers a quarter of its box), `joined` (one does, and half of a
  line above or below, too), `cut` (every read line leaves a fifth of its height uncovered on some side: pieces of a
  line that was torn are cut) or `misread` (covered, but the characters are wrong: not the finder's fault).
- `twice`: truth lines that two read lines hold, each with a CER of at most 50 %.
- `numeral`: headings, and replies in a chat, whose Chinese numeral no read line covers, of all of them.
- `single`: truth lines of one character that are not there, of all such lines; `off`: without those misread.
- `order`: tests.bench.reading_order, over the truth lines in the order in which the read lines hold them; the mean.
  A form may be read row by row, or its left half before its right one.

--show writes the pages on which something is missing, cut, joined, twice or out of order: read lines are blue, truth
lines that are not there red.
"""

from __future__ import annotations

import argparse
import multiprocessing
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
from PIL import ImageDraw
from rapidfuzz.distance import Levenshtein

import models
from models import detector
from shared.result import Line
from tests.bench import reading_order
from tests.bench.drawn_pages import KINDS, Sheet, Written, draw
from tests.fonts import Box
from tests.images import saved
from worker.ocr.pipeline import Options, recognize_document

FAULTS = ("missing", "cut", "joined", "misread")


@dataclass(frozen=True)
class Read:
    """A read line: its box, and its characters with the x of their middles."""

    box: Box
    characters: list[tuple[str, float]]

    @classmethod
    def of(cls, line: Line) -> Read:
        xs, ys = zip(*line.polygon, strict=True)
        left, width = min(xs), max(xs) - min(xs)
        characters = [(one.text, left + width * (one.start + one.end) / 2) for one in line.characters]
        return cls((left, min(ys), max(xs), max(ys)), characters)

    def over(self, box: Box) -> str:
        """Its characters over a box."""
        if _shared(self.box, box, 1) < 0.4 * min(self.box[3] - self.box[1], box[3] - box[1]):
            return ""
        slack = (box[3] - box[1]) / 3
        return "".join(text for text, x in self.characters if box[0] - slack <= x <= box[2] + slack)


def _shared(a: Box, b: Box, axis: int) -> float:
    return max(0.0, min(a[axis + 2], b[axis + 2]) - max(a[axis], b[axis]))


def _covered(read: Read, box: Box) -> tuple[float, float]:
    """Which shares of a box's width and height a read line covers."""
    return _shared(read.box, box, 0) / (box[2] - box[0]), _shared(read.box, box, 1) / (box[3] - box[1])


def _error(truth: str, read: str) -> float:
    plain = ["".join(unicodedata.normalize("NFKC", text).replace("。", ".").lower().split()) for text in (truth, read)]
    return Levenshtein.distance(*plain) / len(plain[0])


def fault(written: Written, read: Sequence[Read], others: Sequence[Written]) -> str:
    """What is wrong with a truth line among others; empty: nothing."""
    if any(_error(written.text, one.over(written.box)) <= 0.2 for one in read):
        return ""
    near = [one for one in read if np.prod(_covered(one, written.box)) >= 0.25]
    if not near:
        return "missing"
    apart = [other.box for other in others if not _shared(other.box, written.box, 1)]
    if any(np.prod(_covered(one, box)) >= 0.5 for one in near for box in apart):
        return "joined"
    left, top, right, bottom = written.box
    height = max(bottom - top, 0.7 * (right - left) / len(written.text))
    boxes = [one.box for one in near]
    lost = (max(box[0] - left, box[1] - top, right - box[2], bottom - box[3]) for box in boxes)
    return "misread" if min(lost) <= 0.2 * height else "cut"


def read_order(truth: Sequence[Written], read: Sequence[Read]) -> list[int]:
    """The indices of the truth lines under the characters, as they were read."""
    under = []
    for line in read:
        y = (line.box[1] + line.box[3]) / 2
        for _, x in line.characters:
            under += [i for i, one in enumerate(truth) if _holds(one.box, x, y)][:1]
    return [i for i, _ in groupby(under)]


def _order(truth: Sequence[Written], read: Sequence[Read]) -> float:
    by_halves = sorted(range(len(truth)), key=lambda i: truth[i].half)
    got = read_order(truth, read)
    return min(reading_order.distance(right, got) for right in (range(len(truth)), by_halves))


def _holds(box: Box, x: float, y: float) -> bool:
    return box[0] <= x <= box[2] and box[1] - 3 <= y <= box[3] + 3


def score(sheet: Sheet, read: Sequence[Read]) -> tuple[Counter[str], list[str]]:
    """Counts of a page, and the fault of each truth line."""
    faults = [fault(one, read, sheet.written) for one in sheet.written]
    counts = Counter(faults)
    counts["lines"] = len(faults)
    for one, wrong in zip(sheet.written, faults, strict=True):
        counts["twice"] += sum(_error(one.text, other.over(one.box)) <= 0.5 for other in read) > 1
        if one.lead:
            counts["headings"] += 1
            middle = (one.lead[0] + one.lead[2]) / 2, one.lead[1], (one.lead[0] + one.lead[2]) / 2 + 1, one.lead[3]
            counts["numeral"] += not any(np.prod(_covered(other, middle)) >= 0.6 for other in read)
        if len(one.text) == 1:
            counts["singles"] += 1
            counts["single"] += bool(wrong)
            counts["single off"] += wrong not in ("", "misread")
    return counts, faults


_recognizer: models.Recognizer
_finder: detector.Detector


def _start() -> None:
    global _recognizer, _finder
    cv2.setNumThreads(1)
    _recognizer, _finder = models.load(threads=1), detector.load(threads=1)


def measure(page: tuple[str, str], show: Path | None) -> tuple[str, Counter[str], float]:
    """Draw, read and score one page."""
    kind, seed = page
    sheet = draw(kind, seed)
    lines = recognize_document(saved(sheet.image), _recognizer, Options("page"), detector=_finder).pages[0].lines
    read = [Read.of(line) for line in lines]
    counts, faults = score(sheet, read)
    order = _order(sheet.written, read)
    if show and (order or any(counts[name] for name in ("missing", "cut", "joined", "twice", "numeral"))):
        on = ImageDraw.Draw(sheet.image)
        for line in lines:
            on.polygon([*line.polygon], outline="blue")
        for one, wrong in zip(sheet.written, faults, strict=True):
            if wrong:
                on.rectangle(one.box, outline="red", width=2)
                held = [other.over(one.box) for other in read if other.over(one.box)]
                print(
                    f"{kind} {seed}: {wrong} {one.text!r} at {[round(at) for at in one.box]}, read {held}", flush=True
                )
        sheet.image.save(show / f"{kind}-{seed}.png")
    return kind, counts, order


def row(kind: str, pages: list[tuple[Counter[str], float]]) -> str:
    counts = sum((counts for counts, _ in pages), Counter[str]())
    faults = " | ".join(str(counts[name]) for name in (*FAULTS, "twice"))
    off = f"{counts['single']} of {counts['singles']}, {counts['single off']} off"
    order = sum(order for _, order in pages) / len(pages)
    return (
        f"| {kind} | {len(pages)} | {counts['lines']} | {faults} | {counts['numeral']} of {counts['headings']} "
        f"| {off} | {order:.3f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Read pages with known lines.")
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--kind", choices=KINDS, help="only pages of this kind")
    parser.add_argument("--show", type=Path, help="write the pages that failed here")
    args = parser.parse_args()
    if args.show:
        args.show.mkdir(parents=True, exist_ok=True)
    kinds = [args.kind] if args.kind else list(KINDS)
    pages = [(kinds[i % len(kinds)], f"{args.seed}.{i // len(kinds)}") for i in range(args.pages)]
    with multiprocessing.get_context("spawn").Pool(initializer=_start) as pool:
        done = list(pool.imap_unordered(partial(measure, show=args.show), pages, chunksize=2))
    print(f"| pages | pages | lines | {' | '.join(FAULTS)} | twice | numeral | single | order |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for kind in kinds:
        print(row(kind, [(counts, order) for name, counts, order in done if name == kind]))
    print(row("all", [(counts, order) for _, counts, order in done]))


if __name__ == "__main__":
    main()
