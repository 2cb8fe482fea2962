"""How often characters and lines of a given confidence are right, on real data, before and after the calibration.

    python -m tests.bench.calibration DATA [--model MODEL]

DATA as for tests.bench.recognition. ECE, the expected calibration error, is the mean distance between confidence and
share of right characters over ten bins, weighed by how many fall into each. Lines: their confidence against the share
of their characters that are right, and how many are right altogether. Case does not count.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np

import models
from models.calibration import IDENTITY
from tests.bench.lines import are_right, frames_of, prepared_lines
from tests.bench.metric import load_metric
from worker.ocr.text import ctc
from worker.ocr.text.decoder import Decoder

KINDS = {
    "print": ("omnidoc_zh_lines", "omnidoc_en_lines", "taigi_en_lines"),
    "photo and screen": ("zhphoto_hand_lines", "gameui_zh_lines"),
    "receipts": ("sroie_lines",),
    "forms": ("funsd_lines",),
    "words": ("iiit5k_test_words", "svt_test_words", "ic15_test_words"),
}
BINS = 10


class Point(NamedTuple):
    """A character or a line. right: 0..1; whole: whether all of it is right."""

    confidence: float
    right: float
    whole: bool


Points = tuple[list[Point], list[Point]]  # of characters, of lines


def collect(folder: Path, score: ModuleType, recognizer: models.Recognizer, decoders: list[Decoder]) -> list[Points]:
    """Points of one set for each decoder."""
    found: list[Points] = [([], []) for _ in decoders]
    for truth, lines in prepared_lines(folder, score, recognizer):
        frames = frames_of(lines, recognizer)
        for decoder, (characters, whole_lines) in zip(decoders, found, strict=True):
            if not frames:
                continue
            peaks = ctc.decode(
                ctc.join_paths([decoder.read(piece) for piece in frames]), decoder.charset, decoder.calibration
            )
            text = "".join(peak.text for peak in peaks)
            judged = zip(peaks, are_right(score, text, truth), strict=True)
            rated = [Point(peak.confidence, float(right), right) for peak, right in judged if right is not None]
            characters.extend(rated)
            if rated:
                exact = score.normalise(text).lower() == score.normalise(truth).lower()
                means = np.mean([point[:2] for point in rated], axis=0)
                whole_lines.append(Point(float(means[0]), float(means[1]), exact))
    return found


def diagram(points: list[Point]) -> tuple[float, list[str]]:
    """ECE and a row for each bin that is not empty."""
    confidence, right, whole = (np.array(values, np.float64) for values in zip(*points, strict=True))
    places = np.minimum((confidence * BINS).astype(int), BINS - 1)
    error, rows = 0.0, []
    for place in np.unique(places):
        chosen = places == place
        error += chosen.mean() * abs(confidence[chosen].mean() - right[chosen].mean())
        means = (values[chosen].mean() for values in (confidence, right, whole))
        rows.append(
            "  {:.1f}-{:.1f} {:7d}  confidence {:.3f}  right {:.3f}  whole {:.3f}".format(
                place / BINS, (place + 1) / BINS, chosen.sum(), *means
            )
        )
    return error, rows


def main() -> None:
    parser = argparse.ArgumentParser(description="Reliability of the confidence on real data.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--score", type=Path, help="the metric file [default: DATA/../score.py]")
    parser.add_argument("--model", default="")
    args = parser.parse_args()
    score = load_metric(args.score or args.data.parent / "score.py")
    recognizer = models.load(args.model)
    card = recognizer.card
    decoders = [Decoder(card.charset, calibration, recognizer.ngram) for calibration in (IDENTITY, card.calibration)]
    for kind, names in KINDS.items():
        pools: list[Points] = [([], []) for _ in decoders]
        for name in names:
            for pool, points in zip(
                pools, collect(args.data / "sets" / name, score, recognizer, decoders), strict=True
            ):
                pool[0].extend(points[0])
                pool[1].extend(points[1])
        for part, of in enumerate(("characters", "lines")):
            (before, _), (after, rows) = (diagram(pool[part]) for pool in pools)
            print(f"{kind}, {of}: {len(pools[0][part])}, ECE {before:.4f} before, {after:.4f} after")
            print("\n".join(rows), flush=True)


if __name__ == "__main__":
    main()
