"""The characters of a page's own text, and where they stand on the page as it is rendered."""

from __future__ import annotations

import ctypes
import unicodedata
from dataclasses import dataclass

import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray
from pypdfium2 import raw

Points = NDArray[np.float64]

MOST_CHARACTERS = 200_000  # of a page; more are no writing
LINE_ENDS = "\r\n"
WITHOUT_INK = {raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP}
HYPHEN = "\x02"  # what pdfium gives for one at the end of a line


@dataclass(frozen=True)
class Glyph:
    """A character of the layer.

    left, top, right, bottom: px of the rendered page. is_broken: it says nothing. is_invisible: drawn without ink.
    font: a number that characters of one font share.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    is_broken: bool
    is_invisible: bool = False
    font: int = 0


def read_glyphs(page: pdfium.PdfPage, textpage: pdfium.PdfTextPage, width: int, height: int) -> list[Glyph | None]:
    """Return the characters of a page in the order of the layer; None: a line ends there.

    Args:
        page: Of the document.
        textpage: Its text.
        width: Of the page as it is rendered, px.
        height: The same.
    """
    to_px = mapping(page, width, height)
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
        shown_by = raw.FPDFText_GetTextObject(textpage, index)
        is_invisible = raw.FPDFTextObj_GetTextRenderMode(shown_by) in WITHOUT_INK
        font = ctypes.cast(raw.FPDFTextObj_GetFont(shown_by), ctypes.c_void_p).value or 0
        found.append(Glyph(text, float(x0), float(y0), float(x1), float(y1), is_broken, is_invisible, font))
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


def mapping(page: pdfium.PdfPage, width: int, height: int) -> Points:
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
