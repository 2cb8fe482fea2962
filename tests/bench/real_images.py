"""What the benches that read in their own process share: images of the evaluation data, read on one core and scored."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

import models
from shared.limits import Limits
from shared.options import LayoutName
from shared.result import Page
from tests.bench.metric import load_metric
from worker.ocr.pipeline import Options, recognize_document

Gray = NDArray[np.uint8]
Truth = str | list[str]  # of a line, or of the lines of a page
LINES = [
    "omnidoc_zh_lines", "omnidoc_en_lines", "zhphoto_hand_lines", "sroie_lines", "taigi_en_lines", "funsd_lines",
]  # fmt: skip
PAGES = ["sroie_pages", "omnidoc_pages", "wildreceipt_pages", "zhphoto_hand_pages"]
LINES_FOR_A_PAGE = 5  # the limit of a page set is that of a line set, divided by this


def arguments(description: str, sets: list[str], limit: int) -> argparse.Namespace:
    """DATA [SET ...] [--score FILE] [--limit N]; the metric comes back loaded."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("data", type=Path)
    parser.add_argument("sets", nargs="*", default=sets)
    parser.add_argument("--score", type=Path, help="the metric file [default: DATA/../score.py]")
    parser.add_argument("--limit", type=int, default=limit, help="images of a line set; of a page set, a fifth; 0: all")
    args = parser.parse_args()
    args.score = load_metric(args.score or args.data.parent / "score.py")
    cv2.setNumThreads(1)
    return args


def is_pages(folder: Path) -> bool:
    return (folder / "pages.jsonl").exists()


def rows(folder: Path, score: ModuleType, limit: int) -> list[tuple[Path, Truth]]:
    """Images of a set and what stands in them, evenly spread."""
    found = list(score.read_pages(folder) if is_pages(folder) else score.read_lines(folder))
    if limit and is_pages(folder):
        limit = -(-limit // LINES_FOR_A_PAGE)
    return found[:: max(1, len(found) // limit)][:limit] if limit else found


def read(content: bytes | Gray, recognizer: models.Recognizer, truth: Truth) -> Page:
    """Read a file, or an image, with the layout that goes with its truth."""
    if not isinstance(content, bytes):
        content = bytes(cv2.imencode(".bmp", content)[1])
    layout: LayoutName = "line" if isinstance(truth, str) else "page"
    return recognize_document(content, recognizer, Options(layout, Limits(max_bytes=2**30))).pages[0]


def loss(score: ModuleType, truth: Truth, page: Page) -> tuple[float, float]:
    """Characters lost, and characters in all: edits of a line (CER), or too few and too many on a page (1 - F1)."""
    if isinstance(truth, str):
        wanted, got = score.normalise(truth).lower(), score.normalise(page.text.replace("\n", " ")).lower()
        return Levenshtein.distance(wanted, got), len(wanted)
    a: Counter[str] = score.chars(truth)
    b: Counter[str] = score.chars([line.text for line in page.lines])
    return a.total() + b.total() - 2 * (a & b).total(), a.total() + b.total()


def share(losses: list[tuple[float, float]]) -> str:
    """The share of the characters that is lost, a dash where there are none."""
    total = sum(all_of for _, all_of in losses)
    return f"{sum(lost for lost, _ in losses) / total:.1%}" if total else "–"
