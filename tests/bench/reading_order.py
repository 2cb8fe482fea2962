"""In which order are the lines of a page read?

    python -m tests.bench.reading_order DATA [SET ...] [--limit N]

DATA as for tests.bench.recognition; sets whose pages.jsonl has `blocks`. The measure is the edit distance between the
right sequence and the one read, divided by the length of the longer: 0 is the right order, 1 shares nothing with it.
Lines that were not found, or stand in no block with a place in the order, do not count.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rapidfuzz.distance import Levenshtein

import models
from models import detector
from tests.bench import real_images
from worker.ocr.pipeline import Options, recognize_document

Points = Sequence[Sequence[float]]


def distance(right: Sequence[Hashable], read: Iterable[Hashable]) -> float:
    """Of the ids as they were read to the right sequence; the ids that were not read are left out of that."""
    read = list(read)
    found = set(read)
    return Levenshtein.normalized_distance([one for one in right if one in found], read)


def of_blocks(blocks: Sequence[Mapping[str, Any]], lines: Iterable[Points]) -> float:
    """Of a page's blocks: each line belongs to the smallest block that holds its middle; neighbours count once."""
    ordered = sorted((block for block in blocks if block["order"] is not None), key=lambda block: block["order"])
    outlines = [np.array(block["polygon"], np.float32) for block in ordered]
    places = (_place(np.mean(line, axis=0), outlines) for line in lines)
    return distance(range(len(ordered)), [place for place, _ in groupby(p for p in places if p is not None)])


def _place(middle: Any, outlines: list[Any]) -> int | None:
    at = float(middle[0]), float(middle[1])
    around = [i for i, outline in enumerate(outlines) if cv2.pointPolygonTest(outline, at, False) >= 0]
    return min(around, key=lambda i: cv2.contourArea(outlines[i]), default=None)


def read_blocks(folder: Path) -> dict[Path, list[dict[str, Any]]]:
    """The blocks of each page of a set; nothing of a set without them."""
    file = folder / "pages.jsonl"
    rows = [json.loads(row) for row in file.read_text("utf-8").splitlines()] if file.exists() else []
    return {folder / row["image"]: row["blocks"] for row in rows if "blocks" in row}


def main() -> None:
    args = real_images.arguments("The order in which lines are read.", ["omnidoc_pages"], 0)
    recognizer, finder = models.load(threads=1), detector.load(threads=1)
    for name in args.sets:
        pages = read_blocks(args.data / "sets" / name)
        distances = []
        for path, blocks in list(pages.items())[: args.limit or None]:
            page = recognize_document(path.read_bytes(), recognizer, Options("page"), detector=finder).pages[0]
            distances.append(of_blocks(blocks, [line.polygon for line in page.lines]))
            print(f"  {path.name}: {distances[-1]:.2f}", flush=True)
        print(f"{name}: {np.mean(distances):.3f} over {len(distances)} pages" if distances else f"{name}: no blocks")


if __name__ == "__main__":
    main()
