"""Endless training batches: lines of similar width together, a constant number of pixels in each."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.charset import Charset
from models.line_image import HEIGHT, TIME_STRIDE, prepare
from models.training.drawing.render import LineRenderer, RenderedLine
from models.training.losses import frame_targets

BUCKET = 32
WIDEST = 896
PIXELS = 6400
MOST_LINES = 80


@dataclasses.dataclass(frozen=True)
class Batch:
    """N lines padded to one width W; T = W / 4 frames; S = most labels in a line."""

    lines: Tensor  # (N, 1, 32, W) float32
    labels: Tensor  # (N, S) int64, 0 beyond the line's own
    frame_counts: Tensor  # (N,) int64
    label_counts: Tensor  # (N,) int64
    frame_targets: Tensor  # (N, T) int64, for the aligned warm start


def bucket_width(width: int) -> int:
    """The padded width of a line: the next multiple of `BUCKET`."""
    return -(-width // BUCKET) * BUCKET


def fits(labels: list[int], frames: int) -> bool:
    """Whether CTC has frames for the labels and for the blanks between equal neighbours."""
    return len(labels) + sum(a == b for a, b in itertools.pairwise(labels)) <= frames


def collate(
    rows: list[tuple[NDArray[np.float32], list[int], RenderedLine]], rng: np.random.Generator, time_stride: int
) -> Batch:
    """Pad the rows to their common bucket."""
    width = bucket_width(max(image.shape[2] for image, _, _ in rows))
    lines = np.zeros((len(rows), 1, rows[0][0].shape[1], width), np.float32)
    labels = np.zeros((len(rows), max(len(label) for _, label, _ in rows)), np.int64)
    targets = np.zeros((len(rows), width // time_stride), np.int64)
    for index, (image, label, rendered) in enumerate(rows):
        lines[index, :, :, : image.shape[2]] = image
        labels[index, : len(label)] = label
        frames = image.shape[2] // time_stride
        targets[index] = frame_targets(label, rendered.centres, frames, width // time_stride, rng)
    return Batch(
        torch.from_numpy(lines),
        torch.from_numpy(labels),
        torch.tensor([image.shape[2] // time_stride for image, _, _ in rows]),
        torch.tensor([len(label) for _, label, _ in rows]),
        torch.from_numpy(targets),
    )


def batches(
    renderer: LineRenderer, charset: Charset, seed: int, *, height: int = HEIGHT, time_stride: int = TIME_STRIDE
) -> Iterator[Batch]:
    """Yield batches for ever; a line that is too wide, or too dense for CTC, is drawn anew."""
    rng = np.random.default_rng(seed)
    waiting: dict[int, list[tuple[NDArray[np.float32], list[int], RenderedLine]]] = {}
    while True:
        rendered = renderer.render()
        image, labels = prepare(rendered.image, height), charset.encode(rendered.text)
        width = bucket_width(image.shape[2])
        if width > WIDEST or not fits(labels, image.shape[2] // time_stride):
            continue
        rows = waiting.setdefault(width, [])
        rows.append((image, labels, rendered))
        if len(rows) >= min(MOST_LINES, max(6, PIXELS // width)):
            yield collate(waiting.pop(width), rng, time_stride)
