"""Rendered lines on one sheet, for the eye: do they look like what people send?

    python -m models.training.contact_sheet build/training docs/rendered-lines.png
    python -m models.training.contact_sheet build/training /tmp/sheet.png --beside FOLDER

With `--beside`, the right half shows images of FOLDER (any depth): put the two next to each other and make the left
one look like the right one. The sheet of the documentation has no right half, for other people's images are not ours.
"""

from __future__ import annotations

import argparse
import pathlib
import random

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.characters import all_characters
from models.training.drawing.render import LineRenderer

ROW = 44  # px
COLUMN = 400  # px
GAP = 5  # px
GROUND = 128
SEED = 20

Gray = NDArray[np.uint8]


def fit(image: Gray) -> Gray:
    """(H, W) uint8 -> the same, no larger than a cell; pixels stay visible."""
    scale = min(ROW / image.shape[0], COLUMN / image.shape[1])
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return np.asarray(
        cv2.resize(image, size, interpolation=cv2.INTER_NEAREST if scale > 1 else cv2.INTER_AREA), np.uint8
    )


def sheet(columns: list[list[Gray]]) -> Gray:
    """Columns of line images, each (H, W) uint8, on one gray sheet."""
    rows = max(len(column) for column in columns)
    canvas = np.full((rows * (ROW + GAP) + GAP, len(columns) * (COLUMN + GAP) + GAP), GROUND, np.uint8)
    for i, column in enumerate(columns):
        for j, image in enumerate(column):
            cell = fit(image)
            top, left = GAP + j * (ROW + GAP), GAP + i * (COLUMN + GAP)
            canvas[top : top + cell.shape[0], left : left + cell.shape[1]] = cell
    return canvas


def images_of(folder: pathlib.Path, count: int) -> list[Gray]:
    """`count` images below a folder, drawn at random."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".png", ".jpg", ".jpeg"))
    chosen = random.Random(SEED).sample(paths, min(count, len(paths)))
    return [np.asarray(image, np.uint8) for path in chosen if (image := cv2.imread(str(path), 0)) is not None]


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw a contact sheet of rendered lines.")
    parser.add_argument("folder", type=pathlib.Path, help="the training folder, with root/ and corpus/")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--beside", type=pathlib.Path, help="a folder of real line images")
    parser.add_argument("--rows", type=int, default=20)
    args = parser.parse_args()
    renderer = LineRenderer(args.folder, all_characters(args.folder / "root"), SEED)
    columns = [[renderer.render().image for _ in range(args.rows)] for _ in range(2)]
    columns.append([renderer.render_sign().image for _ in range(args.rows)])
    if args.beside:
        real = images_of(args.beside, 2 * args.rows)
        columns[1:] = [real[: args.rows], real[args.rows :]]
    cv2.imwrite(str(args.out), sheet(columns))


if __name__ == "__main__":
    main()
