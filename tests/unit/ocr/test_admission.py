from __future__ import annotations

from typing import Any, get_args

import cv2
import numpy as np
import pytest
from PIL import Image

from api.jobs import schemas
from shared.errors import QualityTooLow
from shared.result import DocumentResult
from tests.images import saved_together
from worker.ocr.decode.pages import MOVES
from worker.ocr.page import admission
from worker.ocr.page.admission import Admission
from worker.ocr.pipeline import Options, recognize_document

ROWS = [("The quick brown fox jumps over it", 60, 80 + 60 * row) for row in range(8)]


def read(content: bytes, recognizer: Any, policy: Admission = "warn", layout: Any = "page") -> DocumentResult:
    return recognize_document(content, recognizer, Options(layout=layout, admission=policy))


def codes(document: DocumentResult) -> list[str]:
    return [reason.code for page in document.pages for reason in page.warnings]


def grain(page: np.ndarray, deviation: float) -> np.ndarray:
    noise = np.random.default_rng(7).normal(0, deviation, page.shape)
    return np.clip(page + noise, 0, 255).astype(np.uint8)


def paper(grey: int) -> np.ndarray:
    return grain(np.full((600, 800), grey, np.uint8), 3)


def poor(kind: str, draw: Any) -> np.ndarray:
    """A page that has one fault, badly."""
    page = draw(*ROWS)
    if kind == "text_too_small":
        return np.asarray(cv2.resize(page, None, fx=0.15, fy=0.15, interpolation=cv2.INTER_AREA))
    if kind == "low_contrast":
        return grain(draw(*ROWS, ink=231, paper=255), 1)
    return np.asarray(cv2.GaussianBlur(page, (0, 0), 6.5))


def test_a_good_page_has_no_warnings(recognizer: Any, encode: Any, draw: Any) -> None:
    assert codes(read(encode(draw(*ROWS)), recognizer, "refuse")) == []


@pytest.mark.parametrize("kind", ["text_too_small", "low_contrast", "blurred"])
def test_a_poor_page_is_read_with_a_warning(kind: str, recognizer: Any, encode: Any, draw: Any) -> None:
    assert kind in codes(read(encode(poor(kind, draw)), recognizer))


@pytest.mark.parametrize("kind", ["text_too_small", "blurred"])
def test_a_very_poor_page_is_refused_before_it_is_read(kind: str, recognizer: Any, encode: Any, draw: Any) -> None:
    with pytest.raises(QualityTooLow) as caught:
        read(encode(poor(kind, draw)), recognizer, "refuse")
    assert kind in {reason["code"] for reason in caught.value.details["reasons"]}
    assert recognizer.batch_shapes == []


def test_a_very_faint_line_is_refused(recognizer: Any, encode: Any, draw: Any) -> None:
    line = draw(("faint", 4, 24), size=(30, 100), ink=247, paper=255)
    with pytest.raises(QualityTooLow, match="faint"):
        read(encode(line), recognizer, "refuse", "line")


def test_a_slightly_poor_page_is_warned_about_and_never_refused(recognizer: Any, encode: Any, draw: Any) -> None:
    page = cv2.resize(draw(*ROWS), None, fx=0.45, fy=0.45, interpolation=cv2.INTER_AREA)
    assert codes(read(encode(page), recognizer, "refuse")) == ["text_too_small"]


def test_whoever_wants_no_judgement_gets_none(recognizer: Any, encode: Any, draw: Any) -> None:
    page = read(encode(poor("blurred", draw)), recognizer, "off").pages[0]
    assert page.warnings == ()
    assert page.quality["softness"] is not None


@pytest.mark.parametrize(("grey", "code"), [(240, "blank_page"), (10, "black_page")])
def test_an_empty_page_succeeds_and_says_so(grey: int, code: str, recognizer: Any, encode: Any) -> None:
    result = read(encode(paper(grey)), recognizer)
    assert (result.text, codes(result)) == ("", [code])


@pytest.mark.parametrize("grey", [240, 10])
def test_an_empty_document_is_refused(grey: int, recognizer: Any, encode: Any) -> None:
    with pytest.raises(QualityTooLow):
        read(encode(paper(grey)), recognizer, "refuse")


def test_the_empty_back_of_a_sheet_does_not_refuse_its_front(recognizer: Any, draw: Any) -> None:
    content = saved_together(Image.fromarray(paper(240)), Image.fromarray(draw(*ROWS)))
    result = read(content, recognizer, "refuse")
    assert codes(result) == ["blank_page"]
    assert result.text


def test_a_page_too_faint_to_be_searched_is_not_called_empty(recognizer: Any, encode: Any, draw: Any) -> None:
    faint = grain(draw(*ROWS, ink=241, paper=250), 2)
    assert codes(read(encode(faint), recognizer)) == ["low_contrast"]


def test_a_low_image_is_told_so(recognizer: Any, encode: Any, draw: Any) -> None:
    low = draw(("low", 2, 10), size=(12, 60), scale=0.4)
    assert "low_resolution" in codes(read(encode(low), recognizer, layout="line"))


@pytest.mark.parametrize("window", [(70, 0, 800, 600), (0, 68, 800, 600), (0, 0, 510, 600), (0, 0, 800, 495)])
def test_writing_that_touches_the_border_is_cut_off_and_is_read(
    window: tuple[int, int, int, int], recognizer: Any, encode: Any, draw: Any
) -> None:
    left, top, right, bottom = window
    content = encode(draw(*ROWS)[top:bottom, left:right])
    (reason,) = read(content, recognizer, "refuse").pages[0].warnings
    assert reason.code == "cut_off"
    assert reason.value >= 1


def test_a_line_image_is_tight_by_nature_and_not_cut_off(recognizer: Any, encode: Any, draw: Any) -> None:
    page = draw(("tight", 0, 24), size=(30, 90))
    assert "cut_off" not in codes(read(encode(page), recognizer, layout="line"))


def test_a_reason_is_told_with_its_measure_and_the_limit(recognizer: Any, encode: Any, draw: Any) -> None:
    line = draw(("faint", 4, 24), size=(30, 100), ink=235, paper=255)
    (reason,) = read(encode(line), recognizer, layout="line").to_json()["pages"][0]["warnings"]
    assert list(reason) == ["code", "measure", "value", "threshold", "message"]
    assert (reason["measure"], reason["value"], reason["threshold"]) == ("text_contrast", 20.0, 30)


def test_the_api_names_the_same_codes() -> None:
    rules = (*admission.PAGE_RULES, *admission.WRITING_RULES, admission.FAINT, admission.BLANK, admission.DARK)
    rules += (*admission.READING_RULES, admission.UNREAD, admission.CUT_OFF)
    named = get_args(schemas.QualityWarning.model_fields["code"].annotation)
    assert set(named) == {rule.code for rule in rules} | {MOVES.code, "hidden_text", "damaged_image"}
