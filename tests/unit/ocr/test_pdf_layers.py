"""Text layers that do not say what is seen, and what is seen beside them: read with the shipped model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import models
from models import detector
from models.recognizer import Recognizer
from shared.result import DocumentResult
from tests.pdfs import PdfPage, pdf, picture, scan, stream, text
from worker.ocr.pipeline import Options, recognize_document

ENGLISH = Image.open(Path(__file__).parents[3] / "docs" / "samples" / "line-english.png").convert("RGB")
BODY = ("Invoice 4711 of November", "Green tea, two boxes of fifty", "Total to be paid: 17.50", "Thank you for coming")
BORN = b"".join(text(line, 72, 700 - 20 * number) for number, line in enumerate(BODY))


@pytest.fixture(scope="module")
def shipped() -> Recognizer:
    return models.load("", threads=1)


def read(content: bytes, recognizer: Recognizer, options: Options | None = None) -> DocumentResult:
    return recognize_document(content, recognizer, options, detector=detector.load(threads=1))


def test_writing_in_a_small_picture_is_read_beside_the_layer(shipped: Recognizer) -> None:
    wide, high = 300, 300 * ENGLISH.height / ENGLISH.width
    content = pdf([PdfPage(BORN + picture("Im", 72, 400, wide, high), images={"Im": ENGLISH})])
    (alone,) = read(_line(), shipped, Options(layout="line")).pages
    (page,) = read(content, shipped).pages
    assert page.source == "text_layer" and [line.text for line in page.lines[:4]] == [*BODY]
    (seen,) = page.recognised_lines
    assert seen.text == alone.lines[0].text and seen.source == "recognition"
    left, top = np.array(seen.polygon).min(axis=0) * 72 / (page.quality["dpi"] or 0)
    assert 70 < left < 372 and 842 - 400 - high - 2 < top < 842 - 400


def _line() -> bytes:
    return (Path(__file__).parents[3] / "docs" / "samples" / "line-english.png").read_bytes()


def shifted() -> bytes:
    """A font whose map to Unicode says the next letter of the alphabet for each one."""
    letters = "".join(f"<{code:02X}> <{code + 1:04X}>\n" for code in range(0x41, 0x7A))
    table = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
        "1 begincodespacerange <00> <FF> endcodespacerange\n"
        f"{0x7A - 0x41} beginbfchar\n{letters}endbfchar endcmap end end\n"
    )
    return stream(table.encode())


def test_a_layer_whose_letters_are_others_than_those_that_are_seen_is_read_anew(shipped: Recognizer) -> None:
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding/ToUnicode 4 0 R>>"
    content = pdf([PdfPage(BORN.replace(b"/F1", b"/F2"), more=b"")], objects=[shifted(), font])
    content = content.replace(b"/Font<</F1 3 0 R>>", b"/Font<</F2 5 0 R>>")
    (page,) = read(content, shipped).pages
    assert page.source == "recognition"
    assert [line.text for line in page.lines] == [*BODY]


def test_one_lying_font_of_several_is_found(shipped: Recognizer) -> None:
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Times-Roman/Encoding/WinAnsiEncoding/ToUnicode 4 0 R>>"
    heading = text("The heading of the page", 72, 750, 18).replace(b"/F1", b"/F2")
    content = pdf([PdfPage(heading + BORN)], objects=[shifted(), font])
    content = content.replace(b"/Font<</F1 3 0 R>>", b"/Font<</F1 3 0 R/F2 5 0 R>>")
    (page,) = read(content, shipped).pages
    assert page.source == "recognition" and page.lines[0].text == "The heading of the page"


def test_an_honest_layer_stays_as_it_is(shipped: Recognizer) -> None:
    (page,) = read(pdf([PdfPage(BORN)]), shipped).pages
    assert page.source == "text_layer" and page.recognised_lines == () and page.warnings == ()
    assert [line.text for line in page.lines] == [*BODY]


MANY = b"".join(text(BODY[number % 4], 72, 700 - 20 * number) for number in range(24))
HIDDEN = {
    "under a black bar": text("Secret name", 72, 740) + b"0 0 0 rg 70 736 90 15 re f\n",
    "white on white": b"1 1 1 rg " + text("Secret name", 72, 740) + b"0 0 0 rg\n",
    "without ink": text("Secret name", 72, 740, mode=3),
    "beyond the page": text("Secret name", -300, 740),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_text_that_nobody_sees_is_left_out_and_the_page_says_so(shipped: Recognizer, name: str) -> None:
    hidden = HIDDEN[name]
    content = pdf([PdfPage((MANY + hidden) if "ink" in name or "beyond" in name else (hidden + MANY))])
    (page,) = read(content, shipped).pages
    assert page.source == "text_layer" and len(page.lines) == 24
    assert "Secret" not in page.text
    (warning,) = [reason for reason in page.warnings if reason.code == "hidden_text"]
    assert warning.value == 10 and len(warning.places) == 1


def test_a_word_of_a_line_under_a_bar_goes_and_the_rest_stays(shipped: Recognizer) -> None:
    line = text("Paid by Alexander yesterday", 72, 740)
    content = pdf([PdfPage(line + b"0 0 0 rg 117 736 59 15 re f\n" + MANY)])
    (page,) = read(content, shipped).pages
    assert "Alexander" not in page.text and "yesterday" in page.text and "Paid by" in page.text
    assert "hidden_text" in [reason.code for reason in page.warnings]


@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("pale", [0.97, 0.9])
def test_a_pale_line_of_a_short_page_that_hides_another_is_read_or_told(
    shipped: Recognizer, name: str, pale: float
) -> None:
    line = f"{pale} {pale} {pale} rg ".encode() + text("This one is pale and hard to see", 72, 600) + b"0 0 0 rg\n"
    (page,) = read(pdf([PdfPage(HIDDEN[name] + line + BORN)]), shipped).pages
    assert page.source == "recognition" and page.text.count("\n") >= 3
    (warning,) = [reason for reason in page.warnings if reason.code == "hidden_text"]
    if "pale" in page.text:
        assert warning.value == 10, "of what was read nothing is said"
    else:
        middles = [np.array(place).mean(axis=0) * 72 / (page.quality["dpi"] or 0) for place in warning.places]
        assert warning.value == 10 + 25 and any(abs(842 - 600 - y) < 12 and 72 < x < 300 for x, y in middles)


@pytest.mark.parametrize("under", [text("What an OCR has read", 20, 10, mode=3), text("What an OCR has read", 20, 10)])
def test_of_a_scan_nothing_is_said_about_the_text_beneath_it(shipped: Recognizer, under: bytes) -> None:
    (page,) = read(pdf([scan(ENGLISH, 150, under)]), shipped).pages
    assert page.source == "recognition" and page.lines
    assert "hidden_text" not in [reason.code for reason in page.warnings]
