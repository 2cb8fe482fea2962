from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.ocr.text.ctc import Peak
from worker.ocr.text.words import place_characters, slice_polygon, split_words

LINE = np.array([[100.0, 10.0], [200.0, 10.0], [200.0, 30.0], [100.0, 30.0]])


def peaks(text: str, step: int = 4) -> list[Peak]:
    return [Peak(character, 0.5 + 0.1 * (i % 5), step * i + 1, step * i + 2) for i, character in enumerate(text)]


def test_cells_meet_half_way_between_two_characters() -> None:
    a, b = place_characters([Peak("a", 1.0, 1, 2), Peak("b", 1.0, 7, 8)], 10)
    assert (a.start, a.end, b.start, b.end) == (0.0, 0.5, 0.5, 1.0)


def test_cells_of_a_line_cover_it_from_end_to_end() -> None:
    characters = place_characters(peaks("abcdef"), 24)
    assert characters[0].start == 0.0
    assert characters[-1].end == 1.0
    assert all(a.end == b.start for a, b in itertools.pairwise(characters))


def test_nothing_read_has_no_characters() -> None:
    assert place_characters([], 7.5) == []


def test_english_words_part_at_spaces() -> None:
    assert [w.text for w in split_words(place_characters(peaks("to be, or"), 36), LINE)] == ["to", "be,", "or"]


def test_each_hanzi_is_a_word_and_latin_beside_it_stays_whole() -> None:
    assert [w.text for w in split_words(place_characters(peaks("用Python写"), 32), LINE)] == ["用", "Python", "写"]


def test_a_words_confidence_is_the_mean_of_its_characters() -> None:
    characters = place_characters([Peak("a", 0.4, 0, 0), Peak("b", 0.8, 4, 4)], 8)
    (word,) = split_words(characters, LINE)
    assert word.confidence == pytest.approx(0.6)


def test_a_word_lies_where_its_frames_were() -> None:
    characters = place_characters([Peak("a", 1.0, 0, 1), Peak(" ", 1.0, 4, 5), Peak("b", 1.0, 8, 9)], 10)
    first, second = split_words(characters, LINE)
    assert first.polygon == ((100.0, 10.0), (130.0, 10.0), (130.0, 30.0), (100.0, 30.0))
    assert second.polygon == ((170.0, 10.0), (200.0, 10.0), (200.0, 30.0), (170.0, 30.0))


@given(st.floats(0, 1), st.floats(0, 1), st.floats(-30, 30))
def test_a_slice_stays_within_its_line(one: float, other: float, rise: float) -> None:
    line = LINE + np.array([[0, 0], [0, rise], [0, rise], [0, 0]])
    (part,) = slice_polygon(line, np.array([min(one, other)]), np.array([max(one, other)]))
    assert (part[:, 0] >= 100.0 - 1e-9).all()
    assert (part[:, 0] <= 200.0 + 1e-9).all()
    assert part[3, 1] - part[0, 1] == pytest.approx(20.0)


@given(st.text("ab 中，", min_size=1, max_size=20), st.floats(1, 200))
def test_words_hold_every_character_but_spaces(text: str, frame_count: float) -> None:
    words = split_words(place_characters(peaks(text), frame_count), LINE)
    assert "".join(word.text for word in words) == text.replace(" ", "")
