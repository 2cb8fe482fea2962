"""The arithmetic of `tests.bench.endurance`, without a service."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.bench.endurance import LINES, slope, with_number


def test_a_slope_comes_with_its_error() -> None:
    assert slope([(x, 3 + 2 * x) for x in range(10)]) == pytest.approx((2, 0))
    steep, error = slope([(x, 5.0 + (-1) ** x) for x in range(100)])
    assert abs(steep) < 2 * error, "what goes up and down is flat"
    assert all(np.isnan(slope([(0, 1), (1, 2)])))


def test_the_same_image_in_other_bytes() -> None:
    first, second = with_number(LINES[0], 1), with_number(LINES[0], 2)
    assert len({first, second, LINES[0]}) == 3
    images = [np.array(Image.open(io.BytesIO(content))) for content in (first, second, LINES[0])]
    assert np.array_equal(images[0], images[2]) and np.array_equal(images[1], images[2])
