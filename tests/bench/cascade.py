"""Fit the rule that says which lines are read again, and measure what the cascade gains and costs.

    python -m tests.bench.cascade read DATA READINGS --stronger MODEL [--limit N]
    python -m tests.bench.cascade fit READINGS [--write]
    python -m tests.bench.cascade measure READINGS

`read` lets both recognisers read the lines of DATA (as for tests.bench.recognition) one by one and keeps everything.
Each set falls into two halves by the SHA-256 of the document's name: `fit` looks at the half `tune` alone, `measure`
at `confirm`. Times are seconds of the processor on one thread, so that what else runs does not count.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2

import models
from shared.limits import Limits
from tests.bench import cascade_fit
from tests.bench.metric import load_metric
from worker.ocr.decode.pages import decode_pages
from worker.ocr.lines.layout import arrange
from worker.ocr.page.crops import crop_line
from worker.ocr.page.preprocess import as_is
from worker.ocr.text import rule
from worker.ocr.text.reader import LineReader

SETS = [
    "omnidoc_zh_lines", "sroie_lines", "funsd_lines", "iiit5k_test_words", "svt_test_words", "zhphoto_hand_lines",
    "taigi_zh_lines", "cn_hand_lines", "wires_lines", "omnidoc_en_lines", "taigi_en_lines", "ic15_test_words",
    "gameui_zh_lines",
]  # fmt: skip


def half(path: Path) -> str:
    """`tune` or `confirm`: all lines of one document fall on one side."""
    document = re.sub(r"[_-](crop_)?\d+$", "", path.stem)
    return ("tune", "confirm")[hashlib.sha256(document.encode()).digest()[0] & 1]


def read_line(path: Path, readers: list[LineReader]) -> list[dict[str, Any]]:
    """What each reader made of the line in a file."""
    upright = as_is(next(decode_pages(path.read_bytes(), Limits())).gray)
    lines = arrange(upright, "line").lines
    rows: list[dict[str, Any]] = []
    for reader in readers:
        images = [crop_line(upright.image, line.polygon, reader.recognizer.card.margin) for line in lines]
        started = time.process_time()
        readings = reader.read(images)
        card = reader.recognizer.card
        row: dict[str, Any] = {"model": f"{card.name} {card.version} {card.sha256}"}
        row |= {"seconds": time.process_time() - started, "frame_counts": [r.frame_count for r in readings]}
        rows.append(row | {"peaks": [[[*vars(peak).values()] for peak in r.peaks] for r in readings]})
        if reader is readers[0]:
            seen = zip(images, readings, strict=True)
            rows[0]["measured"] = [rule.measure(image, r) if r.peaks else None for image, r in seen]
    return rows


def read(data: Path, score: ModuleType, stronger: str, limit: int, sets: list[str]) -> list[dict[str, Any]]:
    readers = [LineReader(models.load()), LineReader(models.load(stronger))]
    found = []
    for name in sets:
        rows = list(score.read_lines(data / "sets" / name))
        for side in ("tune", "confirm"):
            chosen = [row for row in rows if half(row[0]) == side]
            for path, truth in chosen[:: max(1, len(chosen) // limit)][:limit]:
                fast, strong = read_line(path, readers)
                found.append(
                    {"set": name, "half": side, "image": path.name, "truth": truth, "fast": fast, "strong": strong}
                )
        print(name, len(found), flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit and measure the cascade of two recognisers.")
    steps = parser.add_subparsers(dest="step", required=True)
    step = steps.add_parser("read")
    step.add_argument("data", type=Path)
    step.add_argument("readings", type=Path)
    step.add_argument("sets", nargs="*", default=SETS)
    step.add_argument("--stronger", required=True)
    step.add_argument("--score", type=Path, help="the metric file [default: DATA/../score.py]")
    step.add_argument("--limit", type=int, default=150, help="lines of each half of a set")
    for name in ("fit", "measure"):
        step = steps.add_parser(name)
        step.add_argument("readings", type=Path)
        step.add_argument("--score", type=Path, required=True, help="the metric file")
        step.add_argument("--write", action="store_true", help="keep the rule as the shipped one")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    score = load_metric(args.score or args.data.parent / "score.py")
    if args.step == "read":
        rows = read(args.data, score, args.stronger, args.limit, args.sets)
        args.readings.write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
        return
    rows = json.loads(args.readings.read_text("utf-8"))
    if args.step == "fit":
        cascade_fit.fit([row for row in rows if row["half"] == "tune"], score, args.write)
    else:
        cascade_fit.measure([row for row in rows if row["half"] == "confirm"], score)


if __name__ == "__main__":
    main()
