"""Fitting the calibration: needs nothing of the training but its code."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
from models.calibration import Line, logit
from models.training.calibrate import Characters, are_right, calibrate, fit


def drawn(line: Line, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and whether each came true at the rate that `line` says."""
    random = np.random.default_rng(seed)
    probabilities = random.uniform(0.02, 0.999, count)
    rate = 1 / (1 + np.exp(-(line.slope * logit(probabilities) + line.offset)))
    return probabilities, random.random(count) < rate


def test_the_fit_finds_the_line_that_the_truth_was_drawn_from() -> None:
    found = fit(*drawn(Line(1.3, 0.8), 40_000, 1))
    assert (found.slope, found.offset) == (pytest.approx(1.3, abs=0.06), pytest.approx(0.8, abs=0.06))


def test_chinese_and_other_characters_are_fitted_apart() -> None:
    chinese, other = drawn(Line(1.2, 1.0), 20_000, 2), drawn(Line(0.8, -0.5), 20_000, 3)
    both = [np.concatenate(pair) for pair in zip(chinese, other, strict=True)]
    found = calibrate(Characters("中" * 20_000 + "a" * 20_000, *both))
    assert found.chinese.offset == pytest.approx(1.0, abs=0.1)
    assert found.other.offset == pytest.approx(-0.5, abs=0.1)


@pytest.mark.parametrize(
    ("guess", "truth", "right"),
    [
        ("total", "TOTAL", "11111"),
        ("tota1", "total", "11110"),
        ("xtotal", "total", "011111"),
        ("tal", "total", "111"),
        ("", "total", ""),
        ("x", "", "0"),
    ],
)
def test_a_character_is_right_where_it_stands_opposite_its_like(guess: str, truth: str, right: str) -> None:
    assert "".join(str(int(one)) for one in are_right(guess, truth)) == right
