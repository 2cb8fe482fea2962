"""Lines to paragraphs, by where they lie and how high they are; and which of them are headings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from api.formats.places import words_of
from shared.result import Line, Page
from shared.result.polygon import Point, Polygon

GAP = 0.9
"""Lines of one paragraph lie closer than this many line heights; single to one-and-a-half spacing is less."""
LIKE_HEIGHT = 1.35
"""Lines of one paragraph differ in height by less than this factor; l.o.w.e.r case alone makes 1.3."""
INDENT = 1.2
"""A line that begins this many heights further right than the one above begins a paragraph."""
SHORT = 2.5
"""A line that ends this many heights before the widest of its paragraph ends it, where the next word had room."""
HEADINGS = (1.8, 1.35)
"""Heights, in those of the body, from which on a short paragraph is a heading of level 1 and 2."""
HEADING_LINES = 3
BULLETS = "-–—*•·▪■●○◦□"
"""That mark an item where a space follows."""
TIGHT_BULLETS = "•▪■●○◦□"
"""That mark an item whatever follows."""


@dataclass(frozen=True)
class Placed:
    """A line where it would lie were the page's writing not turned: its box, and the height of its writing; px."""

    line: Line
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        """Of the writing."""
        return max(self.bottom - self.top, 1.0)


@dataclass(frozen=True)
class Paragraph:
    """Lines that belong together, in reading order. level: of a heading, 1 or 2; 0: it is none."""

    lines: tuple[Line, ...]
    level: int = 0


def paragraphs_of(page: Page) -> list[Paragraph]:
    """The lines of a page in paragraphs, none left out, in reading order."""
    groups: list[list[Placed]] = []
    for placed in placed_lines(page):
        if groups and belongs(placed, groups[-1]):
            groups[-1].append(placed)
        else:
            groups.append([placed])
    body = _body_height([placed for group in groups for placed in group])
    return [Paragraph(tuple(placed.line for placed in group), _level(group, body)) for group in groups]


def placed_lines(page: Page) -> list[Placed]:
    """The lines of a page, turned about its corner so that its writing is level, in reading order."""
    return [_placed(line, _turned(line.polygon, math.radians(page.angle))) for line in page.lines]


def belongs(line: Placed, group: Sequence[Placed]) -> bool:
    """Whether a line goes on with the paragraph above it, or with the row that it stands in."""
    above = group[-1]
    height = min(line.height, above.height)
    if min(line.bottom, above.bottom) - max(line.top, above.top) > 0.5 * height:
        return line.left > above.right - 0.5 * height
    if max(line.height, above.height) > LIKE_HEIGHT * height or marker_of(line.line.text):
        return False
    if not -0.5 * height < line.top - above.bottom < GAP * height:
        return False
    if min(line.right, above.right) <= max(line.left, above.left):
        return False
    indent = line.left - above.left
    may_move_left = len(group) == 1 and indent < 0  # the first line of a paragraph is indented
    may_move_right = marker_of(above.line.text) is not None  # the text of an item is
    if (indent > INDENT * height and not may_move_right) or (indent < -INDENT * height and not may_move_left):
        return False
    return not _is_last(above, line, max(placed.right for placed in [*group, line]))


def _is_last(above: Placed, line: Placed, right: float) -> bool:
    """Whether a line ends its paragraph: the first word of the next one would have had room in it."""
    room = right - above.right
    first = words_of(line.line)[:1]
    wide = sum(math.dist(word.polygon[0], word.polygon[1]) for word in first)
    return room > max(SHORT * line.height, wide + 0.5 * line.height)


def marker_of(text: str) -> str | None:
    """What marks the item of a list that a text begins: a bullet or a number with what follows it; None: no item."""
    text = text.lstrip()
    if text[:1] in BULLETS and text[1:2].strip() == "" and len(text) > 1:
        return text[0]
    if text[:1] in TIGHT_BULLETS and len(text) > 1:
        return text[0]
    digits = len(text) - len(text.lstrip("0123456789"))
    if 1 <= digits <= 3 and text[digits : digits + 1] in (".", ")", "、") and digits + 1 < len(text):
        follows = text[digits + 1]
        if follows == " " or not (follows.isascii() and follows.isalnum()):
            return text[: digits + 1]
    return None


def _placed(line: Line, polygon: Polygon) -> Placed:
    """Where a line that is level lies; the little that it is turned beside its page does not make it higher."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = polygon
    height = (math.hypot(dx - ax, dy - ay) + math.hypot(cx - bx, cy - by)) / 2
    middle = (ay + by + cy + dy) / 4
    return Placed(line, min(ax, dx), middle - height / 2, max(bx, cx), middle + height / 2)


def _turned(polygon: Polygon, angle: float) -> Polygon:
    """Undo a turn by an angle, counter-clockwise positive as people see it, where y runs down."""
    a, b, c, d = polygon
    return _turn(a, angle), _turn(b, angle), _turn(c, angle), _turn(d, angle)


def _turn(point: Point, angle: float) -> Point:
    x, y = point
    return x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)


def _body_height(lines: Sequence[Placed]) -> float:
    """The height of most of the text: the median over its characters."""
    heights = [line.height for line in lines for _ in line.line.text]
    return median(heights) if heights else 1.0


def _level(group: Sequence[Placed], body: float) -> int:
    if len(group) > HEADING_LINES:
        return 0
    height = median(line.height for line in group)
    return next((level for level, factor in enumerate(HEADINGS, 1) if height >= factor * body), 0)
