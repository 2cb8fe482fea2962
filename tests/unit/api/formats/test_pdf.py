"""The searchable PDF, as its readers see it: qpdf, poppler, pdfium, and pikepdf's validator of PDF/A."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from pikepdf import pdfa
from PIL import Image, ImageChops, ImageOps

from api.formats.pdf import format as pdf
from api.formats.pdf.document import write_document
from api.formats.pdf.font import program
from api.formats.pdf.images import ImagePages
from shared import errors
from shared.result import Page
from tests.images import saved
from tests.unit.api.formats.documents import (
    BEYOND_BMP,
    SQUARE_LINE,
    line,
    mixed_page,
    page_of,
    result_of,
    source_of,
    white,
    written,
)
from tests.unit.api.formats.poppler import NEAR_PX, assert_at_its_place, joined_words, run, words_found


def searchable(*pages: Page, upload: bytes = b"", **choices: bool) -> bytes:
    return written(pdf.FORMAT, source_of(result_of(*pages), upload or saved(white()), **choices))


@contextmanager
def in_pdfium(content: bytes) -> Iterator[pypdfium2.PdfDocument]:
    document = pypdfium2.PdfDocument(content)
    try:
        yield document
    finally:
        document.close()


def test_qpdf_finds_no_fault_and_the_same_result_makes_the_same_file(tmp_path: Path) -> None:
    content = searchable(mixed_page())
    (tmp_path / "a.pdf").write_bytes(content)
    assert "No syntax or stream encoding errors" in run("qpdf", "--check", tmp_path / "a.pdf")
    without_id = re.sub(rb"/ID \[.*?\]", b"", content, flags=re.DOTALL)
    assert re.sub(rb"/ID \[.*?\]", b"", searchable(mixed_page()), flags=re.DOTALL) == without_id


def test_poppler_finds_each_word_at_its_place(tmp_path: Path) -> None:
    page = mixed_page()
    found = words_found(searchable(page), tmp_path, page)
    for one in page.lines:
        assert_at_its_place(one, found)
    assert {word.text for word in found} == {text for one in page.lines for text, _ in joined_words(one)}


@pytest.mark.parametrize("angle", [0.3, -0.7, 1.2, 2.2, -3.0])
def test_words_of_a_tilted_page_stay_whole_in_poppler(angle: float, tmp_path: Path) -> None:
    texts = [
        "All of these words are long enough to rise",
        "服务立即返回任务编号识别工作由后台进程",
        "AB 12 of 中文 end",
    ]
    lines = [line(text, 150, 300 + 70 * row, 30, angle=angle, centre=(150, 300)) for row, text in enumerate(texts)]
    page = page_of(*lines, angle=angle)
    found = words_found(searchable(page), tmp_path, page)
    assert {*texts[0].split(), "AB", "12", "end"} <= {word.text for word in found}
    assert_at_its_place(lines[2], found)
    hanzi = sorted("".join(word.text for word in found if word.text[0] >= "\u4e00"))
    assert hanzi == sorted(texts[1] + "中文"), "a run of hanzi may be cut, for it has no words"


def test_pdfium_reads_lines_in_order_and_finds_and_places_what_is_searched() -> None:
    page = mixed_page()
    with in_pdfium(searchable(page)) as document:
        text_page = document[0].get_textpage()
        read = text_page.get_text_range().split("\r\n")
        assert [part.strip() for part in read][:4] == [one.text for one in page.lines][:4]
        assert f"{BEYOND_BMP}野家 I" in read, "pdfium reads it, though its own search knows no pairs of surrogates"
        scale = page.width / document[0].get_width()
        for text, one in (
            ("年度报告", 0),
            ("lazy", 2),
            ("共3件", 3),
            ("右", None),
            ("野家", 6),
            ("上行", 8),
        ):
            place = text_page.search(text).get_next()
            if one is None:
                assert place is None
                continue
            boxes = [text_page.get_charbox(place[0] + at) for at in range(place[1])]
            left, right = min(box[0] for box in boxes) * scale, max(box[2] for box in boxes) * scale
            points = [point for word in page.lines[one].words for point in word.polygon if word.text in text]
            assert left == pytest.approx(min(x for x, _ in points), abs=NEAR_PX), text
            assert right == pytest.approx(max(x for x, _ in points), abs=NEAR_PX), text
            assert min(box[3] - box[1] for box in boxes) * scale > 15, "a selection that can be seen"
        text_page.close()


def test_a_run_is_a_line_and_no_surrogate_stands_alone() -> None:
    with pikepdf.open(io.BytesIO(searchable(mixed_page()))) as document:
        page = document.pages[0]
        instructions = pikepdf.parse_content_stream(page)
        shown = [instruction for instruction in instructions if str(instruction.operator) == "Tj"]
        modes = [instruction.operands[0] for instruction in instructions if str(instruction.operator) == "Tr"]
        to_unicode = page.Resources.Font.Text.ToUnicode.read_bytes().decode()
    tilted = len(mixed_page().lines[7].text.split())
    assert len(shown) == len(mixed_page().lines) - 1 + tilted and modes == [3]
    pairs = re.findall(r"<([0-9A-F]{4})> <([0-9A-F]+)>", to_unicode.partition("endcodespacerange")[2])
    assert BEYOND_BMP in {bytes.fromhex(text).decode("utf-16-be") for _, text in pairs}


def test_lines_without_words_and_pages_without_lines_are_fine(tmp_path: Path) -> None:
    page = page_of(SQUARE_LINE)
    assert [word.text for word in words_found(searchable(page), tmp_path, page)] == ["no", "words", "中文"]
    assert words_found(searchable(page_of()), tmp_path, page) == []


@pytest.mark.parametrize("kind", ["gray", "jpeg", "cmyk", "palette", "group 4"])
def test_pdfa_is_what_it_says(kind: str) -> None:
    upload = {
        "gray": lambda: saved(white()),
        "jpeg": lambda: saved(white(mode="RGB"), "JPEG"),
        "cmyk": lambda: saved(white(mode="RGB").convert("CMYK"), "JPEG"),
        "palette": lambda: saved(white(mode="RGB").convert("P")),
        "group 4": lambda: saved(white(mode="1"), "TIFF", compression="group4"),
    }[kind]()
    report = pdfa.validate_written(io.BytesIO(searchable(mixed_page(), upload=upload, pdfa=True)), "2b")
    assert report.passed, report.findings
    assert not pdfa.validate_written(io.BytesIO(searchable(mixed_page(), upload=upload)), "2b").passed


def test_the_font_is_one_that_draws_nothing() -> None:
    from fontTools.ttLib import TTFont

    font = TTFont(io.BytesIO(program()), checkChecksums=2)
    assert [font["glyf"][name].numberOfContours for name in font.getGlyphOrder()[:2]] == [0, 1]
    assert font["head"].unitsPerEm == 1000 and font["hmtx"][font.getGlyphOrder()[20]] == (1000, 0)


def picture() -> Image.Image:
    """Every corner of it looks different."""
    image = Image.new("RGB", (240, 160), (250, 250, 250))
    image.paste((200, 30, 30), (10, 10, 90, 40))
    image.paste((30, 30, 200), (150, 100, 235, 155))
    image.paste((20, 160, 60), (5, 120, 40, 150))
    return image


def with_orientation(kind: str, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(picture(), kind, exif=exif, **({"quality": 95} if kind == "JPEG" else {}))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_page_is_shown_as_it_is_seen(kind: str, orientation: int) -> None:
    upload = with_orientation(kind, orientation)
    seen = ImageOps.exif_transpose(Image.open(io.BytesIO(upload))).convert("RGB")
    content = searchable(page_of(width=seen.width, height=seen.height), upload=upload)
    with in_pdfium(content) as document:
        shown = document[0].render(scale=seen.width / document[0].get_width()).to_pil().convert("RGB")
    assert unlike(shown, seen, (24, 16)) < 40


def unlike(shown: Image.Image, seen: Image.Image, size: tuple[int, int]) -> int:
    """The largest difference between small copies, in grey levels."""
    assert abs(shown.width - seen.width) <= 1 and abs(shown.height - seen.height) <= 1
    small = [image.resize(size, Image.Resampling.BOX) for image in (shown, seen)]
    extrema = ImageChops.difference(small[0], small[1]).getextrema()
    return max(extrema[1] if isinstance(extrema[0], int | float) else max(high for _, high in extrema), 0)


def test_a_jpeg_and_a_png_are_put_in_as_they_are() -> None:
    jpeg, png = saved(picture(), "JPEG", progressive=True), saved(picture(), compress_level=1)
    for upload in (jpeg, png):
        with pikepdf.open(io.BytesIO(searchable(page_of(width=240, height=160), upload=upload))) as document:
            assert document.pages[0].Resources.XObject.Page.read_raw_bytes() in upload


FORMS: dict[str, Callable[[], bytes]] = {
    "gray PNG": lambda: saved(white()),
    "PNG with alpha": lambda: saved(white(mode="RGBA")),
    "interlaced palette": lambda: saved(white().convert("P"), "GIF"),
    "16-bit PNG": lambda: saved(Image.linear_gradient("L").resize((1000, 800)).convert("I;16")),
    "photo WebP": lambda: saved(Image.effect_noise((1000, 800), 60).convert("RGB"), "WEBP", quality=80),
    "photo JPEG": lambda: saved(Image.effect_noise((1000, 800), 60).convert("RGB"), "JPEG", quality=75),
    "BMP": lambda: saved(white(mode="RGB"), "BMP"),
    "LZW TIFF": lambda: saved(Image.effect_noise((1000, 800), 40), "TIFF", compression="tiff_lzw"),
    "group 4 TIFF": lambda: saved(white(mode="1"), "TIFF", compression="group4"),
    "group 3 TIFF": lambda: saved(white(mode="1"), "TIFF", compression="group3"),
    "bilevel PNG": lambda: saved(white(mode="1")),
}
TEXT_BYTES = 5000
"""What the text, the font and the frame of a file with a page like this take."""


@pytest.mark.parametrize("kind", FORMS)
def test_the_file_is_hardly_larger_than_the_upload_and_shows_it(kind: str) -> None:
    upload = FORMS[kind]()
    content = searchable(mixed_page(), upload=upload)
    assert len(content) <= 1.2 * len(upload) + TEXT_BYTES
    seen = Image.open(io.BytesIO(upload))
    seen = seen.point(lambda value: value / 257).convert("L") if seen.mode.startswith("I;16") else seen.convert("L")
    with in_pdfium(content) as document:
        shown = document[0].render(scale=1000 / document[0].get_width()).to_pil().convert("L")
    assert unlike(shown, seen, (50, 40)) < 25


def test_white_writing_without_a_ground_is_shown_on_black() -> None:
    image = Image.new("RGBA", (100, 50), (255, 255, 255, 0))
    image.paste((255, 255, 255, 255), (20, 20, 60, 30))
    content = searchable(page_of(width=100, height=50), upload=saved(image))
    with in_pdfium(content) as document:
        shown = document[0].render(scale=100 / document[0].get_width()).to_pil().convert("L")
    assert (shown.getpixel((5, 5)), shown.getpixel((40, 25))) == (0, 255)


def test_many_pages_are_put_together_from_parts(tmp_path: Path) -> None:
    frames = [white(mode="1") for _ in range(5)]
    upload = saved(frames[0], "TIFF", save_all=True, append_images=frames[1:], compression="group4")
    pages = [page_of(line(f"page {number} 第{number}页", 100, 100), number=number) for number in range(1, 6)]
    whole, parted = io.BytesIO(), io.BytesIO()
    source = source_of(result_of(*pages), upload, "image/tiff", pdfa=True)
    write_document(source, whole)
    write_document(source, parted, part_bytes=0)
    for content in (whole.getvalue(), parted.getvalue()):
        (tmp_path / "a.pdf").write_bytes(content)
        assert run("pdftotext", tmp_path / "a.pdf", "-").split("\f")[:-1] == [f"{page.text}\n\n" for page in pages]
        assert pdfa.validate_written(io.BytesIO(content), "2b").passed


@pytest.mark.parametrize(("dpi", "inches"), [((200, 200), 5), ((72, 72), 10), (None, 10)])
def test_a_page_is_as_large_as_it_says_or_a_sheet(dpi: tuple[int, int] | None, inches: float) -> None:
    upload = saved(white(), **({"dpi": dpi} if dpi else {}))
    with in_pdfium(searchable(page_of(), upload=upload)) as document:
        assert document[0].get_width() / 72 == pytest.approx(inches, abs=0.01)


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (16, 9), (30_000, 1), (1, 30_000)])
def test_the_smallest_and_the_longest_page_can_be_shown(size: tuple[int, int]) -> None:
    page = page_of(width=size[0], height=size[1])
    content = searchable(page, upload=saved(Image.new("1", size, 1)), pdfa=True)
    with in_pdfium(content) as document:
        assert all(2.99 <= side <= 14_400.01 for side in document[0].get_size())
    assert pdfa.validate_written(io.BytesIO(content), "2b").passed


def test_what_cannot_be_shown_says_so() -> None:
    with pytest.raises(errors.CorruptImage):
        ImagePages(b"no image", 1, is_archival=False)
    with pytest.raises(errors.CorruptImage):
        searchable(replace(page_of(), page_number=2))
