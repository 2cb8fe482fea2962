"""A pool of line inks: drawing glyphs is slow, so each line is drawn once and stands on many pages."""

from __future__ import annotations

import dataclasses
import random

import cv2
import numpy as np
from numpy.typing import NDArray

from models.charset import CJK
from models.training.drawing import degrade
from models.training.drawing.fonts import EM_PIXELS
from models.training.drawing.render import SCREEN_EMS, LineRenderer

Ink = NDArray[np.uint8]

SPLIT_GAP = 1.5  # of the ink's height; a wider gap parts a line in two, as the classical finder does
SCREEN_SHARE = 0.15
RULES = ("-", "-", "=", "*", ".", "_", "- ", "* ", "~", "#")
WIDEST_TRACKING = 0.9  # of the em, between the characters of spaced words
MARKS = frozenset(" -_.,:;'\"`~·*=+|/\\")


@dataclasses.dataclass(frozen=True)
class LineInk:
    """One line, ready to be pasted.

    ink: (h, w) uint8 coverage, tight around the writing.
    em: font size in pixels at which it was drawn.
    chinese: whether it holds Chinese characters.
    """

    ink: Ink
    em: int
    chinese: bool

    @property
    def is_screen(self) -> bool:
        """Whether it was hinted for its own size and should not be scaled."""
        return self.em < EM_PIXELS


def parts_of(ink: Ink) -> list[tuple[int, int, int, int]]:
    """Return tight boxes (left, top, right, bottom) of the parts of a line, split at gaps over SPLIT_GAP heights."""
    columns = np.flatnonzero(ink.max(0) > 40)
    if len(columns) == 0:
        return []
    breaks = np.flatnonzero(np.diff(columns) > SPLIT_GAP * ink.shape[0])
    starts, ends = columns[np.r_[0, breaks + 1]], columns[np.r_[breaks, len(columns) - 1]] + 1
    boxes = []
    for left, right in zip(starts.tolist(), ends.tolist(), strict=True):
        rows = np.flatnonzero(ink[:, left:right].max(1) > 40)
        boxes.append((left, int(rows[0]), right, int(rows[-1]) + 1))
    return boxes


class InkPool:
    """Keeps `size` lines; each draw may replace one, so that the pool never grows stale."""

    def __init__(self, renderer: LineRenderer, size: int = 400, renewal: float = 0.04) -> None:
        self.renderer, self.rng, self.renewal = renderer, renderer.rng, renewal
        self.lines: list[LineInk] = []
        while len(self.lines) < size:
            self.lines.append(self._fresh())
        self.rules: list[Ink] = []
        while len(self.rules) < max(4, size // 16):
            self.rules += self._rule()

    def draw(self, chinese: bool | None = None, screen: bool = False, widest: float = 99.0) -> LineInk:
        """Return a line; where the pool has such a one in a few tries, of one script, hinted for screens, or short.

        widest: em.
        """
        if self.rng.random() < self.renewal:
            self.lines[self.rng.randrange(len(self.lines))] = self._fresh()
        for _ in range(12):
            line = self.rng.choice(self.lines)
            is_short = line.ink.shape[1] <= widest * line.em
            if line.is_screen == screen and chinese in (None, line.chinese) and is_short:
                break
        return line

    def _fresh(self) -> LineInk:
        rng = self.rng
        while True:
            text = self._text()
            if set(text) <= MARKS:
                continue
            em = rng.choice(SCREEN_EMS) if rng.random() < SCREEN_SHARE else EM_PIXELS
            drawing = self.renderer.draw(text, em, WIDEST_TRACKING)
            if drawing is None:
                continue
            ink = drawing.ink[drawing.top : drawing.bottom, drawing.left : drawing.right]
            if em == EM_PIXELS:
                ink = _printed(ink, rng)
            rows, columns = np.flatnonzero(ink.max(1)), np.flatnonzero(ink.max(0))
            ink = np.ascontiguousarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
            return LineInk(ink, em, bool(CJK.search(text)))

    def draw_rule(self) -> Ink:
        """Return a row of dashes, stars, dots or equals signs: a rule that is typed, and no writing."""
        return self.rng.choice(self.rules)

    def _rule(self) -> list[Ink]:
        text = self.rng.choice(RULES) * self.rng.randint(12, 60)
        drawing = self.renderer.draw(text)
        if drawing is None:
            return []
        return [np.ascontiguousarray(drawing.ink[drawing.top : drawing.bottom, drawing.left : drawing.right])]

    def _text(self) -> str:
        """Short ones more often than the recogniser meets them: columns of figures, single words and digits."""
        sampler = self.renderer.sampler
        draw = self.rng.random()
        if draw < 0.1:
            return sampler.records.digits(3)
        if draw < 0.2:
            return sampler.records.amount()
        if draw < 0.27:
            return sampler.sample()[: self.rng.randint(1, 4)].strip() or "1"
        return sampler.sample()


def _printed(ink: Ink, rng: random.Random) -> Ink:
    """Heavier, lighter, dotted or hollow strokes; narrow or wide type, as receipts' double height and width."""
    if rng.random() < 0.3:
        stretch = rng.choice((0.5, rng.uniform(0.55, 0.9), rng.uniform(1.1, 1.8)))
        ink = np.asarray(cv2.resize(ink, None, fx=stretch, fy=1.0, interpolation=cv2.INTER_AREA), np.uint8)
    draw = rng.random()
    if draw < 0.14:
        return np.asarray(cv2.dilate(ink, np.ones((3, 3), np.uint8)), np.uint8)
    if draw < 0.2:
        return np.asarray(cv2.erode(ink, np.ones((2, 2), np.uint8)), np.uint8)
    if draw < 0.26:
        return np.asarray(degrade.dots(ink, rng), np.uint8)
    if draw < 0.3:
        return np.asarray(cv2.morphologyEx(ink, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)), np.uint8)
    return ink
