"""XML by the standard library: what must not stand in it is left out, and files are indented for people who look."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from shared.result.polygon import Polygon

__all__ = ["Element", "SubElement", "document", "points_of", "produced_by", "stamp", "words"]

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Source: XML 1.0, production 2. A model's charset may hold anything."""


def words(text: str) -> str:
    """The text without characters that XML does not allow."""
    return _FORBIDDEN.sub("�", text)


def document(root: Element, head: str = "", *, is_indented: bool = True) -> str:
    """The file with its declaration and what else stands before the root; not indented where spaces mean something."""
    if is_indented:
        indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{tostring(root, encoding="unicode")}\n'


def points_of(polygon: Polygon | Sequence[tuple[float, float]], width: int, height: int) -> str:
    """Points as `x,y x,y`, whole pixels within a page of this size."""
    return " ".join(f"{min(max(0, round(x)), width)},{min(max(0, round(y)), height)}" for x, y in polygon)


def stamp(moment: datetime) -> str:
    """A time as XML Schema spells it, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def produced_by() -> str:
    """This program, by name and version."""
    return f"ocrelay {version('ocrelay')}"
