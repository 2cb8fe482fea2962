"""Where words and characters lie."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.formats.places import box_of, cells_of, part_of, words_of
from shared.result import Character, Line, as_polygon
from tests.unit.api.formats.documents import line

SQUARE = as_polygon([(0, 0), (100, 0), (100, 10), (0, 10)])


def test_stored_words_are_given_as_they_are_with_the_spaces_of_the_line() -> None:
    words = words_of(line("共3件 of AB", 10, 20))
    assert [(word.text, word.is_spaced) for word in words] == [
        ("共", False), ("3", False), ("件", False), ("of", True), ("AB", True),
    ]  # fmt: skip
    assert words[1].polygon == ((50.0, 20.0), (70.0, 20.0), (70.0, 60.0), (50.0, 60.0))


def test_a_line_without_words_is_divided_by_how_wide_characters_usually_are() -> None:
    bare = Line("中文ab 12", "", SQUARE, (), (), stored_confidence=0.5)
    words = words_of(bare)
    assert [(word.text, word.is_spaced, word.confidence) for word in words] == [
        ("中", False, 0.5), ("文", False, 0.5), ("ab", False, 0.5), ("12", True, 0.5),
    ]  # fmt: skip
    widths = [word.polygon[1][0] - word.polygon[0][0] for word in words]
    assert widths[0] == pytest.approx(2 * widths[2] / 2, abs=0.2) and words[-1].polygon[1] == (100.0, 0.0)


def test_words_that_do_not_spell_the_text_are_not_used() -> None:
    corrected = replace(line("a0c d", 0, 0), text="abc d")
    assert [word.text for word in words_of(corrected)] == ["abc", "d"]
    assert "".join(cell.text for cell in cells_of(corrected)) == "abc d"


def test_exact_places_of_characters_are_used_where_there_are_any() -> None:
    exact = tuple(Character(text, 1.0, start, end) for text, start, end in (("i", 0.0, 0.1), ("W", 0.2, 1.0)))
    assert [(cell.start, cell.end) for cell in cells_of(Line("iW", "iW", SQUARE, exact))] == [(0.0, 0.1), (0.2, 1.0)]


@given(st.text(alphabet="ab中 文i１,", min_size=1, max_size=12).filter(str.strip))
def test_characters_follow_one_another_over_the_whole_line(text: str) -> None:
    for found in (line(text, 5, 5), Line(text, text, SQUARE, (), (), stored_confidence=1.0)):
        cells = cells_of(found)
        assert "".join(cell.text for cell in cells).split() == text.split()
        assert all(a.end <= b.start + 1e-9 for a, b in pairwise(cells))
        assert cells[0].start >= -1e-6 and cells[-1].end <= 1 + 1e-6


def test_a_box_lies_within_its_page_and_is_never_empty() -> None:
    assert vars(box_of(as_polygon([(-3, 2.2), (9.5, 2), (9.5, 2), (-3, 2.2)]), 8, 8)) == {
        "left": 0, "top": 2, "right": 8, "bottom": 3,
    }  # fmt: skip
    assert box_of(as_polygon([(20, 20), (30, 20), (30, 30), (20, 30)]), 8, 8).width == 1


def test_a_part_of_a_line_is_cut_along_it() -> None:
    assert part_of(SQUARE, 0.25, 0.5) == ((25.0, 0.0), (50.0, 0.0), (50.0, 10.0), (25.0, 10.0))
