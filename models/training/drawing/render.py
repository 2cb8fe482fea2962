"""Draws one text line as a scan, a screenshot, a receipt or a photo shows it, and knows where each character is."""

from __future__ import annotations

import dataclasses
import pathlib
import random

import cv2
import numpy as np
from numpy.typing import NDArray

from models.charset import CJK
from models.training.drawing import degrade, displays, letters, overlays, placement, walls
from models.training.drawing.canvas import MARGIN, Drawing, Ink, compose
from models.training.drawing.fonts import EM_PIXELS, Glyph, Glyphs, Library
from models.training.texts.text import Style, TextSampler

WIDEST_EMS = 40
SCREEN_EMS = (9, 10, 11, 12, 12, 13, 14, 15, 16, 18)
SMALL_EMS = (13, 14, 15, 16, 17, 18)
LAMP_EMS = (8, 9, 10, 11, 12, 14, 16)
SMALL_DIGITS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉", "0123456789+-0123456789", strict=True))
"""What programs make smaller, and raise or lower, where a text has an exponent, an index or the number of a note."""
SCREEN_SHARE = 0.12
"""Text on screens is hinted for its few pixels and is no large glyph made small: some lines are drawn at their size."""


@dataclasses.dataclass(frozen=True)
class RenderedLine:
    """One example.

    Attributes:
        image: (H, W) uint8 gray, 0 = black; height 6 to 160 pixels.
        text: what it says, in the charset's spelling.
        centres: x of the middle of each character as a share of the width, 0..1, len(text) values.
    """

    image: Ink
    text: str
    centres: NDArray[np.float64]


