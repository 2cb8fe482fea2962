"""ocrelay in its three qualities, RapidOCR and Tesseract on the same images in one run, each on one core, as a table.

    python -m tests.bench.peers DATA [SET ...] [--rapidocr-python PYTHON] [--limit N]

PYTHON is an environment that has `rapidocr==3.10.0` and onnxruntime (its OpenCV is not ours, so it needs one of its
own); Tesseract is taken from PATH (Debian: tesseract-ocr, tesseract-ocr-chi-sim). An engine that is not there is left
out and named. `balanced` and `best` need an installed stronger model (`ocrelay models install`). Paces are of the
processor's time, loading left out.
`x` is an engine's pace as a multiple of RapidOCR's in this run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from shared.settings import Settings
from tests.bench.engines import ENGINES, QUALITIES
from tests.bench.metric import load_metric
from tests.bench.recognition import DEFAULT_SETS
from worker.models.stronger import find_stronger

PROGRAM = Path(__file__).with_name("engines.py")


def run(python: str, engine: str, layout: str, images: list[str]) -> dict[str, Any]:
    """Answers of one engine."""
    command = [python, str(PROGRAM), engine, layout]
    done = subprocess.run(command, input="\n".join(images), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{engine} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout[done.stdout.index("{") :])  # type: ignore[no-any-return]


def figures(score: ModuleType, pages: bool, truths: list[Any], texts: list[list[str]]) -> str:
    """What counts in one cell: CER, exact lines and spaces, or char F1 and lines found."""
    if pages:
        scores = score.page_scores(list(zip(truths, texts, strict=True)))
        return f"{scores['char_f1']:.3f} / {scores['lines']:.3f}"
    pairs = [(truth, " ".join(lines)) for truth, lines in zip(truths, texts, strict=True)]
    scores = score.line_scores(pairs)
    return (
        f"{scores['cer_ci']:.2%} / {scores['cer_ci_nospace']:.2%} / {scores['exact']:.0%} / {score.space_f1(pairs):.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="ocrelay beside RapidOCR and Tesseract.")
    parser.add_argument("data", type=Path)
    parser.add_argument("sets", nargs="*", default=DEFAULT_SETS)
    parser.add_argument("--rapidocr-python", help="the Python of an environment that has rapidocr 3.10")
    parser.add_argument("--score", type=Path, help="the metric file [default: DATA/../score.py]")
    parser.add_argument("--limit", type=int, default=0, help="so many images of each set, evenly spread")
    args = parser.parse_args()
    score = load_metric(args.score or args.data.parent / "score.py")
    qualities = QUALITIES if find_stronger(Settings.load()) else QUALITIES[:1]
    pythons = dict.fromkeys(qualities, sys.executable)
    if args.rapidocr_python:
        pythons["rapidocr"] = args.rapidocr_python
    if shutil.which("tesseract"):
        pythons["tesseract"] = sys.executable
    print(f"left out: {', '.join(sorted({*ENGINES} - set(pythons))) or 'nobody'}\n")
    print("| set | engine | CER / without spaces / exact / space F1, or char F1 / lines | images/s | x | peak MiB |")
    print("|---|---|---|---|---|---|")
    for name in args.sets:
        folder = args.data / "sets" / name
        pages = (folder / "pages.jsonl").exists()
        rows = list(score.read_pages(folder) if pages else score.read_lines(folder))
        rows = rows[:: max(1, len(rows) // args.limit)][: args.limit] if args.limit else rows
        images, truths = [str(path) for path, _ in rows], [truth for _, truth in rows]
        answers = {
            engine: run(python, engine, "page" if pages else "line", images) for engine, python in pythons.items()
        }
        reference = answers.get("rapidocr", answers["fast"])["seconds"]
        for engine, answer in answers.items():
            cell = figures(score, pages, truths, answer["texts"])
            pace, multiple = len(rows) / answer["seconds"], reference / answer["seconds"]
            print(
                f"| {name} | {engine} | {cell} | {pace:.1f} | {multiple:.1f} | {answer['peak_mib']:.0f} |", flush=True
            )


if __name__ == "__main__":
    main()
