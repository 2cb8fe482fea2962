from __future__ import annotations

import json

import pytest

from shared.result import Character, DocumentResult, Line, ModelName, Page, Word, as_polygon

BOX = as_polygon([(1, 2), (11, 2), (11, 8), (1, 8)])
MODEL = ModelName("crnn", "1", "ab" * 32)


def line(text: str, *confidences: float) -> Line:
    characters = tuple(Character(c, v, 0.0, 1.0) for c, v in zip(text, confidences, strict=True))
    return Line(text, text, BOX, characters, (Word(text, 0.5, BOX),))


def page(*lines: Line, number: int = 1) -> Page:
    return Page(number, 100, 50, -1.239, {"contrast": 200.0}, lines)


def test_the_result_has_exactly_the_fields_of_the_contract() -> None:
    result = DocumentResult(MODEL, (page(line("ab", 0.9, 0.7)),)).to_json()
    assert list(result) == ["text", "confidence", "min_confidence", "model", "pages"]
    assert result["model"] == {"name": "crnn", "version": "1", "sha256": "ab" * 32}
    (only,) = result["pages"]
    assert list(only) == ["page_number", "width", "height", "angle", "source", "quality", "warnings", "lines"]
    assert only["angle"] == -1.24
    assert only["lines"] == [
        {
            "text": "ab",
            "raw_text": "ab",
            "confidence": 0.8,
            "polygon": [[1.0, 2.0], [11.0, 2.0], [11.0, 8.0], [1.0, 8.0]],
            "words": [{"text": "ab", "confidence": 0.5, "polygon": [[1.0, 2.0], [11.0, 2.0], [11.0, 8.0], [1.0, 8.0]]}],
            "edits": [],
        }
    ]
    json.dumps(result)


def test_confidence_is_the_mean_over_characters_and_the_minimum_is_over_lines() -> None:
    result = DocumentResult(MODEL, (page(line("abc", 1.0, 1.0, 1.0), line("d", 0.2)),))
    assert result.confidence == pytest.approx(0.8)
    assert result.min_confidence == pytest.approx(0.2)


def test_a_document_without_text_has_empty_text_and_no_confidence() -> None:
    result = DocumentResult(MODEL, (page(),)).to_json()
    assert (result["text"], result["confidence"], result["min_confidence"]) == ("", None, None)


def test_lines_and_pages_are_parted_by_line_breaks() -> None:
    pages = (page(line("a", 1.0), line("b", 1.0)), page(number=2), page(line("c", 1.0), number=3))
    assert DocumentResult(MODEL, pages).text == "a\nb\n\nc"


def test_a_polygon_that_runs_the_wrong_way_is_refused() -> None:
    with pytest.raises(ValueError, match="clockwise"):
        Word("a", 0.5, (BOX[0], BOX[3], BOX[2], BOX[1]))


def test_a_polygon_that_lies_nowhere_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        Word("a", 0.5, as_polygon([(0, 0), (float("nan"), 0), (1, 1), (0, 1)]))


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan")])
def test_an_impossible_confidence_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        Character("a", confidence, 0.0, 1.0)


@pytest.mark.parametrize("cell", [(-0.1, 0.5), (0.6, 0.5), (0.5, 1.1)])
def test_a_character_outside_its_line_is_refused(cell: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="within its line"):
        Character("a", 0.5, *cell)


def test_pages_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="from 1"):
        page(number=0)


def test_an_empty_line_is_no_line() -> None:
    with pytest.raises(ValueError, match="at least one character"):
        line("")


def test_a_page_without_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="pixel"):
        Page(1, 0, 5, 0.0, {}, ())
