from __future__ import annotations

import numpy as np
import pytest

from worker.ocr.lines import reading_order
from worker.ocr.lines.learned.sizes import part_sizes
from worker.ocr.lines.text_line import TextLine

FOOT = 100  # px from the top: where the characters stand


def row(*characters: tuple[int, int]) -> np.ndarray:
    """Pieces of ink beside each other, (N, 4) px: how high each is, and how wide; 0 high is a gap."""
    left, pieces = 20, []
    for high, wide in characters:
        if high:
            pieces.append([left, FOOT - high, left + wide, FOOT])
        left += wide + 6
    return np.array(pieces, np.int32)


def widths(pieces: np.ndarray) -> list[tuple[int, int]]:
    """Where the parts of a line around these pieces begin and end, without what they leave free: px."""
    hull = np.concatenate([pieces[:, :2].min(0), pieces[:, 2:].max(0)])
    parts = part_sizes([TextLine.boxed(hull)], pieces)
    return [(round(part.hull[0] + 3), round(part.hull[2] - 3)) for part in parts]


NUMBER, UNIT, GAP = [(60, 36)] * 3, [(24, 16)] * 2, [(0, 10)]


def test_a_large_number_and_its_small_unit_are_two_lines_each_as_high_as_its_ink() -> None:
    pieces = row(*NUMBER, *GAP, *UNIT)
    number, unit = part_sizes([TextLine.boxed(np.array([18, 38, 220, 102]))], pieces)
    assert number.hull[2] < unit.hull[0]
    assert (number.height, unit.height) == (60, 24)
    assert unit.hull[1] > FOOT - 30


def test_small_print_before_and_behind_a_number_is_parted_from_it() -> None:
    assert len(widths(row(*UNIT, *GAP, *NUMBER, *GAP, *UNIT))) == 3


@pytest.mark.parametrize(
    "characters",
    [
        [*[(60, 36)] * 3, *GAP, *[(40, 30)] * 4],  # capitals and small letters
        [*[(60, 58)] * 3, *GAP, *[(27, 25)] * 4],  # hanzi and small letters
        [*NUMBER, *GAP, (24, 16)],  # a single character
        [*NUMBER, *GAP, *[(10, 10)] * 3],  # dots that lead to a price
        [*NUMBER, *GAP, *[(6, 40)] * 2],  # dashes, or 一
        [(60, 36)] * 6,
    ],
)
def test_ordinary_lines_stay_whole(characters: list[tuple[int, int]]) -> None:
    assert len(widths(row(*characters))) == 1


def test_superscripts_stay_with_their_line() -> None:
    pieces = row(*NUMBER, *GAP, *UNIT)
    pieces[-2:, [1, 3]] -= 36
    assert len(widths(pieces)) == 1


def test_what_stands_on_one_foot_is_read_from_left_to_right() -> None:
    boxes = [[100, 40, 240, 100], [20, 76, 80, 102], [260, 76, 300, 106], [20, 130, 240, 150]]
    lines = [TextLine.boxed(np.array(box)) for box in boxes]
    assert reading_order.order_lines(lines) == [1, 0, 2, 3]
