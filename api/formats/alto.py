"""`alto`: ALTO 4.4, the form of libraries. Source: https://www.loc.gov/standards/alto/."""

from __future__ import annotations

from importlib.metadata import version

from api.formats.format import Format, Source, as_utf8
from api.formats.paragraphs import paragraphs_of
from api.formats.places import Box, PlacedWord, around, box_of, line_box, words_of
from api.formats.xml import Element, SubElement, document, points_of, stamp, words
from shared.result import Line, Page

NAMESPACE = "http://www.loc.gov/standards/alto/ns-v4#"
SCHEMA = "http://www.loc.gov/standards/alto/v4/alto-4-4.xsd"
SCHEMA_LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"


def make(source: Source) -> str:
    """The document: how it was made, then pages, blocks, lines and words with their places in pixels."""
    root = Element("alto", {"xmlns": NAMESPACE, SCHEMA_LOCATION: f"{NAMESPACE} {SCHEMA}", "SCHEMAVERSION": "4.4"})
    description = SubElement(root, "Description")
    SubElement(description, "MeasurementUnit").text = "pixel"
    image = SubElement(description, "sourceImageInformation")
    SubElement(image, "fileName").text = words(source.name)
    _add_processing(description, source)
    layout = SubElement(root, "Layout")
    for page in source.result.pages:
        add_page(layout, page)
    return document(root)


def add_page(layout: Element, page: Page) -> None:
    """Add one page with everything on it."""
    number = page.page_number
    size = {"WIDTH": str(page.width), "HEIGHT": str(page.height)}
    element = SubElement(layout, "Page", {"ID": f"page_{number}", "PHYSICAL_IMG_NR": str(number), **size})
    element.set("ROTATION", f"{page.angle:g}")
    space = SubElement(element, "PrintSpace", {"HPOS": "0", "VPOS": "0", **size})
    at = 0
    for block, paragraph in enumerate(paragraphs_of(page), 1):
        boxes = [line_box(line, page.width, page.height) for line in paragraph.lines]
        lines = SubElement(space, "TextBlock", {"ID": f"block_{number}_{block}", **_place(around(boxes))})
        for line, box in zip(paragraph.lines, boxes, strict=True):
            at += 1
            _add_line(lines, line, box, page, f"{number}_{at}")


def _add_line(lines: Element, line: Line, box: Box, page: Page, name: str) -> None:
    element = SubElement(lines, "TextLine", {"ID": f"line_{name}", **_place(box)})
    element.set("BASELINE", points_of((line.polygon[3], line.polygon[2]), page.width, page.height))
    shape = SubElement(element, "Shape")
    SubElement(shape, "Polygon", {"POINTS": points_of(line.polygon, page.width, page.height)})
    for number, word in enumerate(words_of(line) or [PlacedWord("", line.confidence, line.polygon, False)], 1):
        if word.is_spaced:
            SubElement(element, "SP")
        place = _place(box_of(word.polygon, page.width, page.height))
        text = {"CONTENT": words(word.text), "WC": f"{word.confidence:.4g}"}
        SubElement(element, "String", {"ID": f"string_{name}_{number}", **place, **text})


def _add_processing(description: Element, source: Source) -> None:
    processing = SubElement(description, "Processing", {"ID": "recognition"})
    SubElement(processing, "processingCategory").text = "contentGeneration"
    SubElement(processing, "processingDateTime").text = stamp(source.made_at)
    model = source.result.model
    SubElement(processing, "processingStepSettings").text = words(f"model {model.name} {model.version} {model.sha256}")
    software = SubElement(processing, "processingSoftware")
    SubElement(software, "softwareName").text = "ocrelay"
    SubElement(software, "softwareVersion").text = version("ocrelay")


def _place(box: Box) -> dict[str, str]:
    return {"HPOS": str(box.left), "VPOS": str(box.top), "WIDTH": str(box.width), "HEIGHT": str(box.height)}


FORMAT = Format(
    "alto", "application/alto+xml", "alto.xml", "ALTO 4.4: XML of libraries, with the place of each word", as_utf8(make)
)
