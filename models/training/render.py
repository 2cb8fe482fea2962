"""Draws one text line as a scan, a screenshot, a receipt or a photo shows it, and knows where each character is."""

from __future__ import annotations

import dataclasses
import pathlib
import random
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.charset import CJK, unify
from models.training import degrade
from models.training.fonts import EM_PIXELS, Glyph, Glyphs, Library
from models.training.text import TextSampler

Ink = NDArray[Any]  # uint8; see models.training.degrade
MARGIN = EM_PIXELS
WIDEST_EMS = 40
SCREEN_EMS = (11, 12, 12, 13, 14, 15, 16, 18)
SCREEN_SHARE = 0.12
"""Text on screens is hinted for its few pixels and is no large glyph made small: some lines are drawn at their size."""

SIGN_SHARE = 0.08
"""Shop signs, street names, posters and labels, photographed: single words, bold shapes, hard backgrounds."""


@dataclasses.dataclass(frozen=True)
class RenderedLine:
    """One example.

    Attributes:
        image: (H, W) uint8 gray, 0 = black; height 9 to 116 pixels.
        text: what it says, in the charset's spelling.
        centres: x of the middle of each character as a share of the width, 0..1, len(text) values.
    """

    image: Ink
    text: str
    centres: NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Drawing:
    """Ink of one line on a canvas with `MARGIN` around: coverage, size, centres and extent in canvas pixels."""

    ink: Ink
    text: str
    em: int
    centres: list[float]
    left: int
    right: int
    top: int
    bottom: int


