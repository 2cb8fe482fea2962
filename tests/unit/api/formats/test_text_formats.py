"""Formats that are read by people and by programs for tables: text, Markdown, TSV, JSON."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from api.formats import as_json, markdown, text, tsv
from api.formats.markdown import escaped, joined
from api.formats.paragraphs import marker_of, paragraphs_of
from tests.unit.api.formats.documents import line, mixed_page, page_of, result_of, source_of, turned, written


def test_json_is_the_result_as_it_is() -> None:
    result = result_of(mixed_page())
    made = written(as_json.FORMAT, source_of(result))
    assert json.loads(made) == result.to_json() and made.endswith(b"\n") and "年度报告".encode() in made


def test_text_is_the_text_and_a_line_break() -> None:
    result = result_of(page_of(line("一", 0, 0)), page_of(line("two", 0, 0), number=2))
    assert written(text.FORMAT, source_of(result)).decode() == "一\n\ntwo\n"


def test_the_layout_keeps_columns_and_indentation() -> None:
    page = page_of(
        line("Item", 100, 100),
        line("Price", 500, 102),
        line("绿茶", 140, 160),
        line("3.50", 520, 160),
        line("Total", 100, 300),
    )
    made = written(text.FORMAT, source_of(result_of(page), layout=True)).decode()
    assert made == (
        "Item                Price\n"
        "  绿茶               3.50\n"
        "\n\n"
        "Total\n"
    )  # fmt: skip


def test_the_layout_of_a_page_that_lies_on_its_side_is_that_of_its_writing() -> None:
    upright = [line("one", 100, 100), line("two", 100, 160)]
    on_its_side = [replace(one, polygon=turned((100, top, 160, top + 40), 90, (0, 0))) for one, top in
                   zip(upright, (100, 160), strict=True)]  # fmt: skip
    page = page_of(*on_its_side, angle=90.0)
    assert written(text.FORMAT, source_of(result_of(page), layout=True)).decode() == "one\ntwo\n"


def test_pages_of_a_layout_are_parted_by_a_form_feed_and_an_empty_one_stays() -> None:
    result = result_of(page_of(line("a", 0, 0)), page_of(number=2), page_of(line("b", 0, 0), number=3))
    assert written(text.FORMAT, source_of(result, layout=True)).decode() == "a\n\f\n\fb\n"


def test_markdown_joins_paragraphs_and_knows_headings_and_lists() -> None:
    page = page_of(
        line("Annual report", 100, 40, 60),
        line("The engine was meas-", 100, 160, 30),
        line("ured twice. 结果稳", 100, 200, 30),
        line("定而可靠。", 100, 240, 30),
        line("• first item", 100, 330, 30),
        line("2) second", 100, 370, 30),
        line("Items 2 and", 100, 460, 30),
        line("# no heading", 100, 560, 30),
    )
    assert written(markdown.FORMAT, source_of(result_of(page))).decode() == (
        "# Annual report\n\n"
        "The engine was measured twice. 结果稳定而可靠。\n\n"
        "- first item\n2. second\n\n"
        "Items 2 and\n\n"
        "\\# no heading\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "whole"),
    [
        (["well-", "known"], "wellknown"),
        (["Jean-", "Paul"], "Jean- Paul"),
        (["1990-", "1995"], "1990- 1995"),
        (["中文", "接着"], "中文接着"),
        (["mixed", "中文"], "mixed中文"),
        (["two", "words"], "two words"),
    ],
)
def test_lines_are_joined_as_their_script_asks(lines: list[str], whole: str) -> None:
    assert joined(lines) == whole


def test_what_markdown_would_take_for_a_mark_is_escaped() -> None:
    assert escaped("a*b_c <d> `e` [f]") == "a\\*b\\_c \\<d\\> \\`e\\` \\[f\\]"
    assert escaped("- dash") == "\\- dash" and escaped("C# 3-4") == "C# 3-4"


@pytest.mark.parametrize(
    ("given", "marker"),
    [("1. one", "1."), ("12) two", "12)"), ("3、三", "3、"), ("• x", "•"), ("•x", "•"), ("- y", "-"),
     ("3.50", None), ("-5", None), ("2026年", None), ("a. b", None), ("•", None)],
)  # fmt: skip
def test_items_of_lists_are_told_from_numbers(given: str, marker: str | None) -> None:
    assert marker_of(given) == marker


def test_lines_of_one_row_are_one_paragraph_and_columns_are_not_mixed() -> None:
    rows = [line("Tea", 100, 100), line("3.50", 600, 104), line("Coffee", 100, 160), line("4.00", 600, 160)]
    assert [[one.text for one in group.lines] for group in paragraphs_of(page_of(*rows))] == [
        ["Tea", "3.50"], ["Coffee", "4.00"],
    ]  # fmt: skip


def test_no_line_is_lost_and_none_is_moved_by_grouping() -> None:
    page = mixed_page()
    assert [one.text for group in paragraphs_of(page) for one in group.lines] == [one.text for one in page.lines]


def test_tsv_has_the_columns_of_tesseract_and_a_row_for_each_word() -> None:
    made = written(tsv.FORMAT, source_of(result_of(mixed_page(), mixed_page(2)))).decode()
    rows = list(csv.DictReader(io.StringIO(made), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert tuple(rows[0]) == tsv.COLUMNS
    assert [row["page_num"] for row in rows if row["level"] == "1"] == ["1", "2"]
    words = [row for row in rows if row["level"] == "5" and row["page_num"] == "1"]
    assert [row["text"] for row in words] == [word.text for one in mixed_page().lines for word in one.words]
    assert all((row["conf"] == "90.00") == (row["level"] == "5") for row in rows)
    assert (words[0]["left"], words[0]["top"], words[0]["width"], words[0]["height"]) == ("100", "60", "60", "60")
    for row in rows:
        assert int(row["left"]) + int(row["width"]) <= 1000 and int(row["top"]) + int(row["height"]) <= 800
