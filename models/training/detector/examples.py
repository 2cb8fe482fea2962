"""Endless training examples: scenes, photographed or scanned, with the maps that the network should give."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from models.training.characters import all_characters
from models.training.detector import camera, composer, scenes
from models.training.detector.inks import InkPool
from models.training.detector.page import Page
from models.training.detector.targets import make_targets
from models.training.drawing.render import LineRenderer

SIDE = 512
BATCH = 6
SCALES = (0.8, 1.0, 1.0, 1.3)


@dataclasses.dataclass(frozen=True)
class Batch:
    """N pages of S x S px; maps of S / 4 x S / 4 cells, all float32; see `targets.Targets`."""

    pages: Tensor  # (N, 1, S, S) in -1..1
    kernel: Tensor  # (N, S/4, S/4)
    edges: Tensor  # (N, 2, S/4, S/4)
    weight: Tensor  # (N, S/4, S/4)


class PageSource:
    """Composes pages from the fonts and corpora below a training folder."""

    def __init__(self, folder: pathlib.Path, seed: int, side: int = SIDE, pool_size: int = 400) -> None:
        renderer = LineRenderer(folder, all_characters(folder / "root"), seed)
        self.rng, self.noise, self.side = renderer.rng, renderer.noise, side
        self.pool = InkPool(renderer, pool_size)

    def page(self) -> Page:
        """One page of `side` x `side` px and its boxes."""
        rng = self.rng
        kinds, shares = zip(*scenes.SCENES, strict=True)
        scene = rng.choices(kinds, shares)[0]
        side = int(self.side * rng.choice(SCALES))
        page = scene(composer.Composer(self.pool, rng, self.noise, side))
        if scene is scenes.screen:
            shown = camera.scan(page, self.side, rng) if rng.random() < 0.3 else camera.cut(page, self.side, rng)
        elif scene in (scenes.sign, scenes.surface) or rng.random() < 0.45:
            tilt = 7 if scene is scenes.sign else 4
            shown = camera.photograph(page, self.side, rng, self.noise, tilt)
            shown.image = camera.light(shown.image, rng, self.noise)
        else:
            shown = camera.scan(page, self.side, rng)
            if rng.random() < 0.2:
                shown.image = camera.bilevel(shown.image, rng, self.noise)
            elif rng.random() < 0.3:
                shown.image = camera.light(shown.image, rng, self.noise)
        shown.image = camera.spoil(shown.image, rng)
        return shown


def as_input(image: np.ndarray) -> np.ndarray:
    """(H, W) uint8 -> (1, H, W) float32 in -1..1, as `models.detector` feeds it."""
    return (image.astype(np.float32) / 127.5 - 1)[None]


def batches(source: PageSource, size: int = BATCH) -> Iterator[Batch]:
    """Yield batches for ever."""
    while True:
        pages = [source.page() for _ in range(size)]
        targets = [make_targets(page, source.side) for page in pages]
        yield Batch(
            torch.from_numpy(np.stack([as_input(page.image) for page in pages])),
            torch.from_numpy(np.stack([one.kernel for one in targets])),
            torch.from_numpy(np.stack([np.stack([one.above, one.below]) for one in targets])),
            torch.from_numpy(np.stack([one.weight for one in targets])),
        )
