from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calibration import IDENTITY, Calibration, Line
from models.card import ModelCard, ModelFileError
from models.charset import Charset

MINE = Calibration(chinese=Line(1.2, 1.1), other=Line(1.0, 0.25))
METADATA = {"character": "a\nb"}


def test_nothing_fitted_leaves_probabilities_as_they_are() -> None:
    np.testing.assert_array_equal(IDENTITY.apply("ab", np.array([1.0, 0.3], np.float32)), np.float32([1.0, 0.3]))


def test_each_kind_of_character_has_its_own_line() -> None:
    chinese, other = MINE.apply("中a", np.array([0.5, 0.5], np.float32))
    assert chinese == pytest.approx(1 / (1 + np.exp(-1.1)))
    assert other == pytest.approx(1 / (1 + np.exp(-0.25)))


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_a_calibration_keeps_the_order_and_the_range(probabilities: list[float]) -> None:
    ordered = np.array(sorted(probabilities), np.float32)
    found = MINE.apply("中" * len(ordered), ordered)
    assert (np.diff(found) >= 0).all() and found[0] > 0 and found[-1] < 1


@pytest.mark.parametrize("slope", [0.0, -1.0, float("nan"), float("inf")])
def test_a_line_that_does_not_rise_is_refused(slope: float) -> None:
    with pytest.raises(ValueError, match="rises"):
        Line(slope, 0.0)


def test_the_calibration_travels_in_the_card() -> None:
    card = ModelCard("m", "1", "", Charset(["a", "b"]), calibration=MINE)
    assert ModelCard.from_metadata(card.to_metadata(), "m", "").calibration == MINE


def test_a_card_without_a_calibration_has_the_identity() -> None:
    assert ModelCard.from_metadata(METADATA, "m", "").calibration == IDENTITY


@pytest.mark.parametrize("text", ["no json", "[]", '{"greek": {}}', '{"other": {"slope": -1}}'])
def test_a_card_with_a_broken_calibration_is_refused(text: str) -> None:
    with pytest.raises(ModelFileError, match="calibration"):
        ModelCard.from_metadata({**METADATA, "calibration": text}, "m", "")
