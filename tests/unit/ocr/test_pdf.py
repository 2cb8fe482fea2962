"""PDF: which resolution, which text, and what is refused before anything is rendered."""

from __future__ import annotations

import math
import resource
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

import models
from shared import errors
from shared.limits import Limits
from shared.uploads.header import DocumentHeader, inspect
from tests.pdfs import A4, PdfPage, encrypted, pdf, picture, scan, stream, text, written
from worker.ocr.decode import memory
from worker.ocr.decode.pages import DecodedPage, decode_pages
from worker.ocr.decode.pdf import LayerPage
from worker.ocr.pipeline import Options, recognize_document

ROOT = Path(__file__).parents[3]
SAMPLE = Image.open(ROOT / "docs" / "samples" / "page.png").convert("RGB")
LAYERS = ("auto", "ignore")
BORN = text("Invoice 4711 of November", 72, 700) + text("Total: 17,50 (paid)", 72, 680)


def pages_of(content: bytes, layer: Any = "auto", limits: Limits | None = None, **more: Any) -> list[Any]:
    return list(decode_pages(content, limits or Limits(), text_layer=layer, **more))


def only(content: bytes, layer: Any = "auto", limits: Limits | None = None) -> Any:
    (page,) = pages_of(content, layer, limits)
    return page


def test_the_header_of_a_pdf_says_its_pages_and_its_size_in_points() -> None:
    assert inspect(pdf([PdfPage(BORN)] * 3), Limits()) == DocumentHeader("application/pdf", *A4, page_count=3)


def test_a_pdf_behind_some_other_bytes_is_one() -> None:
    assert inspect(b"\xef\xbb\xbf\r\n" + pdf([PdfPage(BORN)]), Limits()).media_type == "application/pdf"


