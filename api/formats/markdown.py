"""`markdown`: paragraphs joined over their lines, headings by the height of their writing, lists by their marks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from api.formats.format import Format, Source, as_utf8
from api.formats.paragraphs import Paragraph, marker_of, paragraphs_of
from api.formats.places import HANZI, advance
from shared.result import Page

_SPECIAL = re.compile(r"[\\`*_\[\]<>|~]")
_LEADING = re.compile(r"^(?=#{1,6} |[-+=] |={2,}$|-{2,}$)")
_NUMBER = re.compile(r"^(\d+)(?=[.)] )")


def make(source: Source) -> str:
    """The document; pages follow one another without a mark."""
    return "\n".join(block + "\n" for page in source.result.pages for block in blocks_of(page))


def blocks_of(page: Page) -> list[str]:
    """Headings, paragraphs and whole lists of a page, in order."""
    blocks: list[str] = []
    paragraphs = paragraphs_of(page)
    items = [marker_of(paragraph.lines[0].text) if paragraph.level == 0 else None for paragraph in paragraphs]
    for number, (paragraph, marker) in enumerate(zip(paragraphs, items, strict=True)):
        text = joined([line.text.strip() for line in paragraph.lines])
        if marker is None:
            blocks.append(_block(paragraph, text))
        elif number and items[number - 1] is not None:
            blocks[-1] += "\n" + _item(marker, text)
        else:
            blocks.append(_item(marker, text))
    return blocks


def joined(lines: Sequence[str]) -> str:
    """Lines as one: a hyphen that parts a word goes, hanzi meet without a space, everything else with one."""
    text = lines[0]
    for above, below in pairwise(lines):
        if re.search(r"[^\W\d_][-‐\u00ad]$", above) and below[:1].islower():
            text = text[:-1] + below
        elif not below or not above or HANZI in (advance(above[-1]), advance(below[0])):
            text += below
        else:
            text += " " + below
    return text


def escaped(text: str) -> str:
    """The text with a backslash before whatever Markdown would take for a mark."""
    return _LEADING.sub(r"\\", _SPECIAL.sub(r"\\\g<0>", text))


def _block(paragraph: Paragraph, text: str) -> str:
    if paragraph.level:
        return "#" * paragraph.level + " " + escaped(text)
    return _NUMBER.sub(r"\1\\", escaped(text))


def _item(marker: str, text: str) -> str:
    rest = escaped(text.strip()[len(marker) :].strip())
    number = marker[:-1]
    return f"{number}. {rest}" if number.isdigit() else f"- {rest}"


FORMAT = Format(
    "markdown",
    "text/markdown",
    "md",
    "paragraphs joined over lines and hyphens, headings by height, lists",
    as_utf8(make),
)
