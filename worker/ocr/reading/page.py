"""One page: straighten, find lines, read them, look for what lies otherwise, read again what is in doubt."""

from __future__ import annotations

from dataclasses import replace

from shared.result import Page
from worker.ocr.decode.pages import DecodedPage, to_gray
from worker.ocr.decode.pdf import LayerPage
from worker.ocr.page import admission, agreement, beside_layer, from_layer
from worker.ocr.page.enlarge import enlarge
from worker.ocr.page.preprocess import as_is
from worker.ocr.page.quality import measure_page
from worker.ocr.page.reading import measure_reading
from worker.ocr.reading.again import read_again
from worker.ocr.reading.directions import in_best_direction
from worker.ocr.reading.found import in_order, to_line
from worker.ocr.reading.missing import find_missing
from worker.ocr.reading.other_ways import read_columns, read_turned
from worker.ocr.reading.parted.cells import part_cells
from worker.ocr.reading.taken_for_line import look_for_lines
from worker.ocr.reading.tools import Tools


def read_page(tools: Tools, decoded: DecodedPage) -> Page:
    """Return what stands on a page.

    Raises:
        QualityTooLow: Pages so poor are refused, and this is one.
    """
    page_number, gray = decoded.page_number, decoded.gray
    policy = tools.options.admission
    with tools.stopwatch.measure("preprocess"):
        quality = measure_page(gray)
        if decoded.dpi is not None:
            quality["dpi"] = round(decoded.dpi, 1)
        admission.admit(page_number, quality, admission.PAGE_RULES, policy)
        upright = as_is(gray) if tools.options.layout == "line" else tools.straighten(gray)
    found = tools.find(upright)
    admission.admit(page_number, found.quality, admission.WRITING_RULES, policy)
    found, read = in_best_direction(tools, gray, found, tools.read_lines(found))
    found, read = look_for_lines(tools, gray, found, read)
    found, read = read_columns(tools, found, read)
    found, read = read_turned(tools, found, read)
    read = read_again(tools, found, read)
    kept = in_order(found, read)
    upright, searched = found.arrangement.upright, found.arrangement.searched
    lines = [to_line(found.arrangement.lines[i], read[i], upright) for i in kept]
    if searched:
        lines = part_cells(lines, [found.images[i] for i in kept])
    if all(line.model == tools.recognizer.card.name for line in lines):  # of one reader the document says enough
        lines = [replace(line, model=None) for line in lines]
    measured, missing = find_missing(tools, found, read, kept)
    quality |= found.quality | measure_reading(lines) | measured
    warned = policy != "off"
    warnings = admission.warnings(gray, quality, lines, searched=searched, missing=missing) if warned else ()
    hidden = from_layer.hidden_text(decoded.hidden, gray.shape[1], gray.shape[0], lines) if warned else []
    if decoded.is_damaged:
        warnings = tuple(reason for reason in warnings if reason.code not in admission.EMPTY)
    warnings = (*decoded.warnings, *warnings, *hidden)
    page = Page(page_number, gray.shape[1], gray.shape[0], upright.angle, quality, tuple(lines), warnings)
    return page if decoded.size is None else enlarge(page, decoded.reduced, decoded.size)


def read_layer(tools: Tools, found: LayerPage) -> Page:
    """Take a page from its text layer, where that says what is seen, and read what stands beside it."""
    decoded = DecodedPage(found.page_number, to_gray(found.image), found.warnings, found.dpi, hidden=found.hidden)
    if not agreement.agrees(found.lines, decoded.gray, tools.recognizer.card.charset, tools.read_texts):
        return read_page(tools, decoded)
    page = from_layer.to_page(found, warned=tools.options.admission != "off")
    if not beside_layer.is_worth_reading(found.elsewhere, found.lines):
        return page
    rest = replace(decoded, hidden=(), gray=beside_layer.without_lines(decoded.gray, found.lines))
    lenient = replace(tools.options, layout="page", admission="off" if tools.options.admission == "off" else "warn")
    return beside_layer.merge(page, read_page(replace(tools, options=lenient), rest))
