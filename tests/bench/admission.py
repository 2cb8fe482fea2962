"""How much of the text is lost as an image gets worse, against each measure of its quality: where the limits come from.

    python -m tests.bench.admission DATA [SET ...] [--limit N]

DATA as for tests.bench.recognition. Real images are mostly fine, so each is also read shrunk, blurred and faded in
steps; it is the measured value that counts, not the step. One table for each measure, a tenth of the readings in each
row; then how many of the images as they are would be warned about or refused. In one process on one core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np

import models
from shared.result import Page
from tests.bench import real_images
from tests.bench.real_images import Gray, share
from worker.ocr.page.admission import PAGE_RULES, WRITING_RULES

PAPER = 200.0  # grey level that everything fades to
NOISE = 2.0  # grey levels; a faded image is not a clean one
AS_IS = "as it is"


@dataclass(frozen=True)
class Reading:
    """One image, read. way: how it was made worse. loss: characters lost, and in all."""

    way: str
    is_line: bool
    page: Page
    loss: tuple[float, float]


def shrink(image: Gray, factor: float) -> Gray:
    return np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def blur(image: Gray, sigma: float) -> Gray:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def fade(image: Gray, factor: float) -> Gray:
    noise = np.random.default_rng(0).normal(0.0, NOISE, image.shape)
    return np.clip(np.rint(PAPER + (image - PAPER) * factor + noise), 0, 255).astype(np.uint8)


STEPS: list[tuple[str, Callable[[Gray, float], Gray], tuple[float, ...]]] = [
    ("shrunk", shrink, (0.8, 0.6, 0.45, 0.35, 0.25, 0.18)),
    ("blurred", blur, (0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)),
    ("faded", fade, (0.5, 0.25, 0.12, 0.08, 0.05)),
]
WAYS = {"height": "shrunk", "text_height": "shrunk", "text_contrast": "faded", "softness": "blurred"}


def worse(image: Gray) -> Iterator[tuple[str, Gray]]:
    """The image as it is, and made worse in steps."""
    yield AS_IS, image
    for name, change, amounts in STEPS:
        for amount in amounts:
            yield name, change(image, amount)


def readings(folder: Path, score: ModuleType, recognizer: models.Recognizer, limit: int) -> Iterator[Reading]:
    """Every image of a set in every way."""
    for path, truth in real_images.rows(folder, score, limit):
        for way, image in worse(np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8)):
            page = real_images.read(image, recognizer, truth)
            yield Reading(way, isinstance(truth, str), page, real_images.loss(score, truth, page))


def curve(found: list[Reading], measure: str, parts: int = 10) -> str:
    """One table: the measure in steps of equally many readings, and the share of the characters that is lost there."""
    fit = [r for r in found if r.way in {AS_IS, WAYS[measure]} and r.page.quality[measure] is not None]
    fit.sort(key=lambda r: r.page.quality[measure] or 0.0)
    table = [f"\n| {measure} | lines: CER | pages: 1 - F1 |", "|---|---|---|"]
    for part in np.array_split(np.arange(len(fit)), parts):
        members = [fit[i] for i in part]
        cells = [share([r.loss for r in members if r.is_line == is_line]) for is_line in (True, False)]
        low, high = members[0].page.quality[measure], members[-1].page.quality[measure]
        table.append(f"| {low:g} to {high:g} | {cells[0]} | {cells[1]} |")
    return "\n".join(table)


def beyond(found: list[Reading]) -> str:
    """How many images as they are break each rule, and how much of their text is lost."""
    real = [r for r in found if r.way == AS_IS]
    rules = {rule.code: rule for rule in (*PAGE_RULES, *WRITING_RULES)}
    table = ["\n| code | warned | refused | lost of those warned |", "|---|---|---|---|"]
    for code in [*rules, *sorted({reason.code for r in real for reason in r.page.warnings} - set(rules))]:
        warned = [r for r in real if code in {reason.code for reason in r.page.warnings}]
        refused = [r for r in warned if code in rules and rules[code].broken_by(r.page.quality, strict=True)]
        table.append(f"| {code} | {len(warned)} | {len(refused)} | {share([r.loss for r in warned])} |")
    return "\n".join([*table, f"| any of the {len(real)} images | – | – | {share([r.loss for r in real])} |"])


def main() -> None:
    args = real_images.arguments("Characters lost against each measure.", real_images.LINES + real_images.PAGES, 40)
    recognizer = models.load(threads=1)
    found: list[Reading] = []
    for name in args.sets:
        found += readings(args.data / "sets" / name, args.score, recognizer, args.limit)
    for measure in WAYS:
        print(curve(found, measure))
    print(beyond(found))


if __name__ == "__main__":
    main()
