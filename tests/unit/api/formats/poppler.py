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

from api.formats.pdf.text_layer import LEVEL
from api.formats.places import PlacedWord, words_of
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


def lost(one: Line, found: Sequence[Found]) -> list[str]:
    """Words up to a space that poppler does not find with all four sides within two pixels of their place.

    Of a run of hanzi it may find parts, where its line is tilted: each of them one or more of our words, at its place.
    """
    runs: list[list[PlacedWord]] = []
    for word in words_of(one):
        if word.is_spaced or not runs:
            runs.append([])
        runs[-1].append(word)
    return ["".join(word.text for word in run) for run in runs if not _is_found(run, found)]


def _is_found(run: Sequence[PlacedWord], found: Sequence[Found]) -> bool:
    ends = (end for end in range(len(run), 0, -1) if any(_is_near(run[:end], word) for word in found))
    return not run or any(_is_found(run[end:], found) for end in ends)


def _is_near(words: Sequence[PlacedWord], found: Found) -> bool:
    if found.text != "".join(word.text for word in words):
        return False
    lefts, tops, rights, bottoms = zip(*(_laid(word) for word in words), strict=True)
    wanted = (min(lefts), min(tops), max(rights), max(bottoms))
    got = (found.left, found.top, found.right, found.bottom)
    return all(abs(a - b) <= NEAR_PX for a, b in zip(got, wanted, strict=True))


def _laid(word: PlacedWord) -> tuple[float, float, float, float]:
    """The box of a word as a PDF holds it: level at its middle where it is a little tilted, else around its corners."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = word.polygon
    rise, height = abs(by - ay + cy - dy) / 2, abs(dy - ay + cy - by) / 2
    if rise <= LEVEL * height:
        middle = (ay + by + cy + dy) / 4
        return (ax + dx) / 2, middle - height / 2, (bx + cx) / 2, middle + height / 2
    xs, ys = [x for x, _ in word.polygon], [y for _, y in word.polygon]
    return min(xs), min(ys), max(xs), max(ys)
