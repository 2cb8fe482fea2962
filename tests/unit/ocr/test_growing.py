from __future__ import annotations

import numpy as np

from worker.ocr.lines.learned import growing
from worker.ocr.lines.text_line import TextLine

LINE = TextLine.boxed(np.array([100, 100, 200, 120]))
MASK = np.zeros((200, 400), np.uint8)
LETTERS = [[x, 102, x + 12, 118] for x in range(102, 190, 16)]


def right_of(*more: list[int], are_dark: list[bool] | None = None) -> float:
    pieces = np.array([*LETTERS, *more], np.int32)
    dark = None if are_dark is None else np.array([True] * len(LETTERS) + are_dark)
    (grown,) = growing.grow([LINE], pieces, MASK, dark)
    return float(grown.hull[2])


def test_a_line_grows_to_the_ink_behind_it() -> None:
    assert right_of([205, 108, 209, 118]) > 209


def test_a_line_does_not_grow_to_ink_of_the_other_polarity() -> None:
    assert right_of([205, 108, 209, 118], are_dark=[False]) == 200
    assert right_of([205, 108, 209, 118], are_dark=[True]) > 209


def test_ink_belongs_to_the_nearer_of_two_lines() -> None:
    lines = [TextLine.boxed(np.array([0, 0, 50, 30])), TextLine.boxed(np.array([0, 20, 50, 50]))]
    pieces = np.array([[10, 13, 20, 16], [10, 22, 20, 26], [10, 27, 20, 30], [10, 90, 20, 95]], np.int32)
    assert growing.owners(pieces, lines).tolist() == [0, 0, 1, -1]


def test_a_slanted_box_holds_the_ink_between_its_edges() -> None:
    slanted = TextLine(np.array([[120, 100], [700, 100], [698, 120], [118, 120]], np.float32), 20)
    steep = TextLine(np.array([[120, 200], [700, 200], [690, 220], [110, 220]], np.float32), 20)
    pieces = np.array([[680, 102, 692, 118], [640, 202, 652, 218], [140, 202, 152, 218]], np.int32)
    assert growing.owners(pieces, [slanted, steep]).tolist() == [0, 1, 1]
    (grown, _) = growing.grow([slanted, steep], pieces, np.zeros((300, 800), np.uint8))
    assert grown is slanted
