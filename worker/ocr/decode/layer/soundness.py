"""Whether the text layer of a page may be taken instead of recognising it.

A born-digital page knows its text exactly. A scan may carry what an old OCR read: that lies under a picture, or is not
drawn at all, and is not taken.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray
from pypdfium2 import raw

from worker.ocr.decode.layer.drawings import without_drawings
from worker.ocr.decode.layer.glyphs import MOST_CHARACTERS, Glyph, Points
from worker.ocr.decode.layer.images import corners, pictures
from worker.ocr.decode.layer.lines import LayerLine

Gray = NDArray[np.uint8]

MOST_BROKEN = 0.02  # share of the characters that say nothing: without a meaning in Unicode, private, control
MOST_PICTURE = 0.3  # share of the page under pictures; under more, there may be writing in them
LEAST_DRAWN = 0.95  # share of the characters whose line shows ink where the layer says that it stands
MOST_ELSEWHERE = 0.5  # share of the ink, drawings aside, outside of the layer's lines; more may be writing as shapes
INK_DEPTH = 60  # grey levels from the paper
LEAST_INK = 0.01  # share of a line's box
KEPT_ANNOTATIONS = {raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP, raw.FPDF_ANNOT_HIGHLIGHT, raw.FPDF_ANNOT_UNDERLINE}
"""Annotations that show no text of their own. The text of all others is drawn, and is not in the layer."""


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
    if not _shows_only_itself(page) or sum(picture.share for picture in pictures(page)) > MOST_PICTURE:
        return False
    return _is_drawn(lines, probe, scale, corners(page, probe.shape[1], probe.shape[0]))


def _shows_only_itself(page: pdfium.PdfPage) -> bool:
    """Tell whether no annotation or form field may show text that is not in the layer."""
    for index in range(raw.FPDFPage_GetAnnotCount(page)):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        kind = raw.FPDFAnnot_GetSubtype(annotation)
        raw.FPDFPage_CloseAnnot(annotation)
        if kind not in KEPT_ANNOTATIONS:
            return False
    return True


def ink_elsewhere(lines: Sequence[LayerLine], probe: Gray, scale: float) -> tuple[float, float]:
    """Return which share of a page's ink lies in no line of its layer, that of pictures included, 0..1.

    And the same share without drawings: of what may be writing.
    """
    ink = _ink(probe)
    total = int(ink.sum())
    for line in lines:
        ink[_place(line.polygon * scale)] = False
    left = int(ink.sum())
    in_lines, doubtful = total - left, int(without_drawings(ink).sum())
    return left / max(1, total), doubtful / max(1, in_lines + doubtful)


def _ink(probe: Gray) -> NDArray[np.bool_]:
    return np.asarray(np.abs(probe.astype(np.int16) - int(np.median(probe))) > INK_DEPTH, np.bool_)


def _is_drawn(lines: Sequence[LayerLine], probe: Gray, scale: float, elsewhere: Sequence[Points]) -> bool:
    """Tell whether nearly all lines show ink, and most of the ink is theirs; `elsewhere`: corners of pictures."""
    ink = _ink(probe)
    covered = np.zeros_like(ink)
    for ends in elsewhere:
        ink[_place(ends)] = False
    drawn = total = 0
    for line in lines:
        place = _place(line.polygon * scale)
        covered[place] = True
        total += len(line.text)
        if ink[place].size and ink[place].mean() >= LEAST_INK:
            drawn += len(line.text)
    outside, inside = without_drawings(ink & ~covered).sum(), (ink & covered).sum()
    return drawn >= LEAST_DRAWN * total and outside <= MOST_ELSEWHERE * max(1, inside + outside)


def _place(corners: Points) -> tuple[slice, slice]:
    """Return rows and columns that hold the corners, (N, 2) px, and one pixel more on each side."""
    x0, y0 = np.floor(corners.min(axis=0)).astype(int) - 1
    x1, y1 = np.ceil(corners.max(axis=0)).astype(int) + 1
    return slice(max(y0, 0), max(y1, 0)), slice(max(x0, 0), max(x1, 0))
