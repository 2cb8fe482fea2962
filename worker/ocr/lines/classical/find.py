"""Find the text lines of an upright page with classical means.

Ink of both polarities is cut into pieces; pieces that see each other in a row and are alike in height are linked into
fragments, fragments across word gaps into lines; dots, dashes and small strokes join the line that they stand in.
What is too uneven, too full or too faint to be writing is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from worker.ocr.ink import components
from worker.ocr.ink.components import Boxes
from worker.ocr.ink.copies import Copies
from worker.ocr.ink.ink import Gray, Ink
from worker.ocr.lines.classical import attachments, fragments, linking, writing
from worker.ocr.lines.classical.writing import Fragment
from worker.ocr.lines.text_line import TextLine

WORK_PIXELS = 3_000_000  # a larger page is searched on a smaller copy
SMALL_SIDE = 900  # px; a page with no longer side is searched on a copy of double size
LEAST_INK = 20  # px; less is not worth a search
SHORTEST_RULE = 40  # px; a straight stroke of this length ...
RULE_HEIGHTS = 3.0  # ... and this many character heights is a rule, not a part of a character
LARGEST_SHARE = 0.30  # of the page height: taller pieces are pictures or frames
LARGEST_HEIGHT = 250  # px; pieces up to this height may be characters on the lowest page
SAME_PLACE = 0.5  # of the smaller of two lines; lines of both polarities that share more are one
TILTED = 0.25  # of the character height; a line that rises by less is cut out straight


def find_lines(page: Copies) -> list[TextLine]:
    """Return the text lines of an upright page in no order. A page without text gives none."""
    is_small = max(page.gray.shape) < SMALL_SIDE
    scale = 2.0 if is_small else min(1.0, float((WORK_PIXELS / page.gray.size) ** 0.5))
    found = _without_overlaps(_search(page.image(scale), page.ink(scale)))
    return [_to_line(fragment, scale) for fragment in found]


def _search(gray: Gray, ink: Ink) -> list[Fragment]:
    found = []
    for mask in _both_polarities(ink):
        found += [writing.measure(pieces, mask, gray, ink.depth) for pieces in _fragments_of(mask)]
    return writing.select_writing(found)


def _both_polarities(ink: Ink) -> tuple[Gray, Gray]:
    """Return the dark and the light mask, each with the holes of the other's solid bars: white writing on black."""
    dark = cv2.bitwise_or(ink.dark, components.holes_of_solids(ink.light))
    light = cv2.bitwise_or(ink.light, components.holes_of_solids(ink.dark))
    return np.asarray(dark, np.uint8), np.asarray(light, np.uint8)


def _fragments_of(mask: Gray) -> list[Boxes]:
    """Return the candidate lines of one polarity."""
    if cv2.countNonZero(mask) < LEAST_INK:
        return []
    mask, pieces, rules = _without_rules(mask)
    pieces = pieces.select(pieces.heights <= max(LARGEST_SHARE * mask.shape[0], LARGEST_HEIGHT))
    may_begin = fragments.may_begin_a_line(pieces)
    seeds, rest = pieces.select(may_begin), pieces.select(~may_begin)
    if len(seeds) == 0:
        return []
    shape = (mask.shape[0], mask.shape[1])
    groups = fragments.link_pieces(seeds, shape, rules)
    parts = fragments.split_rows(linking.split(seeds.boxes, groups))
    parts = attachments.attach_strokes(attachments.absorb(parts, shape), components.usual_height(seeds))
    parts = attachments.attach(parts, rest.boxes)
    for _ in range(2):  # a word that was joined on the left may now reach the one on its right
        parts = fragments.link_fragments(parts, mask, rules)
    return attachments.absorb(parts, shape)


def _without_rules(mask: Gray) -> tuple[Gray, components.Pieces, Boxes]:
    pieces = components.find_pieces(mask)
    length = max(SHORTEST_RULE, round(RULE_HEIGHTS * components.usual_height(pieces)))
    if max(pieces.widths.max(initial=0), pieces.heights.max(initial=0)) < length:
        return mask, pieces, components.NO_BOXES
    mask, rules = components.remove_rules(mask, length)
    return mask, components.find_pieces(mask), rules


def _without_overlaps(found: Sequence[Fragment]) -> list[Fragment]:
    """Where two fragments cover the same place, keep the one with more pieces."""
    hulls = fragments.hulls_of([f.pieces for f in found]).astype(np.float64)
    area = (hulls[:, 2] - hulls[:, 0]) * (hulls[:, 3] - hulls[:, 1])
    kept: list[int] = []
    for i in sorted(range(len(found)), key=lambda i: (-len(found[i].pieces), i)):
        common = fragments.overlaps(hulls[i], hulls[kept]) / np.minimum(area[i], area[kept])
        if not (common >= SAME_PLACE).any():
            kept.append(i)
    return [found[i] for i in kept]


def _to_line(fragment: Fragment, scale: float) -> TextLine:
    """Return the fragment as a line of the page that is `scale` times smaller than the searched one."""
    pieces = fragment.pieces
    left, top, right, bottom = (float(v) for v in fragments.hull_of(pieces))
    slope = fragments.slope_of(pieces)
    if abs(slope) * (right - left) < TILTED * fragment.height:
        slope = 0.0
    rise = slope * (pieces[:, 0] + pieces[:, 2]) / 2
    top, bottom = float((pieces[:, 1] - rise).min()), float((pieces[:, 3] - rise).max())
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    polygon = np.array([(x, y + slope * x) for x, y in corners], np.float32)
    return TextLine(polygon / np.float32(scale), fragment.height / scale)