REFUSED = {
    "encrypted": (encrypted([PdfPage(BORN)]), errors.EncryptedDocument),
    "cut": (pdf([PdfPage(BORN)])[:60], errors.BrokenDocument),
    "only its magic": (b"%PDF-1.7\n", errors.BrokenDocument),
    "no pages": (pdf([]), errors.NoPages),
    "too many pages": (pdf([PdfPage(b"")] * 60), errors.TooManyPages),
    "20,000 points": (pdf([PdfPage(BORN, (20_000, 20_000))]), errors.TooManyPixels),
    "20,000 points on another page": (pdf([PdfPage(BORN), PdfPage(BORN, (20_000, 20_000))]), errors.TooManyPixels),
    "no width": (pdf([PdfPage(BORN, (0.0001, 100_000))]), errors.TooManyPixels),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_has_a_code_of_its_own(name: str) -> None:
    content, kind = REFUSED[name]
    with pytest.raises(kind):
        inspect(content, Limits(max_pages=50))
    with pytest.raises(kind):
        pages_of(content, limits=Limits(max_pages=50))


def test_of_many_pages_some_may_be_chosen() -> None:
    content = pdf([PdfPage(text(f"page {number}", 72, 700)) for number in range(1, 101)])
    with pytest.raises(errors.TooManyPages):
        inspect(content, Limits(max_pages=50))
    assert inspect(content, Limits(max_pages=50), "1-3,99").page_count == 100
    found = pages_of(content, pages="99,1-3,2", limits=Limits(max_pages=50))
    assert [(page.page_number, page.lines[0].text) for page in found] == [(n, f"page {n}") for n in (1, 2, 3, 99)]
    assert [page.page_number for page in pages_of(content, pages="1-3,99", done=(1, 3))] == [2, 99]


@pytest.mark.parametrize("wanted", ["4", "2-5", "3-2"])
def test_a_page_that_is_not_there_is_refused(wanted: str) -> None:
    with pytest.raises(errors.InvalidOption, match="pages"):
        inspect(pdf([PdfPage(BORN)] * 3), Limits(), wanted)


def test_a_page_that_was_born_digital_is_taken_from_its_layer() -> None:
    page = only(pdf([PdfPage(BORN)]))
    assert isinstance(page, LayerPage)
    assert [line.text for line in page.lines] == ["Invoice 4711 of November", "Total: 17,50 (paid)"]
    first = page.lines[0]
    left, top = first.polygon[0] * 72 / page.dpi
    assert abs(left - 72) < 1 and 842 - 700 - 14 < top < 842 - 700 - 6
    assert len(first.spans) == len(first.text) and first.spans[0][0] == 0 and first.spans[-1][1] == 1


def test_columns_of_one_row_are_lines_of_their_own() -> None:
    page = only(pdf([PdfPage(text("left", 72, 700) + text("right", 400, 700))]))
    assert [line.text for line in page.lines] == ["left", "right"]


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_the_layer_of_a_turned_page_lies_where_the_rendered_text_is(turn: int) -> None:
    content = pdf([PdfPage(BORN, more=b"/Rotate %d" % turn)])
    page, image = only(content), only(content, "ignore")
    assert (page.height, page.width) == image.gray.shape
    ink = image.gray < 128
    covered = np.zeros_like(ink)
    for line in page.lines:
        (x0, y0), (x1, y1) = line.polygon.min(axis=0).astype(int), line.polygon.max(axis=0).astype(int) + 1
        covered[y0:y1, x0:x1] = True
    assert ink.sum() > 500 and (ink & ~covered).sum() < 0.01 * ink.sum()
    across = page.lines[0].polygon[1] - page.lines[0].polygon[0]
    assert np.argmax(np.abs(across)) == (1 if turn in (90, 270) else 0)


def test_the_lines_of_a_landscape_page_run_as_they_are_seen() -> None:
    rows = [text(words, 0, 0, matrix=f"0 1 -1 0 {x} 100") for words, x in (("First line", 100), ("Second line", 130))]
    page = only(pdf([PdfPage(b"".join(rows), more=b"/Rotate 90")]))
    assert [line.text for line in page.lines] == ["First line", "Second line"]
    (left, top), (right, along) = page.lines[0].polygon[:2]
    assert right > left + 50 and abs(top - along) < 1
    assert page.lines[1].polygon[0][1] > top + 20


NOT_SOUND = {
    "a scan with an invisible layer": scan(SAMPLE, 110, text("Old words of an old OCR", 72, 300, mode=3)),
    "a picture over its text": scan(SAMPLE, 110, text("Old words of an old OCR", 72, 300)),
    "text that is not drawn": PdfPage(text("Invisible", 72, 700, mode=3) + b"72 100 200 40 re f\n"),
    "text without a meaning": PdfPage(b"BT /F1 12 Tf 72 700 Td (\x81\x8d\x8f\x90\x9d\x01\x02\x03) Tj ET\n"),
    "a page number beside writing that is drawn as shapes": PdfPage(
        text("1", 300, 40)
        + b"".join(b"%d %d 8 10 re f\n" % (72 + 12 * i, 700 - 20 * j) for i in range(30) for j in range(20))
    ),
    "an annotation that shows text": PdfPage(
        BORN, more=b"/Annots[<</Type/Annot/Subtype/FreeText/Rect[72 500 300 540]>>]"
    ),
}


@pytest.mark.parametrize("name", NOT_SOUND)
def test_a_layer_that_is_not_all_that_is_seen_is_not_taken(name: str) -> None:
    assert isinstance(only(pdf([NOT_SOUND[name]])), DecodedPage)


def test_each_page_is_judged_by_itself_and_the_sender_may_ignore_all_layers() -> None:
    content = pdf([PdfPage(BORN), NOT_SOUND["a scan with an invisible layer"], PdfPage(BORN)])
    assert [type(page) for page in pages_of(content)] == [LayerPage, DecodedPage, LayerPage]
    assert {type(page) for page in pages_of(content, "ignore")} == {DecodedPage}


@pytest.mark.parametrize("size", [6, 8, 10, 12, 18])
def test_a_page_is_rendered_so_that_its_text_is_20_to_40_pixels_high(size: float) -> None:
    page = only(pdf([PdfPage(text("Hxgp text of some length", 72, 700, size))]), "ignore")
    rows = np.flatnonzero((page.gray < 128).any(axis=1))
    assert 20 <= rows[-1] - rows[0] + 1 <= 40


def test_a_scan_is_rendered_at_its_own_resolution() -> None:
    page = only(pdf([scan(SAMPLE, 150)]))
    assert page.dpi == pytest.approx(150, abs=0.5)
    assert abs(page.gray.shape[1] - SAMPLE.width) <= 1
    assert only(pdf([PdfPage(b"72 100 200 40 re f\n")])).dpi == 200


def test_strips_of_a_scan_count_together() -> None:
    strips = b"".join(picture("Im", 0, 842 - 72 * (number + 1), 595, 72) for number in range(11))
    page = only(pdf([PdfPage(strips, images={"Im": Image.new("RGB", (1240, 150), "white")})]))
    assert page.dpi == pytest.approx(150, abs=1)


def test_a_large_page_is_rendered_as_finely_as_the_limits_allow() -> None:
    page = only(pdf([PdfPage(text("poster", 500, 500, 8), (2384, 3370))]), "ignore", Limits(max_pixels=4_000_000))
    assert 3_900_000 < page.gray.size <= 4_000_000


def test_the_largest_page_that_pdf_knows_is_read_at_a_resolution_that_the_limits_allow() -> None:
    limits = Limits()
    for page in (only(pdf([PdfPage(text("poster", 5000, 5000, 900), (14_400, 14_400))]), how) for how in LAYERS):
        height, width = (page.height, page.width) if isinstance(page, LayerPage) else page.gray.shape
        assert 0.98 * limits.max_pixels < width * height <= limits.max_pixels and 25 < page.dpi < 32


def test_forms_and_annotations_are_drawn() -> None:
    shape = stream(b"0 0 100 20 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 100 20]")
    widget = b"<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/V(x)/F 4/Rect[100 600 200 620]/AP<</N 4 0 R>>>>"
    content = pdf(
        [PdfPage(b"", more=b"/Annots[5 0 R]")], catalog=b"/AcroForm<</Fields[5 0 R]>>", objects=[shape, widget]
    )
    page = only(content)
    x, y = (round(value * page.dpi / 72) for value in (150, 842 - 610))
    assert page.gray[y, x] < 50


def test_scripts_and_attachments_are_left_alone() -> None:
    script = b"<</S/JavaScript/JS(app.alert('x'); while (true) {})>>"
    attachment = stream(b"MZ" + bytes(100), b"/Type/EmbeddedFile")
    names = b"/OpenAction 4 0 R/Names<</EmbeddedFiles<</Names[(a.exe)<</Type/Filespec/F(a.exe)/EF<</F 5 0 R>>>>]>>>>"
    assert [line.text for line in only(pdf([PdfPage(BORN)], catalog=names, objects=[script, attachment])).lines] == [
        "Invoice 4711 of November", "Total: 17,50 (paid)",
    ]  # fmt: skip


def test_pages_in_a_circle_come_to_an_end() -> None:
    bodies = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R]/Count 3>>"]
    with pytest.raises((errors.BrokenDocument, errors.NoPages, errors.ZeroSizeImage)):
        inspect(written(bodies), Limits())