class LineRenderer:
    """Renders endless different lines from the fonts and corpora below `folder`."""

    def __init__(self, folder: pathlib.Path, characters: list[str], seed: int) -> None:
        self.rng = random.Random(seed)
        self.noise = np.random.default_rng(seed)
        self.library = Library(folder, self.rng)
        self.sampler = TextSampler(folder / "corpus", characters, self.rng)
        self.known = set(characters)
        self.previous: Drawing | None = None

    def render(self, text: str | None = None, plain: bool = False) -> RenderedLine:
        """One line; `text` None draws one from the corpora, `plain` leaves every degradation out."""
        if text is None and not plain and self.rng.random() < SIGN_SHARE:
            return self.render_sign()
        while True:
            drawing = self.draw(text if text is not None else self.sampler.sample(), self.size())
            if drawing is not None:
                break
        if plain:
            ink = drawing.ink
        else:
            ink = self.decorate(drawing) if drawing.em == EM_PIXELS else self.decorate_screen(drawing)
        coverage, centres = self.place(drawing, ink, plain)
        image = degrade.paint(coverage, self.rng, self.noise) if not plain else 255 - coverage
        if not plain:
            image = degrade.spoil(image, self.rng, self.noise)
        self.previous = drawing
        return RenderedLine(image, drawing.text, np.clip(centres, 0, 1))

    def render_sign(self) -> RenderedLine:
        """One word or two as a camera sees them on a wall."""
        while True:
            drawing = self.draw(self.sampler.sign(), spread=0.5)
            if drawing is not None:
                break
        ink = degrade.embolden(drawing.ink, self.rng)
        if self.previous is not None and self.rng.random() < 0.25:
            self.add_neighbour(ink, drawing, self.previous)
        coverage, centres = self.place(drawing, ink, plain=False, strength=2.5)
        image = degrade.paint_sign(coverage, self.rng, self.noise)
        self.previous = drawing
        return RenderedLine(degrade.spoil(image, self.rng, self.noise), drawing.text, np.clip(centres, 0, 1))

    def size(self) -> int:
        """Pixels of the em: most lines are drawn large and made small, some are drawn at the size of screens."""
        return self.rng.choice(SCREEN_EMS) if self.rng.random() < SCREEN_SHARE else EM_PIXELS

    def draw(self, text: str, em: int = EM_PIXELS, spread: float = 0.3) -> Drawing | None:
        """Lay the glyphs out on one baseline; None when a face lacks too much or nothing is left."""
        rng = self.rng
        chinese = bool(CJK.search(text))
        main = self.library.pick(chinese, em)
        latin = self.library.pick(False, em) if chinese and rng.random() < 0.5 else main
        tracking = rng.choice((0.0, 0.0, 0.0, rng.uniform(-0.03, 0.06), rng.uniform(0, spread))) * em
        gap = rng.choice((1.0, 1.0, rng.uniform(0.75, 1.6), rng.uniform(1.5, 5.0) if rng.random() < 0.3 else 1.0))
        full_width = chinese and rng.random() < 0.6
        placed: list[tuple[str, Glyph, float]] = []
        pen = float(MARGIN)
        for character in text:
            glyph = self.glyph(character, latin if character.isascii() else main, main if full_width else None)
            if glyph is None:
                return None
            advance = glyph.advance * (gap if character == " " else 1.0) + tracking
            if pen + advance > MARGIN + WIDEST_EMS * em:
                break
            placed.append((character, glyph, pen))
            pen += max(advance, 2.0)
        while placed and placed[-1][0] == " ":
            placed.pop()
        return self.compose(placed, em) if placed else None

    def glyph(self, character: str, face: Glyphs, wide: Glyphs | None) -> Glyph | None:
        """Glyph of `character`; punctuation among Chinese is drawn in its full-width form when `wide` is given."""
        if wide is not None and character in ",:;!?()~":
            glyph = wide.get(chr(ord(character) + 0xFEE0))
            if glyph is not None:
                return glyph
        if character == "·" and wide is not None:
            return wide.get("・") or wide.get("·") or face.get(character)
        return face.get(character) or (wide.get(character) if wide else None)

    def compose(self, placed: list[tuple[str, Glyph, float]], em: int) -> Drawing | None:
        drawn = [(glyph, round(pen) + glyph.left) for _, glyph, pen in placed if glyph.ink.size]
        if not drawn:
            return None
        above = max(em // 3, *(-glyph.top for glyph, _ in drawn))
        below = max(0, *(glyph.top + glyph.ink.shape[0] for glyph, _ in drawn))
        left = min(x for _, x in drawn)
        right = max(x + glyph.ink.shape[1] for glyph, x in drawn)
        shift = MARGIN - left
        baseline = MARGIN + above
        ink = np.zeros((baseline + below + MARGIN, right + shift + MARGIN), np.uint8)
        for glyph, x in drawn:
            rows, columns = glyph.ink.shape
            y = baseline + glyph.top
            view = ink[y : y + rows, x + shift : x + shift + columns]
            np.maximum(view, glyph.ink, out=view)
        centres = []
        for index, (_, glyph, pen) in enumerate(placed):
            if glyph.ink.size:
                centres.append(round(pen) + glyph.left + glyph.ink.shape[1] / 2 + shift)
            else:
                centres.append((pen + (placed[index + 1][2] if index + 1 < len(placed) else pen)) / 2 + shift)
        text = unify("".join(character for character, _, _ in placed))
        return Drawing(ink, text, em, centres, MARGIN, right + shift, MARGIN, baseline + below)

    def decorate(self, drawing: Drawing) -> Ink:
        """Stroke weight, dots, rules, boxes and slices of the neighbouring lines."""
        rng, ink = self.rng, drawing.ink.copy()
        draw = rng.random()
        if draw < 0.12:
            ink = cv2.dilate(ink, np.ones(rng.choice(((2, 2), (1, 2), (2, 1), (3, 3))), np.uint8))
        elif draw < 0.20:
            ink = cv2.erode(ink, np.ones(rng.choice(((2, 2), (1, 2), (2, 1))), np.uint8))
        if rng.random() < 0.03:
            ink = degrade.dots(ink, rng)
        height = drawing.bottom - drawing.top
        if rng.random() < 0.09:
            row = drawing.bottom + rng.randint(-height // 4, height // 5)
            cv2.line(
                ink,
                (rng.choice((0, drawing.left)), row),
                (ink.shape[1], row + rng.randint(-2, 2)),
                rng.randint(120, 255),
                rng.randint(1, 3),
            )
        if rng.random() < 0.05:
            for column in rng.sample(
                (drawing.left - rng.randint(4, 20), drawing.right + rng.randint(4, 20)), rng.randint(1, 2)
            ):
                cv2.line(
                    ink,
                    (column, 0),
                    (column + rng.randint(-2, 2), ink.shape[0]),
                    rng.randint(120, 255),
                    rng.randint(1, 3),
                )
        if self.previous is not None and rng.random() < 0.2:
            self.add_neighbour(ink, drawing, self.previous)
        return ink

    def decorate_screen(self, drawing: Drawing) -> Ink:
        """Bold, as screens make it (the same again, a pixel to the right), and links' underlines."""
        rng, ink = self.rng, drawing.ink.copy()
        if rng.random() < 0.4:
            ink[:, 1:] = np.maximum(ink[:, 1:], drawing.ink[:, :-1])
        if rng.random() < 0.2:
            row = drawing.bottom + rng.randint(-1, 2)
            start = rng.randint(drawing.left, drawing.right) if rng.random() < 0.5 else drawing.left
            cv2.line(ink, (start, row), (drawing.right, row), 255, 1)
        return ink

    def add_neighbour(self, ink: Ink, drawing: Drawing, other: Drawing) -> None:
        """Let the line above or below reach into the crop, as in tightly set pages."""
        body = other.ink[other.top : other.bottom, other.left : other.right]
        columns = min(body.shape[1], ink.shape[1])
        reach = self.rng.randint(0, MARGIN)
        if reach == 0:
            return
        slice_ = body[-reach:, :columns] if self.rng.random() < 0.5 else body[:reach, :columns]
        gap = self.rng.randint(2, 10)
        rows = slice_.shape[0]
        if slice_ is body[-reach:, :columns] or self.rng.random() < 0.5:
            end = max(0, drawing.top - gap)
            take = min(rows, end)
            target = ink[end - take : end, :columns]
            np.maximum(target, slice_[rows - take :], out=target)
        else:
            start = min(ink.shape[0], drawing.bottom + gap)
            take = min(rows, ink.shape[0] - start)
            target = ink[start : start + take, :columns]
            np.maximum(target, slice_[:take], out=target)

    def place(self, drawing: Drawing, ink: Ink, plain: bool, strength: float = 1.0) -> tuple[Ink, NDArray[np.float64]]:
        """Crop, tilt, shear, squeeze and scale in one warp; returns coverage (H, W) uint8 and the centres as shares.

        `strength` > 1 tilts and squeezes more, and more often.
        """
        rng = self.rng
        height = drawing.bottom - drawing.top
        if plain:
            above = below = beside = 0.08 * height
            target, stretch, tilt, shear, keystone = 36.0, 1.0, 0.0, 0.0, 0.0
        else:
            loose = rng.random() < 0.15
            above, below = (rng.uniform(-0.04, 0.5 if loose else 0.2) * height for _ in range(2))
            beside = rng.uniform(0.0, 1.6 if loose else 0.45) * height
            target = self.target_height() if strength == 1.0 else rng.uniform(16, 70)
            stretch = rng.uniform(0.82, 1.2) ** strength if rng.random() < 0.5 * strength else 1.0
            tilt = rng.gauss(0, 0.018 * strength) if rng.random() < 0.4 * strength else 0.0
            shear = rng.uniform(-0.12, 0.3) if rng.random() < 0.12 * strength else 0.0
            keystone = rng.uniform(-0.12, 0.12) if rng.random() < 0.12 * strength else 0.0
        if drawing.em < EM_PIXELS:
            above, below, beside = round(above) + 1, round(below) + 1, round(beside) + 1
            target = (height + above + below) * rng.choice((1.0, 1.0, 1.0, 2.0, rng.uniform(1.0, 2.5)))
            stretch, tilt, shear, keystone = 1.0, 0.0, 0.0, 0.0
        x0, x1 = drawing.left - beside, drawing.right + (beside if plain else rng.uniform(0, 1) * 2 * beside)
        y0, y1 = drawing.top - above, drawing.bottom + below
        rise = min(abs(np.tan(tilt)) * (x1 - x0) / 2, 0.5 * height)
        y0, y1 = y0 - rise * 0.6, y1 + rise * 0.6
        scale = target / (y1 - y0)
        if scale < 0.75:
            before = max(scale / 0.75, 0.1)
            small = cv2.resize(ink, None, fx=before, fy=before, interpolation=cv2.INTER_AREA)
            ratio = small.shape[1] / ink.shape[1], small.shape[0] / ink.shape[0]
        else:
            small, ratio = ink, (1.0, 1.0)
        width = max(4, round((x1 - x0) * scale * stretch))
        rows = round(target)
        slope = np.sign(tilt) * rise
        skew = shear * (y1 - y0)
        lift = keystone * (y1 - y0)
        corners = np.array(
            [
                [x0 + skew / 2, y0 - slope + lift],
                [x1 + skew / 2, y0 + slope - lift],
                [x1 - skew / 2, y1 + slope + lift],
                [x0 - skew / 2, y1 - slope - lift],
            ],
            np.float32,
        )
        corners *= np.array(ratio, np.float32)
        frame = np.array([[0, 0], [width, 0], [width, rows], [0, rows]], np.float32)
        warp = cv2.getPerspectiveTransform(corners, frame)
        coverage = cv2.warpPerspective(small, warp, (width, rows), flags=cv2.INTER_LINEAR)
        middle = (drawing.top + drawing.bottom) / 2
        points = np.array([[x * ratio[0], middle * ratio[1], 1.0] for x in drawing.centres])
        moved = points @ warp.T
        if not plain and rng.random() < 0.06 * strength:
            coverage = degrade.bend(coverage, rng)
        return np.ascontiguousarray(coverage), moved[:, 0] / moved[:, 2] / width

    def target_height(self) -> float:
        draw = self.rng.random()
        if draw < 0.10:
            return self.rng.uniform(9, 14)
        if draw < 0.32:
            return self.rng.uniform(14, 22)
        if draw < 0.92:
            return self.rng.uniform(22, 46)
        return self.rng.uniform(46, 64)
