"""The text that a page of a PDF brings along: where it stands, and whether it may be taken instead of recognising.

A born-digital page knows its text exactly. A scan may carry what an old OCR read: that lies under a picture, or is not
drawn at all, and is not taken.
"""

from __future__ import annotations

import ctypes
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray
from pypdfium2 import raw

Gray = NDArray[np.uint8]
Points = NDArray[np.float64]

MOST_CHARACTERS = 200_000  # of a page; more are no writing
MOST_BROKEN = 0.02  # share of the characters that say nothing: without a meaning in Unicode, private, control
MOST_PICTURE = 0.3  # share of the page under pictures; under more, there may be writing in them
LEAST_DRAWN = 0.95  # share of the characters whose line shows ink where the layer says that it stands
MOST_ELSEWHERE = 0.5  # share of the ink outside of the layer's lines; more, and writing may be drawn as shapes
INK_DEPTH = 60  # grey levels from the paper
LEAST_INK = 0.01  # share of a line's box
GAP = 1.5  # heights; a wider gap parts a line, as it does for those that are found on images
LINE_ENDS = "\r\n"
HYPHEN = "\x02"  # what pdfium gives for one at the end of a line
KEPT_ANNOTATIONS = {raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP, raw.FPDF_ANNOT_HIGHLIGHT, raw.FPDF_ANNOT_UNDERLINE}
"""Annotations that show no text of their own. The text of all others is drawn, and is not in the layer."""


