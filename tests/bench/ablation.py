"""What each step of the preprocessing is worth: the pipeline with one step off, or one more on, as a table.

    python -m tests.bench.ablation DATA [SET ...] [--limit N]

DATA as for tests.bench.recognition. A cell: the share of the characters that is lost (lines: CER; pages: 1 - F1), and
how that differs from the pipeline as it is, in points. A dash: the step does not touch such images. What does not pay
on several sets is not in the pipeline. Pages that lie wrong are measured by tests.bench.turning. In one process on one
core.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np

import models
from models import line_image
from models.line_image import MARGIN
from tests.bench import real_images
from tests.bench.real_images import Gray, Truth
from worker.ocr import pipeline
from worker.ocr.decode import orientation, pages
from worker.ocr.decode.pages import DecodedPage
from worker.ocr.ink.ink import estimate_background
from worker.ocr.lines.classical import find
from worker.ocr.page import crops, preprocess, turning

Change = tuple[Any, str, Any]  # a module, a name in it, what stands there instead


@dataclass(frozen=True)
class Variant:
    """One row. pages_only: a line given by the sender never sees the step."""

    name: str
    changes: tuple[Change, ...] = ()
    pages_only: bool = False


def on_pages(step: Callable[[Gray], Gray]) -> tuple[Change, ...]:
    """Change every page, or given line, after it is decoded."""

    def decode_pages(*given: Any) -> Iterator[DecodedPage]:
        return (replace(page, gray=step(page.gray)) for page in pages.decode_pages(*given))

    return ((pipeline, "decode_pages", decode_pages),)


def on_lines(step: Callable[[Gray], Gray]) -> tuple[Change, ...]:
    """Change every line image before it is recognised."""
    prepare = line_image.prepare
    return (
        (
            models.Recognizer,
            "prepare",
            lambda own, gray: prepare(step(np.ascontiguousarray(gray)), own.card.input_height),
        ),
    )


def flatten(gray: Gray) -> Gray:
    """Divide by the background: shadows go."""
    paper = np.maximum(estimate_background(gray), 1)
    return np.asarray(cv2.divide(gray, paper, scale=235), np.uint8)


def equalise(gray: Gray) -> Gray:
    return np.asarray(cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8)).apply(gray), np.uint8)


def median(gray: Gray) -> Gray:
    return np.asarray(cv2.medianBlur(gray, 3), np.uint8)


def otsu(gray: Gray) -> Gray:
    return np.asarray(cv2.threshold(gray, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1], np.uint8)


def adaptive(gray: Gray) -> Gray:
    window = max(3, gray.shape[0] // 2 * 2 + 1)
    mean, binary = cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY
    return np.asarray(cv2.adaptiveThreshold(gray, 255, mean, binary, window, 10), np.uint8)


def dark_only(ink: Any) -> tuple[Gray, Gray]:
    return ink.dark, np.zeros_like(ink.dark)


def plain(values: np.ndarray) -> np.ndarray:
    """Grey values as they are, 0 to 255, to -1 to 1."""
    return (values / 127.5 - 1.0).astype(np.float32)


VARIANTS = (
    Variant("as it is"),
    Variant("without straightening", ((preprocess, "estimate_angle", lambda _: 0.0),), True),
    Variant("without EXIF", ((orientation, "read_orientation", lambda *_: 1),)),
    Variant("without turning", ((turning, "SURE", 0.0),), True),
    Variant("without light on dark", ((find, "_both_polarities", dark_only),), True),
    Variant("without standardising", ((line_image, "standardise", plain),)),
    Variant("no margin around lines", ((crops, "crop_line", functools.partial(crops.crop_line, margin=0.0)),)),
    Variant("twice the margin", ((crops, "crop_line", functools.partial(crops.crop_line, margin=2 * MARGIN)),)),
    Variant("+ background division, pages", on_pages(flatten)),
    Variant("+ background division, lines", on_lines(flatten)),
    Variant("+ CLAHE, pages", on_pages(equalise)),
    Variant("+ CLAHE, lines", on_lines(equalise)),
    Variant("+ median 3 x 3, pages", on_pages(median)),
    Variant("+ median 3 x 3, lines", on_lines(median)),
    Variant("+ Otsu, lines", on_lines(otsu)),
    Variant("+ adaptive threshold, lines", on_lines(adaptive)),
)


@contextmanager
def swapped(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Put something else in a module for a while."""
    real = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, real)


def lost(variant: Variant, rows: list[tuple[Path, Truth]], recognizer: models.Recognizer, score: ModuleType) -> float:
    """The share of the characters that is lost."""
    with ExitStack() as stack:
        for change in variant.changes:
            stack.enter_context(swapped(*change))
        read = [(real_images.read(path.read_bytes(), recognizer, truth), truth) for path, truth in rows]
    losses = [real_images.loss(score, truth, page) for page, truth in read]
    return sum(some for some, _ in losses) / max(1.0, sum(every for _, every in losses))


def main() -> None:
    args = real_images.arguments("Steps of the preprocessing, one by one.", real_images.LINES + real_images.PAGES, 60)
    recognizer = models.load(threads=1)
    cells: dict[str, list[str]] = {variant.name: [] for variant in VARIANTS}
    for name in args.sets:
        folder = args.data / "sets" / name
        rows = real_images.rows(folder, args.score, args.limit)
        base = lost(VARIANTS[0], rows, recognizer, args.score)
        cells[VARIANTS[0].name].append(f"{base:.1%}")
        for variant in VARIANTS[1:]:
            if variant.pages_only and not real_images.is_pages(folder):
                cells[variant.name].append("–")
                continue
            share = lost(variant, rows, recognizer, args.score)
            cells[variant.name].append(f"{share:.1%} ({100 * (share - base):+.1f})")
            print(f"{name}, {variant.name}: {cells[variant.name][-1]}", flush=True)
    print(f"\n| | {' | '.join(args.sets)} |\n|---{'|---' * len(args.sets)}|")
    for name, row in cells.items():
        print(f"| {name} | {' | '.join(row)} |")


if __name__ == "__main__":
    main()
