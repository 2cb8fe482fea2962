"""What the shipped recogniser reads wrong in one half of each set of real lines, and in pages.

    python -m tests.bench.halves DATA [SET ...] [--half confirm] [--json FILE]

The halves are those of tests.bench.cascade: by document, fixed by hash. Nobody looks at `confirm` while something is
made better, so that is the half which documents quote. Everything is read in this process, by the fast recogniser
alone. --json writes the scores as `--scores` of models.training.export wants them for the card.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from types import ModuleType

import cv2

import models
from models import Recognizer, detector
from models.detector import Detector
from shared.limits import Limits
from tests.bench.cascade import half
from tests.bench.metric import load_metric
from tests.bench.real_images import is_pages
from worker.ocr.pipeline import Options, recognize_document

LINES = (
    "omnidoc_zh_lines", "omnidoc_en_lines", "zhphoto_hand_lines", "cn_hand_lines", "taigi_en_lines", "sroie_lines",
    "funsd_lines", "gameui_zh_lines", "wires_lines", "plates_zh", "iiit5k_test_words", "svt_test_words",
    "ic15_test_words",
)  # fmt: skip
PAGES = ("sroie_pages", "omnidoc_pages", "wildreceipt_pages")
MEASURES = ("cer_ci", "cer_ci_nospace", "alnum", "char_f1", "lines")


def scores_of(
    folder: Path, score: ModuleType, wanted: str, recognizer: Recognizer, finder: Detector | None
) -> dict[str, float]:
    """Return the measures of one set: of lines in the wanted half, or of all its pages."""
    if is_pages(folder):
        pairs = [(truth, read(path, "page", recognizer, finder)) for path, truth in score.read_pages(folder)]
        found = score.page_scores(pairs)
    else:
        rows = [(path, truth) for path, truth in score.read_lines(folder) if half(path) == wanted]
        found = score.line_scores([(truth, " ".join(read(path, "line", recognizer, None))) for path, truth in rows])
    return {name: round(found[name], 4) for name in MEASURES if found.get(name) is not None}


def read(path: Path, layout: str, recognizer: Recognizer, finder: Detector | None) -> list[str]:
    """Return the lines that are read in a file."""
    options = Options("page" if layout == "page" else "line", Limits(max_bytes=2**30))
    page = recognize_document(path.read_bytes(), recognizer, options, detector=finder).pages[0]
    return [line.text for line in page.lines]


def main() -> None:
    parser = argparse.ArgumentParser(description="Errors in one half of each set.")
    parser.add_argument("data", type=Path)
    parser.add_argument("sets", nargs="*", default=[*LINES, *PAGES])
    parser.add_argument("--half", choices=("tune", "confirm"), default="confirm")
    parser.add_argument("--score", type=Path, help="the metric file [default: DATA/../score.py]")
    parser.add_argument("--json", type=Path, help="write the scores here")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    score = load_metric(args.score or args.data.parent / "score.py")
    recognizer, finder = models.load(threads=1), detector.load(threads=1)
    told = {}
    print("| set | " + " | ".join(MEASURES) + " |\n|---|" + "---|" * len(MEASURES))
    for name in args.sets:
        told[name] = scores_of(args.data / "sets" / name, score, args.half, recognizer, finder)
        print(f"| {name} | " + " | ".join(f"{told[name].get(one, '–')}" for one in MEASURES) + " |", flush=True)
    if args.json:
        args.json.write_text(json.dumps(told, indent=1), "utf-8")


if __name__ == "__main__":
    main()
