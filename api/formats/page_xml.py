"""`page`: PAGE-XML 2019-07-15, the form of ground truth. Source: https://github.com/PRImA-Research-Lab/PAGE-XML.

A file of this format holds one page.
"""

from __future__ import annotations

from api.formats.format import Format, Source, as_utf8
from api.formats.paragraphs import Paragraph, paragraphs_of
from api.formats.places import Box, around, line_box, words_of
from api.formats.xml import Element, SubElement, document, points_of, produced_by, stamp, words
from shared.result import Line, Page
from shared.result.polygon import Point

NAMESPACE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"


def make(source: Source) -> str:
    """The file of the first page."""
    page = source.result.pages[0]
    root = Element("PcGts", {"xmlns": NAMESPACE})
    metadata = SubElement(root, "Metadata")
    SubElement(metadata, "Creator").text = produced_by()
    SubElement(metadata, "Created").text = stamp(source.made_at)
    SubElement(metadata, "LastChange").text = stamp(source.made_at)
    size = {"imageWidth": str(page.width), "imageHeight": str(page.height)}
    element = SubElement(root, "Page", {"imageFilename": words(source.name), **size})
    element.set("orientation", f"{180 if page.angle <= -180 else page.angle:g}")  # to be turned back clockwise
    paragraphs = paragraphs_of(page)
    if paragraphs:
        group = SubElement(SubElement(element, "ReadingOrder"), "OrderedGroup", {"id": "reading_order"})
        for block in range(len(paragraphs)):
            SubElement(group, "RegionRefIndexed", {"index": str(block), "regionRef": f"region_{block + 1}"})
    at = 0
    for block, paragraph in enumerate(paragraphs, 1):
        at = _add_region(element, paragraph, page, block, at)
    return document(root)


def _add_region(parent: Element, paragraph: Paragraph, page: Page, block: int, at: int) -> int:
    """Add a paragraph whose first line is the one after number `at`; returns the number of its last."""
    kind = "heading" if paragraph.level else "paragraph"
    region = SubElement(parent, "TextRegion", {"id": f"region_{block}", "type": kind})
    box = around([line_box(line, page.width, page.height) for line in paragraph.lines])
    _add_coords(region, _corners(box), page)
    for number, line in enumerate(paragraph.lines, at + 1):
        _add_line(region, line, page, number)
    _add_text(region, "\n".join(line.text for line in paragraph.lines), None)
    return at + len(paragraph.lines)


def _add_line(region: Element, line: Line, page: Page, number: int) -> None:
    element = SubElement(region, "TextLine", {"id": f"line_{number}"})
    _add_coords(element, line.polygon, page)
    baseline = points_of((line.polygon[3], line.polygon[2]), page.width, page.height)
    SubElement(element, "Baseline", {"points": baseline})
    for at, word in enumerate(words_of(line), 1):
        child = SubElement(element, "Word", {"id": f"word_{number}_{at}"})
        _add_coords(child, word.polygon, page)
        _add_text(child, word.text, word.confidence)
    _add_text(element, line.text, line.confidence)


def _add_coords(parent: Element, points: tuple[Point, ...], page: Page) -> None:
    SubElement(parent, "Coords", {"points": points_of(points, page.width, page.height)})


def _add_text(parent: Element, text: str, confidence: float | None) -> None:
    known = {} if confidence is None else {"conf": f"{confidence:.4g}"}
    SubElement(SubElement(parent, "TextEquiv", known), "Unicode").text = words(text)


def _corners(box: Box) -> tuple[Point, ...]:
    return (box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)


FORMAT = Format(
    "page",
    "application/vnd.prima.page+xml",
    "page.xml",
    "PAGE-XML 2019-07-15, one page a file; a zip of them for a document of many pages",
    as_utf8(make),
    is_page_by_page=True,
)
