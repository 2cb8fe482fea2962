from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.line_image import HEIGHT, MINIMUM_WIDTH, TIME_STRIDE, prepare


@given(st.integers(1, 90), st.integers(1, 700))
def test_a_line_of_any_size_gets_the_stated_shape(rows: int, columns: int) -> None:
    line = prepare(np.random.default_rng(1).integers(0, 256, (rows, columns), np.uint8))
    width = max(MINIMUM_WIDTH, -(-max(1, round(columns * HEIGHT / rows)) // TIME_STRIDE) * TIME_STRIDE)
    assert (line.shape, line.dtype) == ((1, HEIGHT, width), np.float32)


def test_brightness_and_contrast_fall_out() -> None:
    scan = np.random.default_rng(2).integers(0, 256, (32, 200), np.uint8).astype(np.float32)
    dim = (scan * 0.5 + 60).astype(np.uint8)
    assert np.abs(prepare(scan.astype(np.uint8)) - prepare(dim)).mean() < 0.1


@pytest.mark.parametrize("value", [0, 127, 255])
def test_a_blank_line_stays_near_zero(value: int) -> None:
    assert np.abs(prepare(np.full((40, 100), value, np.uint8))).max() < 1e-3
