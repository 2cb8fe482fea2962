"""What poppler finds in a searchable PDF, held against what was recognised."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from api.formats.places import words_of
from shared.result import Line, Page
from tests.services import unavailable

NEAR_PX = 2.0


@dataclass(frozen=True)
class Found:
    """A word as poppler finds it: px of the page, origin top left."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


def run(*command: str | Path) -> str:
    if shutil.which(command[0]) is None:
        package = {"qpdf": "qpdf"}.get(str(command[0]), "poppler-utils")
        unavailable(f"{command[0]} is not installed: apt-get install {package}")
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def words_found(content: bytes, folder: Path, page: Page) -> list[Found]:
    (folder / "a.pdf").write_bytes(content)
    text = run("pdftotext", "-bbox", folder / "a.pdf", "-")
    root = ElementTree.fromstring(re.sub(r"<!DOCTYPE[^>]*>", "", text))
    (element,) = root.iter("{http://www.w3.org/1999/xhtml}page")
    scale = page.width / float(element.attrib["width"])
    assert scale == pytest.approx(page.height / float(element.attrib["height"]))
    return [
        Found(word.text or "", *(float(word.attrib[side]) * scale for side in ("xMin", "yMin", "xMax", "yMax")))
        for word in element
    ]


def joined_words(one: Line) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """What a reader takes for a word: our words up to the next space."""
    number = 0

    def place(word: Any) -> int:
        nonlocal number
        number += word.is_spaced
        return number

    for _, some in groupby(words_of(one), place):
        together = list(some)
        yield "".join(word.text for word in together), [point for word in together for point in word.polygon]


def assert_at_its_place(one: Line, found: Sequence[Found]) -> None:
    """Sides and middle within two pixels. A word that is level in the PDF is lower than the box around a tilted one."""
    for text, points in joined_words(one):
        xs, ys = [x for x, _ in points], [y for _, y in points]
        assert is_at(text, points, found), (
            text,
            min(xs),
            min(ys),
            max(xs),
            max(ys),
            [word for word in found if word.text == text],
        )


def is_at(text: str, points: Sequence[tuple[float, float]], found: Sequence[Found]) -> bool:
    """Whether a word was found where the points say that it is."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    rise = min(abs(points[1][1] - points[0][1]), abs(points[1][0] - points[0][0])) * len(points) / 4
    return any(
        word.text == text
        and abs(word.left - min(xs)) <= NEAR_PX
        and abs(word.right - max(xs)) <= NEAR_PX
        and abs(word.top + word.bottom - min(ys) - max(ys)) <= 2 * NEAR_PX
        and abs(word.bottom - word.top - max(ys) + min(ys)) <= 2 * NEAR_PX + rise
        for word in found
    )
