from __future__ import annotations

import numpy as np

from worker.ocr.lines.dashes import are_dashes


def row(*widths: int, tall: int = 4) -> np.ndarray:
    starts = np.cumsum([0, *(width + 6 for width in widths[:-1])])
    return np.array([[x, 10, x + wide, 10 + tall] for x, wide in zip(starts, widths, strict=True)], np.int32)


def test_a_row_of_flat_pieces_alike_is_a_rule() -> None:
    assert are_dashes(row(*[9, 10, 10, 11, 9, 10]))


def test_letters_are_not() -> None:
    assert not are_dashes(row(7, 9, 4, 8, 9, 3, tall=10))
    assert not are_dashes(row(20, 8, 35, 14, 9, tall=8))  # letters that run together


def test_a_few_minus_signs_are_not() -> None:
    assert not are_dashes(row(10, 10, 10))
