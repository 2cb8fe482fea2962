"""Read rendered lines and count the errors.

    python -m models.training.evaluate build/training                      # the shipped model, degraded lines
    python -m models.training.evaluate build/training --model DIR --plain --most 0.03

Lines are drawn with a seed that training does not use. With `--most` the command fails above that error rate.
"""

from __future__ import annotations

import argparse
import pathlib
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from rapidfuzz.distance import Levenshtein

from models.charset import BLANK, Charset
from models.line_image import TIME_STRIDE, prepare
from models.network import CRNN
from models.recognizer import load
from models.training.batches import bucket_width
from models.training.drawing.render import LineRenderer, RenderedLine


def greedy(labels: Sequence[int]) -> list[int]:
    """Best label of each frame -> labels: repeats merged, blanks dropped."""
    return [one for index, one in enumerate(labels) if one != BLANK and (index == 0 or labels[index - 1] != one)]


Logits = Callable[[np.ndarray], np.ndarray]
"""(1, 1, height, W) float32 -> (1, T, C) float32."""


def read(logits: Logits, charset: Charset, image: np.ndarray) -> str:
    """Text of one line image, (H, W) uint8 gray."""
    line = prepare(image)
    padded = np.zeros((1, *line.shape[:2], bucket_width(line.shape[2])), np.float32)
    padded[0, :, :, : line.shape[2]] = line
    best = logits(padded)[0, : line.shape[2] // TIME_STRIDE].argmax(1).tolist()
    return charset.decode(greedy(best))


def character_error_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """Summed edit distance over summed length of the truth, 0..1 and above; pairs are (truth, guess)."""
    rows = list(pairs)
    return sum(Levenshtein.distance(truth, guess) for truth, guess in rows) / max(
        1, sum(len(truth) for truth, _ in rows)
    )


def guard_lines(renderer: LineRenderer, count: int) -> list[RenderedLine]:
    """Lines of a renderer with a seed of its own: what training never saw, drawn the way it draws."""
    return [renderer.render() for _ in range(count)]


def error_rate(logits: Logits, charset: Charset, lines: Iterable[RenderedLine]) -> float:
    """CER over rendered lines, 0..1 and above."""
    return character_error_rate((line.text, read(logits, charset, line.image)) for line in lines)


@torch.no_grad()
def guard_error_rate(network: CRNN, charset: Charset, lines: list[RenderedLine]) -> float:
    """CER over rendered lines; the network is put into evaluation mode and back."""
    network.eval()
    rate = error_rate(lambda batch: network(torch.from_numpy(batch)).numpy(), charset, lines)
    network.train()
    return rate


def main() -> None:
    parser = argparse.ArgumentParser(description="CER of an exported model on rendered lines.")
    parser.add_argument("folder", type=pathlib.Path, help="the training folder, with root/ and corpus/")
    parser.add_argument("--model", default="", help="name, folder or file [default: the shipped model]")
    parser.add_argument("--lines", type=int, default=300)
    parser.add_argument("--plain", action="store_true", help="print, not spoiled by anything")
    parser.add_argument("--most", type=float, default=1.0, help="fail above this error rate")
    args = parser.parse_args()
    recognizer = load(args.model)
    renderer = LineRenderer(args.folder, list(recognizer.card.charset.characters), 1)
    lines = [renderer.render(plain=args.plain) for _ in range(args.lines)]
    rate = error_rate(recognizer.logits, recognizer.card.charset, lines)
    print(f"{recognizer.card.name} {recognizer.card.version}: CER {rate:.4f} on {len(lines)} rendered lines")
    if rate > args.most:
        raise SystemExit(f"That is more than {args.most}: the model has not learned to read.")


if __name__ == "__main__":
    main()
