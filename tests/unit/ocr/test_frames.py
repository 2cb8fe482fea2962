from __future__ import annotations

import numpy as np

from models.charset import BLANK
from models.frames import Frames

HEARD = Frames(6, np.array([1, 4]), np.array([[0.0, 5.0, 1.0], [0.0, 1.0, 7.0]], np.float32))


def test_frames_that_are_not_heard_are_blank() -> None:
    dense = HEARD.dense()
    assert dense.shape == (6, 3)
    assert dense.argmax(1).tolist() == [BLANK, 1, BLANK, BLANK, 2, BLANK]
    np.testing.assert_array_equal(dense[4], HEARD.logits[1])


def test_a_part_counts_its_frames_anew() -> None:
    part = HEARD.part(slice(2, 5))
    assert (part.count, part.heard.tolist()) == (3, [2])
    np.testing.assert_array_equal(part.dense(), HEARD.dense()[2:5])
    assert HEARD.part(slice(2, 4)).dense().argmax(1).tolist() == [BLANK, BLANK]
    assert HEARD.part(slice(2)).count == 2


def test_a_line_of_which_nothing_is_heard_has_frames_all_the_same() -> None:
    silent = Frames(3, np.zeros(0, np.int64), np.zeros((0, 3), np.float32))
    assert silent.dense().argmax(1).tolist() == [BLANK] * 3


def test_all_frames_of_plain_logits_are_heard() -> None:
    logits = np.arange(12, dtype=np.float32).reshape(4, 3)
    np.testing.assert_array_equal(Frames.of(logits).dense(), logits)
    np.testing.assert_array_equal(Frames.of(logits).at(np.array([3, 1])), logits[[3, 1]])
