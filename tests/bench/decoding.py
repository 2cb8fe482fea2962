"""What the n-gram is worth: CER with and without it, numbers and codes apart, and what it costs.

    python -m tests.bench.decoding DATA [SET ...]                   real lines, the shipped weight
    python -m tests.bench.decoding --training build/training        rendered lines that it did not count, by weight

The second chooses the weight; write it with `models.training.ngram --weight`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

import numpy as np

import models
from models.charset import tidy_spaces
from models.frames import Frames
from models.training.evaluate import character_error_rate
from models.training.ngram import held_out
from tests.bench.lines import distance, frames_of, has_code, has_only_digits, prepared_lines
from tests.bench.metric import load_metric
from worker.ocr.text.decoder import Decoder

SETS = (
    "omnidoc_zh_lines", "omnidoc_en_lines", "zhphoto_hand_lines", "taigi_en_lines", "sroie_lines", "funsd_lines",
    "iiit5k_test_words", "svt_test_words", "gameui_zh_lines", "ic15_test_words",
)  # fmt: skip
PARTS: dict[str, Callable[[str], bool]] = {"all": lambda _: True, "digits only": has_only_digits, "codes": has_code}
WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
RENDERED_LINES = 1000
SEED = 77


def text_of(decoder: Decoder, frames: Iterable[Frames]) -> str:
    """What a decoder reads from the pieces of a row."""
    readings = (decoder.decode(decoder.read(piece)) for piece in frames)
    return " ".join("".join(peak.text for peak in reading.peaks) for reading in readings)


def timed(decoder: Decoder, frames: Iterable[Frames]) -> tuple[str, float]:
    """The text, and the milliseconds that it took this thread."""
    start = time.thread_time()
    return text_of(decoder, frames), (time.thread_time() - start) * 1000


def measure(folder: Path, score: ModuleType, recognizer: models.Recognizer) -> None:
    """Print the rows of one set."""
    decoders = [Decoder(recognizer.card.charset, ngram=ngram) for ngram in (None, recognizer.ngram)]
    rows: list[tuple[str, list[tuple[str, float]]]] = []
    network_ms = []
    for truth, lines in prepared_lines(folder, score, recognizer):
        start = time.thread_time()
        frames = frames_of(lines, recognizer)
        network_ms.append((time.thread_time() - start) * 1000)
        rows.append((score.normalise(truth), [timed(decoder, frames) for decoder in decoders]))
    for part, belongs in PARTS.items():
        chosen = [row for row in rows if belongs(row[0])]
        errors = np.array([[distance(score, truth, text) for text, _ in read] for truth, read in chosen])
        if not len(errors):
            continue
        without, with_it = errors.sum(0) / max(1, sum(len(truth) for truth, _ in chosen))
        better, worse = ((errors[:, 1] < errors[:, 0]).sum(), (errors[:, 1] > errors[:, 0]).sum())
        print(f"{folder.name:20s} {part:12s} {len(chosen):4d} lines, CER {without:.2%} -> {with_it:.2%}", end="")
        print(f", better {better}, worse {worse}")
    ms = np.median([[milliseconds for _, milliseconds in read] for _, read in rows], axis=0)
    print(f"{folder.name:20s} {ms[0]:.2f} ms a line (median) -> {ms[1]:.2f}, network {np.median(network_ms):.2f} ms")


def choose_weight(training: Path, recognizer: models.Recognizer) -> None:
    """Print the CER of rendered lines by weight."""
    from models.training.drawing.render import LineRenderer

    assert recognizer.ngram is not None, "the model has no n-gram; build it with models.training.ngram"
    renderer = LineRenderer(training, list(recognizer.card.charset.characters), SEED)
    sampler = renderer.sampler
    for kind in ("chinese", "english", "mixed"):
        setattr(sampler, kind, [line for line in getattr(sampler, kind) if held_out(line)])
    rows = []
    for _ in range(RENDERED_LINES):
        rendered = renderer.render()
        rows.append((tidy_spaces(rendered.text), frames_of([recognizer.prepare(rendered.image)], recognizer)))
    decoder = Decoder(recognizer.card.charset, ngram=recognizer.ngram)
    rates = {}
    for weight in WEIGHTS:
        recognizer.ngram.weight = weight
        rates[weight] = character_error_rate(
            (truth.lower(), models.charset.unify(text_of(decoder, frames)).lower()) for truth, frames in rows
        )
        print(f"weight {weight:.1f}: CER {rates[weight]:.2%}", flush=True)
    print("best", min(rates, key=lambda weight: rates[weight]))


def main() -> None:
    parser = argparse.ArgumentParser(description="What the n-gram is worth.")
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("sets", nargs="*", default=SETS)
    parser.add_argument("--score", type=Path, help="the metric file [default: DATA/../score.py]")
    parser.add_argument("--training", type=Path, help="the training folder: choose the weight")
    parser.add_argument("--model", default="")
    args = parser.parse_args()
    recognizer = models.load(args.model)
    if args.training:
        choose_weight(args.training, recognizer)
    if args.data:
        score = load_metric(args.score or args.data.parent / "score.py")
        for name in args.sets:
            measure(args.data / "sets" / name, score, recognizer)


if __name__ == "__main__":
    main()
