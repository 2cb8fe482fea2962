from __future__ import annotations

import numpy as np
import pytest

from models.frames import Frames
from worker.ocr.text import ctc, one_by_one

RANDOM = np.random.default_rng(7)


def line(width: int) -> np.ndarray:
    return RANDOM.standard_normal((1, 32, width)).astype(np.float32)


class Reverberant:
    """Every frame depends on the whole padded line, as in a bidirectional LSTM."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def frames(self, batch: np.ndarray) -> list[Frames]:
        self.shapes.append(batch.shape)
        columns = batch[:, 0].reshape(len(batch), 32, -1, 4).mean(axis=3).transpose(0, 2, 1)
        return [Frames.of(line) for line in columns + batch.shape[3] / 1000 * columns[:, ::-1]]


def test_a_line_reads_the_same_alone_as_in_any_batch() -> None:
    lines = [line(width) for width in (8, 32, 60, 64, 36, 500, 1600, 64)]
    together = one_by_one.recognise_lines(lines, Reverberant())
    for one, path in zip(lines, together, strict=True):
        (alone,) = one_by_one.recognise_lines([one], Reverberant())
        np.testing.assert_array_equal(alone.labels, path.labels)
        np.testing.assert_array_equal(alone.confidences, path.confidences)


def test_a_path_has_one_label_for_each_frame_of_its_own_line() -> None:
    paths = one_by_one.recognise_lines([line(8), line(100), line(4000)], Reverberant())
    assert [len(path.labels) for path in paths] == [2, 25, 1000]


def test_lines_are_padded_to_the_next_multiple_of_32_only() -> None:
    recognizer = Reverberant()
    one_by_one.recognise_lines([line(8), line(100), line(33), line(64)], recognizer)
    assert sorted(recognizer.shapes) == [(1, 1, 32, 32), (1, 1, 32, 64), (1, 1, 32, 64), (1, 1, 32, 128)]


def test_each_line_is_read_by_itself_and_none_is_too_wide() -> None:
    recognizer = Reverberant()
    one_by_one.recognise_lines([line(64) for _ in range(40)] + [line(1600) for _ in range(5)], recognizer)
    assert all(n == 1 and w <= one_by_one.LONGEST + one_by_one.CONTEXT for n, _, _, w in recognizer.shapes)
    assert len(recognizer.shapes) == 45


def test_padding_is_zero_and_on_the_right() -> None:
    original = line(36)
    padded = one_by_one.pad(original)
    np.testing.assert_array_equal(padded[:, :, :36], original)
    assert padded.shape == (1, 32, 64)
    assert not padded[:, :, 36:].any()


def test_a_long_line_is_cut_in_a_gap_and_nothing_is_lost() -> None:
    long = line(3000)
    long[:, :, 1400:1440] = 1.0
    pieces = one_by_one.split_long(long)
    np.testing.assert_array_equal(np.concatenate(pieces, axis=2), long)
    assert 1400 <= pieces[0].shape[2] <= 1440
    assert all(piece.shape[2] <= one_by_one.LONGEST and piece.shape[2] % 4 == 0 for piece in pieces)


def test_a_long_line_without_any_gap_is_cut_all_the_same() -> None:
    pieces = one_by_one.split_long(np.ones((1, 32, 10_000), np.float32))
    assert sum(piece.shape[2] for piece in pieces) == 10_000
    assert all(0 < piece.shape[2] <= one_by_one.LONGEST for piece in pieces)


def test_a_short_line_is_left_whole() -> None:
    assert len(one_by_one.split_long(line(1600))) == 1


def test_no_lines_need_no_recogniser() -> None:
    recognizer = Reverberant()
    assert one_by_one.recognise_lines([], recognizer) == []
    assert recognizer.shapes == []


def test_the_checkpoint_can_stop_the_work_between_batches() -> None:
    recognizer = Reverberant()

    def lost_lease() -> None:
        if recognizer.shapes:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        one_by_one.recognise_lines([line(32), line(64), line(96)], recognizer, lost_lease)
    assert len(recognizer.shapes) == 1


def test_a_path_holds_labels_and_confidences_of_equal_length() -> None:
    (path,) = one_by_one.recognise_lines([line(40)], Reverberant())
    assert isinstance(path, ctc.BestPath)
    assert path.labels.shape == path.confidences.shape == (10,)
    assert path.labels.dtype == np.int32
    assert path.confidences.dtype == np.float32


class SpaceBetweenInk:
    """Label 1 where there is ink, label 2 in the middle of a gap that has ink on both sides, as a model does."""

    def frames(self, batch: np.ndarray) -> list[Frames]:
        ink = (batch[:, 0].max(axis=1) > 0).reshape(len(batch), -1, 4).any(axis=2)
        labels = ink.astype(np.int64)
        for row, marks in zip(labels, ink, strict=True):
            at = np.flatnonzero(marks)
            gaps = np.flatnonzero(np.diff(at) > 3)
            row[(at[gaps] + at[gaps + 1]) // 2] = 2
        return [Frames.of(line) for line in np.eye(3, dtype=np.float32)[labels] * 9]


@pytest.mark.parametrize("word", [60, 100, 172, 340])
@pytest.mark.parametrize("gap", [16, 20, 28, 60])
def test_a_long_line_keeps_the_space_at_which_it_is_cut(word: int, gap: int) -> None:
    width = 4000 // (word + gap) * (word + gap) + word // 4 * 4
    columns = np.arange(width // 4 * 4) % (word + gap) < word
    long = np.where(columns, 1.0, -1.0).astype(np.float32) * np.ones((1, 32, 1), np.float32)
    long[:, :16] = -1.0
    (path,) = one_by_one.recognise_lines([long], SpaceBetweenInk())
    (whole,) = SpaceBetweenInk().frames(long[None])
    np.testing.assert_array_equal(path.labels, whole.logits.argmax(axis=1))
