"""The page on formats: its tables say what the code does, and its examples are what the formats make."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

import models
from api.formats.format import Choices, Format
from api.formats.table import FORMATS, NAMES
from models import detector
from shared.result import DocumentResult
from tests.docs import book, markdown
from tests.images import saved
from tests.unit.api.formats.documents import line, page_of, result_of, source_of, white, written
from worker.ocr.pipeline import Options, recognize_document

PAGE = markdown.ROOT / "docs" / "formats.md"
RESULT = "`GET /v1/jobs/{job_id}/result`"
MEASURED = {"contrast": 200.0}


def example() -> DocumentResult:
    """What the page's examples are made of: a price list with a large line, a row of two and a list of one."""
    page = page_of(
        line("价目表 Prices", 40, 30, 56),
        line("绿茶 Green tea", 40, 120, 30),
        line("3.50", 440, 120, 30),
        line("1. Open daily", 40, 180, 30),
        width=560,
        height=240,
    )
    return result_of(replace(page, quality=MEASURED, warnings=()))


def section(name: str) -> str:
    """What stands below the heading of one format."""
    _, _, below = PAGE.read_text("utf-8").partition(f"### `{name}`\n")
    return re.split(r"^#{2,3} ", below, maxsplit=1, flags=re.MULTILINE)[0]


def blocks(name: str) -> list[str]:
    """Fenced blocks of one format's section, but for commands."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", section(name), re.MULTILINE | re.DOTALL)
    return [body for language, body in found if language != "sh"]


def test_each_format_has_its_row_and_its_section() -> None:
    rows = [row[:3] for row in markdown.rows(PAGE, "Out") if row[0].startswith("`")]
    assert rows == [[f"`{form.name}`", f"`{form.media_type}`", f"`.{form.ending}`"] for form in FORMATS]
    assert [heading.strip("`") for heading in markdown.headings(PAGE) if heading.strip("`") in NAMES] == [*NAMES]


@pytest.mark.parametrize("form", [form for form in FORMATS if form.is_text], ids=lambda form: form.name)
def test_the_example_of_a_format_is_what_it_makes(form: Format) -> None:
    shown = blocks(form.name)
    assert shown
    made = [written(form, source_of(example())).decode()]
    if "layout" in form.choices:
        made.append(written(form, source_of(example(), layout=True)).decode())
    for block, whole in zip(shown, made, strict=True):
        if form.name == "json":
            assert json.loads(block) in example().to_json()["pages"][0]["lines"]
        else:
            assert stripped(block) in stripped(whole)


def stripped(text: str) -> str:
    """Without indentation, for an example is a part of the whole."""
    return "\n".join(line.strip() if line.lstrip().startswith("<") else line for line in text.splitlines())


def test_the_commands_name_formats_and_choices_that_exist() -> None:
    named = {name for block in markdown.blocks(PAGE, "sh") for name in re.findall(r"format[= ](\w+)", block)}
    assert named <= set(NAMES)
    assert set(re.findall(r"\b(\w+)=true", PAGE.read_text("utf-8"))) == {*Choices().__dict__}
    (row,) = [row for row in markdown.rows(markdown.ROOT / "docs" / "api.md", RESULT) if row[0] == "`format`"]
    assert re.findall(r"`(\w+)`", row[1].partition(";")[0]) == [*NAMES]


@pytest.mark.parametrize("page", markdown.PAGES, ids=markdown.name_of)
def test_the_files_that_are_sent_lie_in_the_repository(page: Path) -> None:
    named = [name for block in markdown.blocks(page, "sh") for name in re.findall(r"file=@([\w./-]+)", block)]
    assert [name for name in named if not (markdown.ROOT / name).is_file()] == []


def test_the_sample_book_is_small_and_as_it_is_made() -> None:
    assert book.FILE.read_bytes() == book.book()
    assert book.FILE.stat().st_size < 60_000


def test_the_pages_of_the_sample_book_that_the_commands_choose_are_read() -> None:
    read = recognize_document(
        book.FILE.read_bytes(), models.load("", threads=1), Options(pages="1-3,7"), detector=detector.load(threads=1)
    )
    assert [page.source for page in read.pages] == ["text_layer"] * 3 + ["recognition"]
    assert [len(page.recognised_lines) for page in read.pages] == [0, 0, 1, 1]
    assert "AB-2026-0417" in read.pages[2].text and "quick brown fox" in read.pages[3].text


def test_what_a_pdf_adds_is_as_small_as_the_page_says() -> None:
    (said,) = re.findall(r"about (\d+) kB for the text", PAGE.read_text("utf-8"))
    upload = saved(white(560, 240))
    pdf = next(form for form in FORMATS if form.name == "pdf")
    assert len(written(pdf, source_of(example(), upload))) - len(upload) < 1000 * int(said)