@dataclass(frozen=True)
class Glyph:
    """A character of the layer. left, top, right, bottom: px of the rendered page. is_broken: it says nothing."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    is_broken: bool


@dataclass(frozen=True)
class LayerLine:
    """A line of the layer. polygon: (4, 2) px, clockwise from its top-left. spans: characters, shares of its width."""

    text: str
    polygon: Points
    spans: tuple[tuple[float, float], ...]


def read_glyphs(page: pdfium.PdfPage, textpage: pdfium.PdfTextPage, width: int, height: int) -> list[Glyph | None]:
    """Return the characters of a page in the order of the layer; None: a line ends there.

    Args:
        page: Of the document.
        textpage: Its text.
        width: Of the page as it is rendered, px.
        height: The same.
    """
    to_px = _mapping(page, width, height)
    found: list[Glyph | None] = []
    high = 0
    for index in range(min(textpage.count_chars(), MOST_CHARACTERS)):
        code = raw.FPDFText_GetUnicode(textpage, index)
        if 0xD800 <= code < 0xDC00:  # the first half of a character beyond the first plane
            high = code
            continue
        if 0xDC00 <= code < 0xE000 and high:
            code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)
        high = 0
        text = "-" if chr(code) == HYPHEN else chr(code)
        if text in LINE_ENDS:
            found.append(None)
            continue
        left, bottom, right, top = textpage.get_charbox(index, loose=True)
        corners = np.array([[left, top, 1.0], [right, bottom, 1.0]]) @ to_px
        (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
        is_broken = _says_nothing(text) or raw.FPDFText_HasUnicodeMapError(textpage, index) == 1
        found.append(Glyph(text, float(x0), float(y0), float(x1), float(y1), is_broken))
    return found


def text_heights(textpage: pdfium.PdfTextPage) -> list[float]:
    """Return the height of the writing at up to 2,000 characters of a page, in points."""
    count = textpage.count_chars()
    heights = []
    for index in range(0, count, max(1, count // 2000)):
        if chr(raw.FPDFText_GetUnicode(textpage, index)).isalnum():
            left, bottom, right, top = textpage.get_charbox(index, loose=True)
            heights.append(max(top - bottom, 0.0) if raw.FPDFText_GetCharAngle(textpage, index) == 0 else right - left)
    return [height for height in heights if height > 0]


def to_lines(glyphs: Sequence[Glyph | None]) -> list[LayerLine]:
    """Return the lines of a layer in its own order, without those that are empty."""
    return [line for run in _runs(glyphs) if (line := _line(run)) is not None]


def is_sound(
    page: pdfium.PdfPage, glyphs: Sequence[Glyph | None], lines: Sequence[LayerLine], probe: Gray, scale: float
) -> bool:
    """Tell whether a layer may be taken: its text has a meaning, is drawn where it says, and is all that is drawn.

    Args:
        page: Of the document.
        glyphs: Of the layer.
        lines: Made of them.
        probe: The page, rendered small.
        scale: Pixels of the probe for each of the glyphs'.
    """
    seen = [glyph for glyph in glyphs if glyph is not None and not glyph.text.isspace()]
    if not seen or not lines or len(glyphs) >= MOST_CHARACTERS:
        return False
    if sum(glyph.is_broken for glyph in seen) > MOST_BROKEN * len(seen):
        return False
    seen_pictures = list(pictures(page))
    if not _shows_only_itself(page) or sum(picture.share for picture in seen_pictures) > MOST_PICTURE:
        return False
    to_probe = _mapping(page, probe.shape[1], probe.shape[0])
    corners = [np.array([[*p.bounds[:2], 1.0], [*p.bounds[2:], 1.0]]) @ to_probe for p in seen_pictures]
    return _is_drawn(lines, probe, scale, corners)


@dataclass(frozen=True)
class Picture:
    """A picture on a page. share: of the page. dpi: its own resolution. bounds: left, bottom, right, top in points."""

    share: float
    dpi: float
    bounds: tuple[float, float, float, float]


def pictures(page: pdfium.PdfPage) -> Iterator[Picture]:
    """Yield the pictures of a page, as far as they lie on it."""
    left, bottom, right, top = page.get_cropbox()
    for picture in page.get_objects([raw.FPDF_PAGEOBJ_IMAGE]):
        x0, y0, x1, y1 = picture.get_bounds()
        shown = max(0.0, min(x1, right) - max(x0, left)) * max(0.0, min(y1, top) - max(y0, bottom))
        if shown <= 0 or x1 <= x0 or y1 <= y0:
            continue
        columns, rows = picture.get_px_size()
        dpi = 72.0 * (columns * rows / ((x1 - x0) * (y1 - y0))) ** 0.5
        yield Picture(shown / max(1.0, (right - left) * (top - bottom)), dpi, (x0, y0, x1, y1))


def _mapping(page: pdfium.PdfPage, width: int, height: int) -> Points:
    """Return (3, 2): (x, y, 1) in points of the page @ it = (x, y) in pixels, whatever way the page is turned."""
    fine = 64  # pdfium gives whole pixels
    x, y = ctypes.c_int(), ctypes.c_int()
    places = []
    for at in ((0.0, 0.0), (100.0, 0.0), (0.0, 100.0)):
        raw.FPDF_PageToDevice(page, 0, 0, width * fine, height * fine, 0, *at, ctypes.byref(x), ctypes.byref(y))
        places.append((x.value / fine, y.value / fine))
    start, right, up = np.array(places, np.float64)
    return np.array([(right - start) / 100, (up - start) / 100, start])


def _says_nothing(text: str) -> bool:
    return text == "\ufffd" or unicodedata.category(text) in ("Cc", "Co", "Cn", "Cs")


def _runs(glyphs: Sequence[Glyph | None]) -> Iterator[list[Glyph]]:
    """Yield the glyphs of each line: they end where the layer says so, and at wide gaps."""
    run: list[Glyph] = []
    for glyph in (*glyphs, None):
        if glyph is not None and run and not glyph.text.isspace():
            last = next((one for one in reversed(run) if not one.text.isspace()), None)
            if last is not None and _gap(last, glyph) > GAP * max(_height(last), _height(glyph)):
                yield run
                run = []
        if glyph is None:
            if run:
                yield run
            run = []
        else:
            run.append(glyph)


def _height(glyph: Glyph) -> float:
    return min(glyph.bottom - glyph.top, 4 * max(glyph.right - glyph.left, 1.0))


def _gap(a: Glyph, b: Glyph) -> float:
    return max(b.left - a.right, a.left - b.right, b.top - a.bottom, a.top - b.bottom, 0.0)


def _line(run: Sequence[Glyph]) -> LayerLine | None:
    glyphs = [glyph for glyph in run if not glyph.is_broken]
    while glyphs and glyphs[0].text.isspace():
        glyphs = glyphs[1:]
    while glyphs and glyphs[-1].text.isspace():
        glyphs = glyphs[:-1]
    glyphs = [a for a, b in pairwise([*glyphs, None]) if a and not (a.text.isspace() and b and b.text.isspace())]
    if not glyphs:
        return None
    along = _direction(glyphs)
    across = np.array([-along[1], along[0]])
    drawn = [glyph for glyph in glyphs if not glyph.text.isspace()]
    ends = np.array([[[g.left, g.top], [g.right, g.top], [g.right, g.bottom], [g.left, g.bottom]] for g in drawn])
    u, v = ends @ along, ends @ across
    u0, u1, v0, v1 = u.min(), max(u.max(), u.min() + 1), v.min(), max(v.max(), v.min() + 1)
    polygon = np.array(
        [u0 * along + v0 * across, u1 * along + v0 * across, u1 * along + v1 * across, u0 * along + v1 * across]
    )
    places = iter(zip((u.min(axis=1) - u0) / (u1 - u0), (u.max(axis=1) - u0) / (u1 - u0), strict=True))
    spans: list[tuple[float, float]] = []
    for glyph in glyphs:
        start, end = (spans[-1][1],) * 2 if glyph.text.isspace() else next(places)
        spans.append((float(np.clip(start, 0, 1)), float(np.clip(end, 0, 1))))
    return LayerLine("".join(" " if g.text.isspace() else g.text for g in glyphs), polygon, tuple(spans))


def _direction(glyphs: Sequence[Glyph]) -> Points:
    """Return where a line runs, of length 1: to the right, unless its ends say otherwise."""
    first, last = glyphs[0], glyphs[-1]
    way = np.array(
        [last.left + last.right - first.left - first.right, last.top + last.bottom - first.top - first.bottom]
    )
    length = float(np.hypot(*way))
    if len(glyphs) < 3 or length < 1 or abs(way[1]) < 0.05 * abs(way[0]):
        return np.array([1.0 if len(glyphs) < 3 or way[0] >= 0 else -1.0, 0.0])
    if abs(way[0]) < 0.05 * abs(way[1]):
        return np.array([0.0, 1.0 if way[1] > 0 else -1.0])
    return way / length


def _shows_only_itself(page: pdfium.PdfPage) -> bool:
    """Tell whether no annotation or form field may show text that is not in the layer."""
    for index in range(raw.FPDFPage_GetAnnotCount(page)):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        kind = raw.FPDFAnnot_GetSubtype(annotation)
        raw.FPDFPage_CloseAnnot(annotation)
        if kind not in KEPT_ANNOTATIONS:
            return False
    return True


def ink_elsewhere(lines: Sequence[LayerLine], probe: Gray, scale: float) -> float:
    """Return the share of a page's ink that lies in no line of its layer, that of pictures included, 0..1."""
    ink = _ink(probe)
    total = int(ink.sum())
    for line in lines:
        ink[_place(line.polygon * scale)] = False
    return float(ink.sum() / total) if total else 0.0


