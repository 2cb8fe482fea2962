"""Text drawn with fonts of Debian packages: hanzi in one face, everything else in another, on one baseline."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from PIL import ImageDraw, ImageFont

Box = tuple[float, float, float, float]  # px: left, top, right, bottom


class FontMissingError(Exception):
    """A font is not installed; the message names the package that has it."""


@cache
def load(family: str, size: int, package: str) -> ImageFont.FreeTypeFont:
    """A font by the name that fontconfig knows it by."""
    try:
        command = ["fc-match", "--format=%{family}\t%{file}\t%{index}", family]
        found, file, index = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\t")
    except OSError as error:
        raise FontMissingError("fontconfig is not installed: apt-get install fontconfig") from error
    if family not in found.split(","):
        raise FontMissingError(f"{family} is not installed: apt-get install {package}")
    return ImageFont.truetype(file, size, index=int(index) & 0xFFFF)


@dataclass(frozen=True)
class Face:
    """Two families, each with its package, and how many px high an em is."""

    hanzi: tuple[str, str]
    latin: tuple[str, str]
    size: int

    def _runs(self, text: str) -> Iterator[tuple[str, ImageFont.FreeTypeFont]]:
        for is_latin, run in itertools.groupby(text, key=lambda one: one < "\u2000"):
            family, package = self.latin if is_latin else self.hanzi
            yield "".join(run), load(family, self.size, package)

    def width(self, text: str) -> float:
        """Advance of a text in px."""
        return sum(font.getlength(run) for run, font in self._runs(text))

    def draw(self, on: ImageDraw.ImageDraw, left: float, baseline: float, text: str, ink: Any = 0) -> Box:
        """Draw a text; return the box of its ink."""
        box = self.box(left, baseline, text)
        for run, font in self._runs(text):
            on.text((left, baseline), run, ink, font, anchor="ls")
            left += font.getlength(run)
        return box

    def box(self, left: float, baseline: float, text: str) -> Box:
        """Where the ink of a text would be."""
        boxes = []
        for run, font in self._runs(text.rstrip()):
            boxes.append(font.getbbox(run, anchor="ls"))
            boxes[-1] = (left + boxes[-1][0], boxes[-1][1], left + boxes[-1][2], boxes[-1][3])
            left += font.getlength(run)
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        return min(lefts), baseline + min(tops), max(rights), baseline + max(bottoms)