def test_a_broken_page_is_named() -> None:
    content = pdf([PdfPage(BORN), PdfPage(BORN)]).replace(b"/Count 2", b"/Count 3")
    with pytest.raises((errors.BrokenDocument, errors.CorruptImage)):
        pages_of(content)


def test_many_threads_may_inspect_at_once() -> None:
    content = pdf([PdfPage(BORN)] * 20)
    found: list[int] = []

    def look() -> None:
        found.extend(inspect(content, Limits()).page_count for _ in range(20))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [20] * 160


def test_the_result_of_a_layer_has_the_shape_of_all_others(recognizer: Any) -> None:
    content = pdf([PdfPage(BORN), scan(SAMPLE, 110)])
    result = recognize_document(content, recognizer).to_json()
    taken, read = result["pages"]
    assert (taken["source"], read["source"]) == ("text_layer", "recognition")
    assert taken.keys() == read.keys()
    line = taken["lines"][0]
    assert (line["text"], line["raw_text"], line["confidence"]) == ("Invoice 4711 of November",) * 2 + (1.0,)
    assert [word["text"] for word in line["words"]] == ["Invoice", "4711", "of", "November"]
    assert result["text"].startswith("Invoice 4711 of November\nTotal: 17,50 (paid)")
    assert taken["quality"]["dpi"] == pytest.approx(165, abs=3) and read["quality"]["dpi"] == 110


@pytest.mark.parametrize("options", [Options(text_layer="ignore"), Options(charset="digits"), Options(layout="line")])
def test_a_layer_is_not_taken_where_the_sender_wants_something_else(recognizer: Any, options: Options) -> None:
    (page,) = recognize_document(pdf([PdfPage(BORN)]), recognizer, options).pages
    assert page.source == "recognition"


def test_a_layer_beside_much_that_is_drawn_says_that_text_may_be_missing() -> None:
    recognizer = models.load(threads=1)  # to whom bars are no letters
    drawn = b"".join(b"%d 300 8 10 re f\n" % (72 + 12 * place) for place in range(6))
    whole, beside = recognize_document(pdf([PdfPage(BORN), PdfPage(BORN + drawn)]), recognizer).pages
    assert whole.warnings == () and whole.quality["ink_elsewhere"] == 0
    assert beside.source == "text_layer"
    assert [(reason.code, reason.measure) for reason in beside.warnings] == [("text_may_be_missing", "ink_elsewhere")]
    (quiet,) = recognize_document(pdf([PdfPage(BORN + drawn)]), recognizer, Options(admission="off")).pages
    assert quiet.warnings == ()


