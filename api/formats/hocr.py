"""`hocr`: hOCR 1.2, text in XHTML with its places. Source: https://kba.github.io/hocr-spec/1.2/."""

from __future__ import annotations

import math

from api.formats.format import Format, Source, as_utf8
from api.formats.paragraphs import paragraphs_of
from api.formats.places import Box, around, box_of, line_box, words_of
from api.formats.xml import Element, SubElement, document, produced_by, words
from shared.result import Line, Page

CAPABILITIES = "ocr_page ocr_carea ocr_par ocr_line ocrx_word ocrp_wconf"
DOCTYPE = (
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" '
    '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n'
)


def make(source: Source) -> str:
    """The document: pages, areas, paragraphs, lines, words."""
    root = Element("html", {"xmlns": "http://www.w3.org/1999/xhtml"})
    head = SubElement(root, "head")
    SubElement(head, "title").text = source.name
    SubElement(head, "meta", {"http-equiv": "Content-Type", "content": "text/html; charset=utf-8"})
    for name, content in (
        ("ocr-system", produced_by()),
        ("ocr-capabilities", CAPABILITIES),
        ("ocr-number-of-pages", str(len(source.result.pages))),
    ):
        SubElement(head, "meta", {"name": name, "content": content})
    body = SubElement(root, "body")
    for page in source.result.pages:
        add_page(body, page, source.name)
    for element in root.iter():
        if element.get("class") != "ocrx_word":  # a line break between words would be read as a space
            element.tail = "\n"
    root.tail = None
    return document(root, DOCTYPE, is_indented=False)


def add_page(body: Element, page: Page, image: str) -> None:
    """Add one page with everything on it."""
    whole = Box(0, 0, page.width, page.height)
    number = page.page_number
    title = f'image "{words(image)}"; {_bbox(whole)}; ppageno {number - 1}'
    element = SubElement(body, "div", {"class": "ocr_page", "id": f"page_{number}", "title": title})
    at = 0
    for block, paragraph in enumerate(paragraphs_of(page), 1):
        boxes = [line_box(line, page.width, page.height) for line in paragraph.lines]
        place = {"title": _bbox(around(boxes))}
        area = SubElement(element, "div", {"class": "ocr_carea", "id": f"block_{number}_{block}", **place})
        lines = SubElement(area, "p", {"class": "ocr_par", "id": f"par_{number}_{block}", **place})
        for line, box in zip(paragraph.lines, boxes, strict=True):
            at += 1
            _add_line(lines, line, box, page, at)


def _add_line(parent: Element, line: Line, box: Box, page: Page, at: int) -> None:
    name = f"{page.page_number}_{at}"
    element = SubElement(
        parent, "span", {"class": "ocr_line", "id": f"line_{name}", "title": f"{_bbox(box)}; {_direction(line, box)}"}
    )
    last = None
    for number, word in enumerate(words_of(line), 1):
        if last is not None:
            last.tail = " " if word.is_spaced else ""
        last = SubElement(element, "span", {"class": "ocrx_word", "id": f"word_{name}_{number}"})
        place = box_of(word.polygon, page.width, page.height)
        last.set("title", f"{_bbox(place)}; x_wconf {round(100 * word.confidence)}")
        last.text = words(word.text)


def _direction(line: Line, box: Box) -> str:
    """The lower edge of the writing as a baseline, slope and offset from the box's lower left; or how it is turned."""
    (_, _), (_, _), (cx, cy), (dx, dy) = line.polygon
    angle = math.degrees(math.atan2(dy - cy, cx - dx))
    if abs(angle) > 45:
        return f"textangle {angle % 360:.1f}"
    slope = (cy - dy) / ((cx - dx) or 1.0)
    offset = dy + (box.left - dx) * slope - box.bottom
    return f"baseline {slope:.3f} {round(offset)}"


def _bbox(box: Box) -> str:
    return f"bbox {box.left} {box.top} {box.right} {box.bottom}"


FORMAT = Format("hocr", "text/vnd.hocr+html", "hocr", "hOCR 1.2: XHTML with the place of each word", as_utf8(make))
