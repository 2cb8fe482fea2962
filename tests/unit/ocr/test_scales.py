from __future__ import annotations

import cv2
import numpy as np
import pytest

from worker.ocr.ink.copies import Copies
from worker.ocr.lines.learned import scales

Gray = np.ndarray


def page(size: tuple[int, int], *bars: tuple[int, int, int, int]) -> Gray:
    """White, with black bars: left, top, right, bottom."""
    image = np.full(size, 255, np.uint8)
    for left, top, right, bottom in bars:
        image[top:bottom, left:right] = 0
    return image


class Seen:
    """Finds the bars of 12 to 60 px, as a detector finds lines, and notes what sizes it was shown."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, image: Gray) -> list[scales.Box]:
        self.shapes.append(image.shape)
        _, _, stats, _ = cv2.connectedComponentsWithStats((image < 128).astype(np.uint8))
        found = [row[:4].astype(int).tolist() for row in stats[1:] if 6 <= row[3] <= 60]
        return [np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], np.float32) for x, y, w, h in found]


def hulls(found: scales.Found) -> list[list[int]]:
    return sorted(np.r_[box.min(0), box.max(0)].round().astype(int).tolist() for box in found.boxes)


def test_large_and_usual_lines_of_one_page_are_found_once_each() -> None:
    bars = [(100, 100, 900, 260), (100, 400, 500, 430)]
    image = page((1000, 1200), *bars)
    image[120:260, 120:880].reshape(140, -1, 40)[:, :, 20:] = 255  # legs of letters that hang together
    assert hulls(scales.find_boxes(Copies(image), Seen())) == sorted(map(list, bars))


def test_a_paragraph_is_not_taken_for_one_large_line() -> None:
    bars = [(100, top, 900, top + 20) for top in range(100, 400, 30)]
    assert hulls(scales.find_boxes(Copies(page((1000, 1200), *bars)), Seen())) == sorted(map(list, bars))


def test_the_rules_of_a_table_are_no_large_letter() -> None:
    cells = [(x + 20, y + 25, x + 50, y + 45) for x in range(100, 500, 100) for y in range(100, 400, 70)]
    image = page((1000, 1200), *cells)
    for y in range(100, 460, 70):
        image[y : y + 2, 100:500] = 0
    for x in range(100, 600, 100):
        image[100:450, x : x + 2] = 0

    class SeesBlocks(Seen):
        """On a quarter, takes two by two cells for a large line, as a detector may."""

        def __call__(self, image: Gray) -> list[scales.Box]:
            if image.shape[0] > 250:
                return [np.array([[a, b], [c, b], [c, d], [a, d]], np.float32) for a, b, c, d in cells]
            return [np.array([[30, 28], [70, 28], [70, 58], [30, 58]], np.float32)]

    assert hulls(scales.find_boxes(Copies(image), SeesBlocks())) == sorted(map(list, cells))


def seeing(boxes: list[tuple[int, int, int, int]], large: tuple[int, int, int, int]) -> scales.Search:
    """Finds these on a page, and on a quarter of it the large one, px of the page, as a detector may."""

    def search(image: Gray) -> list[scales.Box]:
        found = boxes if image.shape[0] > 250 else [tuple(side // 4 for side in large)] if image.shape[0] == 250 else []
        return [np.array([[a, b], [c, b], [c, d], [a, d]], np.float32) for a, b, c, d in found]

    return search


def test_the_bars_of_a_chart_are_no_letters_where_years_stand_below_them() -> None:
    years = [(left, 420, left + 60, 440) for left in (200, 320, 440)]
    bars = [(left, 400 - 40 * i, left + 40, 400) for i, (left, *_) in enumerate(years, 3)]
    found = scales.find_boxes(Copies(page((1000, 1200), *years, *bars)), seeing(years, (180, 220, 520, 440)))
    assert hulls(found) == sorted(map(list, years))


def test_an_initial_takes_no_place_of_the_lines_beside_it() -> None:
    lines = [(170, 100, 700, 120), (170, 124, 700, 144), (170, 148, 202, 166)]
    found = scales.find_boxes(
        Copies(page((1000, 1200), (100, 96, 160, 168), *lines)), seeing(lines, (100, 96, 360, 168))
    )
    assert hulls(found) == [[100, 96, 160, 168], *map(list, lines)]


def test_small_print_is_searched_again_on_a_larger_copy() -> None:
    search = Seen()
    found = scales.find_boxes(Copies(page((1000, 1000), (100, 100, 500, 108), (100, 140, 500, 148))), search)
    assert search.shapes[1][0] > 1.5 * search.shapes[0][0]
    assert found.scale > 1.5
    assert hulls(found) == [[100, 100, 500, 108], [100, 140, 500, 148]]


def test_a_title_too_large_for_the_quarter_is_found_on_the_eighth() -> None:
    bars = [(100, 40, 500, 260), (100, 270, 300, 280)]
    image = page((300, 600), *bars)
    image[60:260, 120:480].reshape(200, -1, 60)[:, :, 30:] = 255  # legs of letters that hang together
    assert hulls(scales.find_boxes(Copies(image), Seen())) == sorted(map(list, bars))


class MissesQuarters(Seen):
    """Sees nothing on a quarter, as a detector may that is shown thin strokes."""

    def __call__(self, image: Gray) -> list[scales.Box]:
        found = super().__call__(image)
        return [] if image.shape == (200, 300) else found


def test_a_title_that_was_not_found_on_the_quarter_is_found_on_the_eighth_where_nothing_else_is() -> None:
    title, text = (80, 40, 560, 160), (100, 500, 700, 530)
    image = page((800, 1200), title, text)
    image[50:160, 90:540].reshape(110, -1, 50)[:, :, 25:] = 255  # legs of letters that hang together
    assert hulls(scales.find_boxes(Copies(image), MissesQuarters())) == [list(title), list(text)]
    part = scales.Found([np.array([[300, 90], [340, 90], [340, 110], [300, 110]], np.float32)], 1.0)
    assert scales._with_large(part, image, MissesQuarters(), 0.125, (200.0, 100.0)).boxes == part.boxes


def test_print_of_the_usual_size_is_searched_once_beside_the_smaller_copies() -> None:
    search = Seen()
    scales.find_boxes(Copies(page((1000, 1000), (100, 100, 500, 120))), search)
    assert search.shapes == [(1000, 1000), (250, 250), (125, 125)]


@pytest.mark.parametrize("lying", [False, True])
def test_a_long_page_is_searched_in_strips_at_its_own_size_and_no_line_is_found_twice(lying: bool) -> None:
    bars = [(100, top, 160, top + 20) for top in range(40, 11_900, 90)]
    image = page((12_000, 900), *bars)
    search = Seen()
    found = scales.find_boxes(Copies(np.ascontiguousarray(image.T) if lying else image), search)
    assert len(found.boxes) == len(bars)
    assert found.scale == 1.0
    assert all(np.prod(shape) <= scales.MOST_PIXELS for shape in search.shapes)
    truth = [[b, a, d, c] for a, b, c, d in bars] if lying else [list(bar) for bar in bars]
    assert hulls(found) == sorted(truth)


def test_a_blank_page_has_no_boxes() -> None:
    assert scales.find_boxes(Copies(page((300, 300))), Seen()).boxes == []