class LineRenderer:
    """Renders endless different lines from the fonts and corpora below `folder`."""

    def __init__(self, folder: pathlib.Path, characters: list[str], seed: int) -> None:
        self.rng = random.Random(seed)
        self.noise = np.random.default_rng(seed)
        self.library = Library(folder, self.rng)
        self.sampler = TextSampler(folder / "corpus", characters, self.rng)
        self.previous: Drawing | None = None

    def render(self, text: str | None = None, plain: bool = False) -> RenderedLine:
        """One line; `text` None draws one from the corpora, `plain` leaves every degradation out."""
        while True:
            said, style = self.sampler.pick() if text is None else (text, "page")
            drawing = self.draw_plain(said) if plain else self.draw_styled(said, style)
            if drawing is not None:
                break
        if plain:
            coverage, centres = placement.warp(drawing, drawing.ink, placement.plain_pose(drawing))
            line = RenderedLine(255 - coverage, drawing.text, np.clip(centres, 0, 1))
        elif style in ("sign", "plate"):
            line = self.finish_sign(drawing, framed=style == "plate")
        else:
            line = self.finish_page(drawing)
        self.previous = drawing
        return line

    def render_sign(self) -> RenderedLine:
        """One word or two as a camera sees them on a wall."""
        while True:
            drawing = self.draw_styled(self.sampler.sign(), "sign")
            if drawing is not None:
                return self.finish_sign(drawing, framed=False)

    def draw_plain(self, text: str) -> Drawing | None:
        return self.draw(text, self.size())

    def draw_styled(self, text: str, style: Style) -> Drawing | None:
        """Lay a text out as its style wants it; None where it cannot be drawn so."""
        if style == "display":
            if set(text) <= {*displays.SEGMENTS, ".", ":"} and self.rng.random() < 0.7:
                return displays.seven_segments(text, self.rng)
            small = self.draw(text, self.rng.choice(LAMP_EMS), 0.0)
            return displays.dot_matrix(small, self.rng) if small is not None and len(text) < 24 else None
        if style in ("sign", "plate"):
            return self.draw(text, spread=0.9 if text.isupper() else 0.5, role=self.role(text, "sign"))
        size = self.rng.choice(SMALL_EMS) if style == "small" and self.rng.random() < 0.6 else self.size()
        return self.draw(text, size, role=self.role(text, style))

    def role(self, text: str, style: Style) -> str | None:
        """Which faces a style asks for; None: those that the text needs."""
        if style in ("mono", "till") and not CJK.search(text):
            return style
        if style == "sign" and not CJK.search(text) and self.rng.random() < 0.06:
            return "chinese"
        return None

    def finish_page(self, drawing: Drawing) -> RenderedLine:
        """Print, scan or screen: strokes, what lies around, paper, and what scanners and codecs do."""
        ink = drawing.ink.copy()
        if drawing.em == EM_PIXELS:
            ink = degrade.strokes(ink, self.rng)
            overlays.decorate(drawing, ink, self.previous, self.rng)
        else:
            self.decorate_screen(drawing, ink)
        coverage, centres = placement.warp(drawing, ink, placement.pose_of(drawing, self.rng))
        if drawing.em == EM_PIXELS and self.rng.random() < 0.06:
            coverage = degrade.bend(coverage, self.rng)
        image = degrade.paint(coverage, self.rng, self.noise)
        return RenderedLine(degrade.spoil(image, self.rng, self.noise), drawing.text, np.clip(centres, 0, 1))

    def finish_sign(self, drawing: Drawing, framed: bool) -> RenderedLine:
        """A sign or a number plate on a wall, a car, a machine, seen by a camera."""
        ink = letters.embolden(drawing.ink, self.rng)
        if framed and self.rng.random() < 0.7:
            overlays.add_box(ink, drawing, self.rng)
        elif self.previous is not None and self.rng.random() < 0.25:
            overlays.add_neighbour(ink, drawing, self.previous, self.rng, self.rng.randint(1, 10))
        if not framed and letters.room_for_arch(drawing) and self.rng.random() < 0.1:
            drawing = letters.arch(drawing, ink, self.rng)
            ink = drawing.ink
        coverage, centres = placement.warp(drawing, ink, placement.sign_pose(drawing, self.rng))
        if self.rng.random() < 0.1:
            coverage = degrade.bend(coverage, self.rng)
        image = walls.paint_sign(coverage, self.rng, self.noise)
        return RenderedLine(degrade.spoil(image, self.rng, self.noise, fax=0.03), drawing.text, np.clip(centres, 0, 1))

    def size(self) -> int:
        """Pixels of the em: most lines are drawn large and made small, some are drawn at the size of screens."""
        return self.rng.choice(SCREEN_EMS) if self.rng.random() < SCREEN_SHARE else EM_PIXELS

    def draw(self, text: str, em: int = EM_PIXELS, spread: float = 0.3, role: str | None = None) -> Drawing | None:
        """Lay the glyphs out on one baseline; None when no face has a character or nothing is left.

        spread: most space between characters, em.
        role: of the faces; None: those that the text needs.
        """
        rng = self.rng
        chinese = bool(CJK.search(text))
        main = self.library.pick(role or ("chinese" if chinese else "latin"), em)
        latin = self.library.pick("latin", em) if chinese and rng.random() < 0.5 else main
        small = self.small_capitals(text, main) if spread > 0.3 else None
        tracking = rng.choice((0.0, 0.0, 0.0, rng.uniform(-0.03, 0.06), rng.uniform(0, spread))) * em
        gap = rng.choice((1.0, 1.0, rng.uniform(0.75, 1.6), rng.uniform(1.5, 5.0) if rng.random() < 0.3 else 1.0))
        full_width = chinese and rng.random() < 0.6
        shrink = rng.uniform(0.55, 0.8) if rng.random() < 0.7 else None
        placed: list[tuple[str, Glyph, float]] = []
        pen = float(MARGIN)
        for index, character in enumerate(text):
            face = latin if character.isascii() else main
            if small is not None and index and text[index - 1] != " ":
                face = small
            glyph = self.small_digit(character, face, shrink) if shrink else None
            glyph = glyph or self.glyph(character, face, main if full_width else None)
            if glyph is None:
                return None
            advance = glyph.advance * (gap if character == " " else 1.0) + tracking
            if pen + advance > MARGIN + WIDEST_EMS * em:
                break
            placed.append((character, glyph, pen))
            pen += max(advance, 2.0)
        while placed and placed[-1][0] == " ":
            placed.pop()
        return compose(placed, em) if placed else None

    def small_capitals(self, text: str, face: Glyphs) -> Glyphs | None:
        """The same face, smaller, for what follows the first letter of words in capitals; mostly None."""
        if not (text.isascii() and text.isupper() and text.isalpha() and self.rng.random() < 0.12):
            return None
        return self.library.sized(face.face, round(face.em * 0.8))

    def small_digit(self, character: str, face: Glyphs, shrink: float) -> Glyph | None:
        """A raised or lowered digit made of the face's own, as most programs make it; None for anything else.

        shrink: its size, as a share of the em.
        """
        large = SMALL_DIGITS.get(character)
        glyph = self.library.sized(face.face, max(6, round(face.em * shrink))).get(large) if large else None
        if glyph is None:
            return None
        lift = -0.15 if "₀" <= character <= "₉" else 1.0 - shrink  # of the em; raised ones reach above the capitals
        return dataclasses.replace(glyph, top=glyph.top - round(face.em * lift * 0.9))

    def glyph(self, character: str, face: Glyphs, wide: Glyphs | None) -> Glyph | None:
        """Glyph of `character`; punctuation among Chinese is drawn in its full-width form when `wide` is given."""
        if wide is not None and character in ",:;!?()~":
            glyph = wide.get(chr(ord(character) + 0xFEE0))
            if glyph is not None:
                return glyph
        if character == "·" and wide is not None:
            return wide.get("・") or wide.get("·") or face.get(character)
        found = face.get(character) or (wide.get(character) if wide else None)
        return found or (None if "\u4e00" <= character <= "\u9fff" else self.library.fall_back(character, face.em))

    def decorate_screen(self, drawing: Drawing, ink: Ink) -> None:
        """Bold, as screens make it (the same again, a pixel to the right), and links' underlines; in place."""
        rng = self.rng
        if rng.random() < 0.4:
            ink[:, 1:] = np.maximum(ink[:, 1:], drawing.ink[:, :-1])
        if rng.random() < 0.2:
            row = drawing.bottom + rng.randint(-1, 2)
            start = rng.randint(drawing.left, drawing.right) if rng.random() < 0.5 else drawing.left
            cv2.line(ink, (start, row), (drawing.right, row), 255, 1)
