"""Read lines with a network and count its errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from rapidfuzz.distance import Levenshtein

from models.charset import BLANK, Charset
from models.line_image import TIME_STRIDE, prepare
from models.network import CRNN
from models.training.batches import bucket_width
from models.training.render import LineRenderer, RenderedLine


def greedy(labels: Sequence[int]) -> list[int]:
    """Best label of each frame -> labels: repeats merged, blanks dropped."""
    return [one for index, one in enumerate(labels) if one != BLANK and (index == 0 or labels[index - 1] != one)]


@torch.no_grad()
def read(network: CRNN, charset: Charset, image: np.ndarray) -> str:
    """Text of one line image, (H, W) uint8 gray."""
    line = prepare(image)
    padded = np.zeros((1, *line.shape[:2], bucket_width(line.shape[2])), np.float32)
    padded[0, :, :, : line.shape[2]] = line
    best = network(torch.from_numpy(padded)).argmax(2)[0, : line.shape[2] // TIME_STRIDE].tolist()
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


def guard_error_rate(network: CRNN, charset: Charset, lines: list[RenderedLine]) -> float:
    """CER over rendered lines; the network is put into evaluation mode and back."""
    network.eval()
    rate = character_error_rate((line.text, read(network, charset, line.image)) for line in lines)
    network.train()
    return rate
