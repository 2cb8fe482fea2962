"""hOCR by the rules of its specification; ALTO and PAGE by schemas of what of them is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from api.formats import alto, hocr, page_xml
from api.formats.format import Format
from api.formats.table import FORMATS
from shared.result import DocumentResult, Line
from tests.unit.api.formats.documents import SQUARE_LINE, line, mixed_page, page_of, result_of, source_of, written

HERE = Path(__file__).parent
SCHEMAS = {alto.FORMAT: "alto.xsd", page_xml.FORMAT: "page.xsd"}
XML = [form for form in FORMATS if form.name in ("hocr", "alto", "page")]
XHTML = "{http://www.w3.org/1999/xhtml}"
BOX = re.compile(r"\bbbox (\d+) (\d+) (\d+) (\d+)\b")
PARENTS = {"ocr_carea": "ocr_page", "ocr_par": "ocr_carea", "ocr_line": "ocr_par", "ocrx_word": "ocr_line"}
DOCUMENTS = {
    "mixed": result_of(mixed_page()),
    "empty": result_of(page_of()),
    "without words": result_of(page_of(SQUARE_LINE)),
    "upside down": result_of(page_of(line("ab 中", 900, 700, angle=180, centre=(900, 700)), angle=-180.0)),
    "beside the page": result_of(page_of(line("far out", 900, 780, 60))),
    "what XML forbids": result_of(page_of(line("a\x00\x0b\ufffe<&>\"'", 10, 10))),
}


def parsed(form: Format, result: DocumentResult) -> etree._Element:
    return etree.fromstring(written(form, source_of(result)), etree.XMLParser(resolve_entities=False))


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("form", SCHEMAS, ids=lambda form: form.name)
def test_it_is_valid_by_its_schema(form: Format, name: str) -> None:
    schema = etree.XMLSchema(file=str(HERE / SCHEMAS[form]))
    root = parsed(form, DOCUMENTS[name])
    for attribute in [key for key in root.attrib if "XMLSchema-instance" in key]:
        del root.attrib[attribute]
    schema.assertValid(root)


def test_alto_holds_all_pages_and_page_one_a_file() -> None:
    result = result_of(mixed_page(), mixed_page(2))
    assert len(parsed(alto.FORMAT, result).findall(".//{*}Page")) == 2
    names = [(one.name, one.result.pages[0].page_number) for one in source_of(result).by_pages()]
    assert names == [("job_1-0001", 1), ("job_1-0002", 2)]


@pytest.mark.parametrize("form", XML, ids=lambda form: form.name)
def test_lines_read_as_they_do_in_the_text(form: Format) -> None:
    lines = {"hocr": hocr_lines, "alto": alto_lines, "page": page_lines}[form.name](parsed(form, DOCUMENTS["mixed"]))
    assert list(lines) == [one.text for one in mixed_page().lines]


def hocr_lines(root: etree._Element) -> Iterator[str]:
    for element in root.iter(XHTML + "span"):
        if element.get("class") == "ocr_line":
            yield "".join(element.itertext())


def alto_lines(root: etree._Element) -> Iterator[str]:
    for element in root.iter("{*}TextLine"):
        yield "".join(child.get("CONTENT", " ") for child in element if not child.tag.endswith("Shape"))


def page_lines(root: etree._Element) -> Iterator[str]:
    for element in root.iter("{*}TextLine"):
        yield element.find("{*}TextEquiv/{*}Unicode").text


@pytest.mark.parametrize("name", DOCUMENTS)
def test_hocr_keeps_the_rules_of_its_specification(name: str) -> None:
    root = parsed(hocr.FORMAT, DOCUMENTS[name])
    assert root.tag == XHTML + "html"
    meta = {element.get("name"): element.get("content") for element in root.iter(XHTML + "meta")}
    assert meta["ocr-system"].startswith("ocrelay ") and meta["ocr-number-of-pages"] == "1"
    used = {element.get("class") for element in root.iter() if (element.get("class") or "").startswith("ocr")}
    assert used <= set(meta["ocr-capabilities"].split())
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for element in root.iter():
        kind = element.get("class")
        if kind is None:
            continue
        left, top, right, bottom = box(element)
        assert left < right and top < bottom
        if kind in PARENTS:
            parent = element.getparent()
            assert parent is not None and parent.get("class") == PARENTS[kind]
            outer = box(parent)
            assert outer[0] <= left and outer[1] <= top and right <= outer[2] and bottom <= outer[3], element.get("id")
        if kind == "ocrx_word":
            assert re.search(r"; x_wconf (100|\d?\d)$", element.get("title"))


def box(element: etree._Element) -> tuple[int, ...]:
    found = BOX.search(element.get("title"))
    assert found is not None
    return tuple(map(int, found.groups()))


def test_hocr_says_how_a_line_lies() -> None:
    titles = [
        element.get("title")
        for element in parsed(hocr.FORMAT, DOCUMENTS["mixed"]).iter(XHTML + "span")
        if element.get("class") == "ocr_line"
    ]
    assert titles[0].endswith("; baseline 0.000 0")
    assert "; baseline -0.035 " in titles[7]
    assert titles[8].endswith("; textangle 90.0")


def test_the_words_of_a_line_without_any_are_placed_by_width() -> None:
    assert isinstance(SQUARE_LINE, Line) and not SQUARE_LINE.words
    words = [element.text for element in parsed(hocr.FORMAT, DOCUMENTS["without words"]).iter(XHTML + "span")
             if element.get("class") == "ocrx_word"]  # fmt: skip
    assert words == ["no", "words", "中", "文"]
