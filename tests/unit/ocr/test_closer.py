from __future__ import annotations

from typing import Any

import numpy as np

from worker.ocr.ink.copies import Copies
from worker.ocr.lines.learned.closer import look_closer

ROWS = [("small print of a form", 40, 60), ("that stands close by", 40, 74), ("and is read", 40, 88)]


def box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


class Finder:
    """Finds rows of ink, and notes what it was shown."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, image: np.ndarray) -> list[np.ndarray]:
        self.shapes.append(image.shape)
        dark = (image < 128).any(axis=1)
        edges = np.flatnonzero(np.diff(np.r_[0, dark, 0]))
        return [box(0, top, image.shape[1], bottom) for top, bottom in zip(edges[::2], edges[1::2], strict=True)]


def test_rows_that_no_line_holds_are_searched_again_at_twice_the_size(draw: Any) -> None:
    page, finder = Copies(draw(*ROWS, scale=0.4)), Finder()
    kept, found = look_closer([box(38, 50, 200, 62)], page, 1.0, finder)
    assert kept == []
    assert len(finder.shapes) == 1 and finder.shapes[0][0] < 200
    assert len(found) >= 3
    assert all(one[:, 1].min() >= 40 and one[:, 1].max() <= 100 for one in found)


def test_a_page_whose_ink_lies_in_its_lines_is_not_searched_again(draw: Any) -> None:
    finder, boxes = Finder(), [box(30, top - 14, 260, top + 5) for _, _, top in ROWS]
    kept, found = look_closer(boxes, Copies(draw(*ROWS, scale=0.4)), 1.0, finder)
    assert (len(kept), found) == (3, [])
    assert finder.shapes == []


def test_what_was_found_stays_where_a_closer_look_shows_no_more(draw: Any) -> None:
    (kept,), found = look_closer([box(38, 50, 60, 62)], Copies(draw(*ROWS, scale=0.4)), 1.0, lambda _image: [])
    assert kept.tolist() == box(38, 50, 60, 62).tolist()
    assert found == []