def test_what_was_read_beside_a_layer_is_not_said_to_be_missing(recognizer: Any) -> None:
    drawn = b"".join(b"%d 300 8 10 re f\n" % (72 + 12 * place) for place in range(6))
    (page,) = recognize_document(pdf([PdfPage(BORN + drawn)]), recognizer).pages
    assert [line.text for line in page.lines if line.source == "recognition"] == ["xxxxxx"]
    assert page.quality["ink_elsewhere"] > 0.25 and page.warnings == ()  # type: ignore[operator]


def chart() -> bytes:
    """Axes, a long curve, and a bar."""
    heights = [round(60 * math.sin(x / 9)) for x in range(100)]
    curve = b"72 375 m " + b"".join(b"%d %d l " % (72 + 4 * x, 375 + heights[x]) for x in range(100)) + b"S\n"
    return b"2 w 72 300 400 150 re S " + curve + b"100 300 40 120 re f\n"


DRAWINGS = {
    "the rules of a table": b"2 w "
    + b"".join(b"72 %d m 520 %d l S\n" % (300 + 10 * n, 300 + 10 * n) for n in range(20)),
    "a filled box": b"72 200 450 200 re f\n",
    "light writing on a filled box": b"72 400 450 30 re f 1 g\n" + text("Attention: the 30th", 80, 410) + b"0 g\n",
    "a chart": chart(),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_what_is_drawn_and_is_no_writing_raises_no_alarm(name: str, recognizer: Any) -> None:
    (page,) = recognize_document(pdf([PdfPage(BORN + DRAWINGS[name])]), recognizer).pages
    assert (page.source, page.warnings) == ("text_layer", ())


def test_a_page_with_pictures_of_photos_alone_keeps_its_layer() -> None:
    small = Image.new("RGB", (100, 100), "gray")
    ImageDraw.Draw(small).rectangle((20, 20, 80, 80), fill="white")
    page = only(pdf([PdfPage(BORN + picture("Im", 400, 100, 60, 60), images={"Im": small})]))
    assert isinstance(page, LayerPage)


def endless() -> bytes:
    """A form that draws itself, damaged so that pdfium does not see it: found by the fuzzer."""
    form = stream(b"/F Do", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F 4 0 R>>>>")
    content = pdf([PdfPage(b"/F Do", more=b"/Resources<</XObject<</F 4 0 R>>>>")], objects=[form])
    return content.replace(b"endstream\nendobj\n5 0", b"endstrea\xff\xff\xff\xffdobj\n5 0")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the memory of a process so")
def test_a_page_that_wants_all_memory_ends_its_process_and_not_the_machine(tmp_path: Path) -> None:
    """727 bytes took 300 MB more each second, without end."""
    file = tmp_path / "endless.pdf"
    file.write_bytes(endless())
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from shared.limits import Limits\n"
        "from worker.ocr.decode.pages import decode_pages\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
        "list(decode_pages(Path(sys.argv[1]).read_bytes(), Limits()))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(file)], cwd=ROOT, capture_output=True, check=False)
    assert ended.returncode < 0, ended.stderr.decode()
    most_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    assert most_mib < 2048, "a gibibyte beside what the libraries hold"


def test_the_bound_of_memory_is_gone_after_the_block() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with memory.at_most(1 << 30):
        pass
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def damaged(content: bytes, *, keeping: int = 0) -> bytes:
    """A PDF in which nothing is left of the last JPEG but so many bytes."""
    start = content.rindex(b"\xff\xd8\xff")
    end = content.index(b"endstream", start)
    return content[: start + keeping] + b" " * (end - start - keeping) + content[end:]


@pytest.mark.parametrize("keeping", [0, 2000])
def test_a_damaged_scan_is_no_empty_page_and_never_silent(recognizer: Any, keeping: int) -> None:
    whole = pdf([scan(SAMPLE, 110), scan(SAMPLE, 110)])
    first, second = recognize_document(whole, recognizer).pages
    assert first.warnings == second.warnings
    kept, page = recognize_document(damaged(whole, keeping=keeping), recognizer).pages
    assert kept.warnings == first.warnings
    codes = [reason.code for reason in page.warnings]
    assert codes[0] == "damaged_image" and "blank_page" not in codes
    (place,) = page.warnings[0].places
    assert (place[0], place[2]) == ((0.0, 0.0), (page.width, page.height))


def test_a_damaged_picture_beside_a_text_layer_is_told(recognizer: Any) -> None:
    both = PdfPage(BORN + picture("Im", 72, 100, 200, 100), images={"Im": SAMPLE})
    (page,) = recognize_document(damaged(pdf([both])), recognizer).pages
    assert (page.source, page.warnings[0].code) == ("text_layer", "damaged_image")
