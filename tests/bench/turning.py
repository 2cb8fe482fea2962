"""Are pages that lie on their side or upside down turned upright, and upright ones left alone?

    python -m tests.bench.turning DATA [SET ...] [--limit N]

DATA as for tests.bench.recognition; page sets only. Every page is read as it is, and turned counter-clockwise by 90,
180 and 270 degrees. A cell: how many were read in the right direction, and 1 - F1 of their characters. The limit SURE
of worker/ocr/page must lie between the last two columns: the confidence of nearly all upright pages (the lowest
tenth is left out; they are only looked at twice), and that of the surest page upside down. In one process on one core.
"""

from __future__ import annotations

from types import ModuleType

import cv2
import numpy as np

import models
from shared.result import Page
from tests.bench import real_images
from tests.bench.real_images import Gray, Truth, share
from worker.ocr.page import turning

SETS = [*real_images.PAGES, "taigi_en_pages", "funsd_pages", "taigi_hanji_pages", "aicup_tc_street_pages"]
TURNS = (0, 1, 2, 3)  # quarters, counter-clockwise
Images = list[tuple[Gray, Truth]]


def is_right(page: Page, quarters: int) -> bool:
    """Whether the writing was found at the angle that the page was turned to, give or take its own tilt."""
    return abs((page.angle - 90.0 * quarters + 180.0) % 360.0 - 180.0) < 45.0


def confidence(page: Page) -> float:
    values = [character.confidence for line in page.lines for character in line.characters]
    return sum(values) / max(1, len(values))


def read(images: Images, recognizer: models.Recognizer, quarters: int) -> list[Page]:
    turned = [(np.ascontiguousarray(np.rot90(image, quarters)), truth) for image, truth in images]
    return [real_images.read(image, recognizer, truth) for image, truth in turned]


def row(name: str, images: Images, recognizer: models.Recognizer, score: ModuleType) -> str:
    """One set."""
    cells, sure = [], turning.SURE
    for quarters in TURNS:
        pages = read(images, recognizer, quarters)
        right = sum(is_right(page, quarters) for page in pages)
        lost = [real_images.loss(score, truth, page) for page, (_, truth) in zip(pages, images, strict=True)]
        cells.append(f"{right} of {len(pages)}, {share(lost)}")
        if quarters == 0:
            cells.append(f"{np.quantile([confidence(page) for page in pages], 0.1):.2f}")
    turning.SURE = 0.0  # nothing is turned
    highest = max(confidence(page) for page in read(images, recognizer, 2))
    turning.SURE = sure
    lowest = cells.pop(1)
    return f"| {name} | {' | '.join(cells)} | {lowest} | {highest:.2f} |"


def main() -> None:
    args = real_images.arguments("Pages that lie wrong, turned upright.", SETS, 50)
    recognizer = models.load(threads=1)
    print("| pages | upright | 90° | 180° | 270° | upright: sure of | upside down: sure of |")
    print("|---|---|---|---|---|---|---|")
    for name in args.sets:
        rows = real_images.rows(args.data / "sets" / name, args.score, args.limit)
        images = [(np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8), truth) for path, truth in rows]
        print(row(name, images, recognizer, args.score), flush=True)


if __name__ == "__main__":
    main()
