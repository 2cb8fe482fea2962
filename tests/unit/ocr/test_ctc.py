from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.charset import Charset
from models.frames import Frames
from shared.result import mean_confidence
from worker.ocr.text import ctc

CHARSET = Charset(["a", "b", " ", "中"])


def logits_of(labels: list[int], height: float = 5.0) -> np.ndarray:
    logits = np.zeros((len(labels), len(CHARSET)), np.float32)
    logits[np.arange(len(labels)), labels] = height
    return logits


def read(labels: list[int]) -> str:
    return "".join(peak.text for peak in ctc.decode(ctc.best_path(Frames.of(logits_of(labels))), CHARSET))


def test_repeats_merge_and_a_blank_parts_doubled_letters() -> None:
    assert read([1, 1, 0, 1, 2, 2]) == "aab"


def test_only_blanks_read_as_nothing() -> None:
    assert read([0, 0, 0]) == ""


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_never_read_as_nothing(value: float) -> None:
    logits = logits_of([0, 1, 0])
    logits[1, 4] = value
    with pytest.raises(ArithmeticError, match="not finite"):
        ctc.best_path(Frames.of(logits))


def test_no_frames_read_as_nothing() -> None:
    assert ctc.decode(ctc.best_path(Frames.of(np.zeros((0, len(CHARSET)), np.float32))), CHARSET) == []


def test_a_space_between_letters_stays_and_one_beside_a_hanzi_goes() -> None:
    assert read([1, 3, 2, 3, 4]) == "a b中"


def test_spaces_at_the_ends_go() -> None:
    assert read([3, 1, 3]) == "a"


def test_a_character_spans_the_frames_of_its_run() -> None:
    (first, second) = ctc.decode(ctc.best_path(Frames.of(logits_of([0, 1, 1, 0, 2]))), CHARSET)
    assert (first.first, first.last) == (1, 2)
    assert (second.first, second.last) == (4, 4)


def test_confidence_is_the_softmax_probability_at_the_peak_frame() -> None:
    logits = logits_of([0, 1, 1, 0])
    logits[2, 1] = 7.0
    (peak,) = ctc.decode(ctc.best_path(Frames.of(logits)), CHARSET)
    expected = np.exp(7.0) / (np.exp(7.0) + len(CHARSET) - 1)
    assert peak.confidence == pytest.approx(expected, rel=1e-5)


def test_confidence_survives_large_logits() -> None:
    (peak,) = ctc.decode(ctc.best_path(Frames.of(logits_of([1], height=2000.0))), CHARSET)
    assert peak.confidence == 1.0


def test_no_characters_have_no_confidence() -> None:
    assert mean_confidence([]) is None


def test_mean_confidence_weighs_every_character_alike() -> None:
    assert mean_confidence([1.0, 0.5, 0.0]) == 0.5


def test_joined_paths_read_like_one_line() -> None:
    whole = logits_of([1, 0, 2, 4])
    joined = ctc.join_paths([ctc.best_path(Frames.of(whole[:2])), ctc.best_path(Frames.of(whole[2:]))])
    assert [p.text for p in ctc.decode(joined, CHARSET)] == ["a", "b", "中"]


@given(st.lists(st.integers(0, 4), max_size=30), st.floats(-20, 20))
def test_confidences_lie_between_zero_and_one_and_runs_do_not_overlap(labels: list[int], height: float) -> None:
    peaks = ctc.decode(ctc.best_path(Frames.of(logits_of(labels, height))), CHARSET)
    assert all(0.0 < peak.confidence <= 1.0 for peak in peaks)
    assert all(a.last < b.first for a, b in itertools.pairwise(peaks))
