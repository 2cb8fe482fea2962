"""A PDF that was uploaded, given back searchable: its pages as they are, one text on each, at its place."""

from __future__ import annotations

import io
import shutil
import subprocess
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from api.formats import table
from shared import errors
from shared.result import Character, DocumentResult, Line, ModelName, Page, Word, as_polygon
from tests.pdfs import A4, PdfPage, encrypted, pdf, picture, text
from tests.unit.api.formats.documents import source_of, written
from worker.ocr.decode.layer.glyphs import read_glyphs
from worker.ocr.decode.layer.lines import to_lines

SAMPLES = Path(__file__).parents[3] / "samples"
OLD = text("Old words of an old OCR", 72, 300, mode=3)
GRAY = {"Im": Image.new("RGB", (100, 140), "lightgray")}


def scanned(more: bytes = b"") -> PdfPage:
    return PdfPage(OLD + b"2 0 0 2 0 0 cm\n" + picture("Im", 0, 0, A4[0] / 2, A4[1] / 2), images=GRAY, more=more)


def recognised(number: int, width: int, height: int) -> Page:
    box = as_polygon([(200, 400), (500, 400), (500, 440), (200, 440)])
    characters = tuple(Character(c, 0.9, i / 9, (i + 1) / 9) for i, c in enumerate("New words"))
    line = Line("New words", "New words", box, characters, (Word("New", 0.9, box),))
    return Page(number, width, height, 0.0, {}, (line,))


def made(content: bytes, *pages: Page) -> bytes:
    result = DocumentResult(ModelName("m", "1", "0" * 64), pages)
    return written(table.BY_NAME["pdf"], source_of(result, content, "application/pdf"))


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [b"", b"/CropBox[50 60 500 800]"])
def test_a_scan_gets_its_text_in_place_of_an_old_one_whatever_way_it_is_turned(turn: int, crop: bytes) -> None:
    content = pdf([scanned(b"/Rotate %d" % turn + crop)])
    wide, high = (450, 740) if crop else A4
    width, height = (2 * wide, 2 * high) if turn in (0, 180) else (2 * high, 2 * wide)
    file = made(content, recognised(1, width, height))
    with closing(pypdfium2.PdfDocument(file)) as document:
        page = document[0]
        textpage = page.get_textpage()
        assert textpage.get_text_range().split() == ["New", "words"]
        (line,) = to_lines(read_glyphs(page, textpage, width, height))
        assert np.abs(line.polygon[:, 0] - [200, 500, 500, 200]).max() < 8
        assert np.abs(line.polygon[:, 1].mean() - 420) < 12
        assert page.render().to_pil().convert("L").getpixel((200, 200)) < 250, "the picture is still there"


def test_a_page_from_its_layer_keeps_the_one_that_it_has() -> None:
    born = PdfPage(text("Invoice 4711", 72, 700))
    page = Page(2, 1000, 1400, 0.0, {}, recognised(2, 1000, 1400).lines, source="text_layer")
    with closing(pypdfium2.PdfDocument(made(pdf([scanned(), born]), page))) as document:
        assert len(document) == 1, "only the page that was chosen"
        assert document[0].get_textpage().get_text_range().strip() == "Invoice 4711"


@pytest.mark.parametrize("reader", ["pdfium", "poppler"])
def test_visible_text_of_a_page_that_was_recognised_is_seen_and_not_found_beside_the_new_one(
    reader: str, tmp_path: Path
) -> None:
    seen = text("Invoice 4711", 72, 700, 30) + b"q " + text("of November", 72, 600, 30) + b"Q\n"
    file = made(pdf([PdfPage(seen)]), recognised(1, 1190, 1684))
    with closing(pypdfium2.PdfDocument(file)) as document:
        ink = np.array(document[0].render().to_pil().convert("L"))[100:260]
        assert (ink < 128).sum() > 500, "it is still there"
        found = document[0].get_textpage().get_text_range()
    if reader == "poppler":
        if shutil.which("pdftotext") is None:
            pytest.skip("apt-get install poppler-utils")
        path = tmp_path / "page.pdf"
        path.write_bytes(file)
        found = subprocess.run(["pdftotext", path, "-"], capture_output=True, check=True, text=True).stdout
    assert found.split() == ["New", "words"]


def test_of_a_page_from_its_layer_only_lines_that_were_recognised_are_added() -> None:
    born = PdfPage(text("Invoice 4711", 72, 700))
    (seen,) = recognised(1, 1000, 1400).lines
    page = Page(
        1, 1000, 1400, 0.0, {}, (replace(seen, source="recognition"), replace(seen, text="Old")), (), "text_layer"
    )
    with closing(pypdfium2.PdfDocument(made(pdf([born]), page))) as document:
        assert document[0].get_textpage().get_text_range().split() == ["Invoice", "4711", "New", "words"]


def test_what_cannot_be_made_says_so() -> None:
    page = recognised(1, 1000, 1400)
    with pytest.raises(errors.BrokenDocument):
        made(b"%PDF-1.7\n", page)
    with pytest.raises(errors.BrokenDocument):
        made(pdf([scanned()]), recognised(7, 1000, 1400))
    with pytest.raises(errors.BrokenDocument):
        made(encrypted([scanned()]), page)
    result = DocumentResult(ModelName("m", "1", "0" * 64), (page,))
    with pytest.raises(errors.InvalidOption, match="pdfa"):
        written(table.BY_NAME["pdf"], source_of(result, pdf([scanned()]), "application/pdf", pdfa=True))


@pytest.mark.parametrize("kind", ["GIF", "JPEG2000", "AVIF", "HEIC"])
def test_each_picture_that_is_read_becomes_a_page(kind: str) -> None:
    file = io.BytesIO()
    if kind == "HEIC":
        content = (SAMPLES / "line.heic").read_bytes()
    else:
        Image.new("RGB", (926, 60), "white").save(file, kind)
        content = file.getvalue()
    result = DocumentResult(ModelName("m", "1", "0" * 64), (Page(1, 926, 60, 0.0, {}, ()),))
    media_type = {"GIF": "image/gif", "JPEG2000": "image/jp2", "AVIF": "image/avif", "HEIC": "image/heic"}[kind]
    made_of_it = written(table.BY_NAME["pdf"], source_of(result, content, media_type))
    with closing(pypdfium2.PdfDocument(made_of_it)) as document:
        assert len(document) == 1