def _ink(probe: Gray) -> NDArray[np.bool_]:
    return np.asarray(np.abs(probe.astype(np.int16) - int(np.median(probe))) > INK_DEPTH, np.bool_)


def _is_drawn(lines: Sequence[LayerLine], probe: Gray, scale: float, elsewhere: Sequence[Points]) -> bool:
    """Tell whether nearly all lines show ink, and most of the ink is theirs; `elsewhere`: corners of pictures."""
    ink = _ink(probe)
    covered = np.zeros_like(ink)
    for corners in elsewhere:
        ink[_place(corners)] = False
    drawn = total = 0
    for line in lines:
        place = _place(line.polygon * scale)
        covered[place] = True
        total += len(line.text)
        if ink[place].size and ink[place].mean() >= LEAST_INK:
            drawn += len(line.text)
    outside = (ink & ~covered).sum()
    return drawn >= LEAST_DRAWN * total and outside <= MOST_ELSEWHERE * max(1, ink.sum())


def _place(corners: Points) -> tuple[slice, slice]:
    """Return rows and columns that hold the corners, (N, 2) px, and one pixel more on each side."""
    x0, y0 = np.floor(corners.min(axis=0)).astype(int) - 1
    x1, y1 = np.ceil(corners.max(axis=0)).astype(int) + 1
    return slice(max(y0, 0), max(y1, 0)), slice(max(x0, 0), max(x1, 0))
