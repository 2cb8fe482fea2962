"""Boxes for one character each are wiped off a line, and nothing else is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from worker.ocr.page.combs import without_comb

Gray = NDArray[np.uint8]
PITCH, HEIGHT = 30, 40
STROKES = {
    "bar": [(0, 0, 0, 16)],
    "cross": [(-6, 0, 6, 16), (6, 0, -6, 16)],
    "ring": [(-6, 0, 6, 0), (6, 0, 6, 16), (6, 16, -6, 16), (-6, 16, -6, 0)],
}


def written(kinds: list[str], top: int = 12) -> Gray:
    """Characters of strokes, 16 px high, a pitch apart, on white."""
    line = np.full((HEIGHT, PITCH * len(kinds) + 4), 255, np.uint8)
    for i, kind in enumerate(kinds):
        x = 2 + PITCH * i + PITCH // 2
        for x1, y1, x2, y2 in STROKES[kind]:
            cv2.line(line, (x + x1, top + y1), (x + x2, top + y2), 0, 2)
    return line


def boxed(line: Gray, style: str, ink: int = 0) -> Gray:
    """The same in boxes: one frame with walls, boxes by themselves, or a rule with ticks."""
    line, right = line.copy(), line.shape[1] - 2
    for x in range(2, right - 2, PITCH):
        if style == "frame":
            cv2.rectangle(line, (x, 3), (x + PITCH, HEIGHT - 4), ink, 1)
        elif style == "boxes":
            cv2.rectangle(line, (x + 2, 3), (x + PITCH - 2, HEIGHT - 4), ink, 1)
        else:
            cv2.line(line, (x, HEIGHT - 4), (x + PITCH, HEIGHT - 4), ink, 1)
            cv2.line(line, (x, HEIGHT // 2), (x, HEIGHT - 4), ink, 1)
            cv2.line(line, (x + PITCH, HEIGHT // 2), (x + PITCH, HEIGHT - 4), ink, 1)
    return line


KINDS = ["cross", "ring", "bar", "ring", "cross", "bar"]


@pytest.mark.parametrize("ink", [0, 120])
@pytest.mark.parametrize("style", ["frame", "boxes", "ticks"])
def test_boxes_are_wiped_and_what_stands_in_them_stays(style: str, ink: int) -> None:
    clean = without_comb(boxed(written(KINDS), style, ink))
    rows = clean.shape[0]
    assert rows < HEIGHT * 0.7  # cut to what is written
    apart = cv2.connectedComponents((clean < 128).astype(np.uint8), connectivity=8)[0] - 1
    assert apart == len(KINDS)
    assert clean.shape[1] < 0.8 * written(KINDS).shape[1]  # it is narrower, and nothing of it is lost
    assert (clean < 128).sum() >= 0.98 * (written(KINDS) < 128).sum()


def test_empty_boxes_behind_a_number_are_wiped_too() -> None:
    line = np.hstack([written(KINDS), np.full((HEIGHT, 4 * PITCH), 255, np.uint8)])
    clean = without_comb(boxed(line, "frame"))
    assert clean.shape[0] < HEIGHT and (clean[:, round(0.65 * clean.shape[1]) :] > 128).all()


def test_a_name_before_empty_boxes_stays() -> None:
    name, boxes = written(KINDS), boxed(np.full((HEIGHT, 6 * PITCH + 4), 255, np.uint8), "frame")
    clean = without_comb(np.hstack([name, boxes]))
    assert (clean < 128).sum() == (name < 128).sum()


@pytest.mark.parametrize(
    "line",
    [
        written(KINDS),
        written(["bar"] * 9),  # 111111111
        written(["ring"] * 9),
        boxed(written(["bar"] * 9, top=22), "ticks")[: HEIGHT - 2],  # strokes that stand on a rule
        boxed(np.full((HEIGHT, 6 * PITCH + 4), 255, np.uint8), "frame"),  # nobody wrote anything
        boxed(written(KINDS[:2]), "frame"),  # too few
        np.full((HEIGHT, 300), 255, np.uint8),
        np.full((1, 90), 0, np.uint8),
    ],
    ids=["no boxes", "ones", "rings", "on a rule", "empty", "two", "blank", "a row"],
)
def test_what_has_no_boxes_around_characters_stays_as_it_is(line: Gray) -> None:
    assert without_comb(line) is line


def test_walls_that_stand_unevenly_are_none() -> None:
    line = written(KINDS)
    for x in (2, 20, 62, 96, 170):
        cv2.line(line, (x, 3), (x, HEIGHT - 4), 0, 1)
    assert without_comb(line) is line
