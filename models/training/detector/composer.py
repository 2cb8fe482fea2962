"""What all scenes draw with: papers, sizes, lines, paragraphs."""

from __future__ import annotations

import random

import cv2
import numpy as np

from models.training.detector.inks import InkPool
from models.training.detector.page import Gray, Page
from models.training.drawing.fonts import EM_PIXELS


class Composer:
    """The random sources that all scenes draw from. side: px of the pages' usual width and height."""

    def __init__(self, pool: InkPool, rng: random.Random, noise: np.random.Generator, side: int) -> None:
        self.pool, self.rng, self.noise, self.side = pool, rng, noise, side

    def paper(self, height: int, width: int, low: float = 165) -> tuple[Page, int]:
        """An empty page, mostly light with dark ink, and the ink's colour."""
        rng = self.rng
        light, dark = rng.uniform(low, 255), rng.uniform(0, 110)
        if rng.random() < 0.12:
            dark = light - rng.uniform(40, 90)
        if rng.random() < 0.08:
            light, dark = dark, light
        return Page(np.full((height, width), light, np.uint8)), int(dark)

    def size(self, low: float = 9, high: float = 34) -> float:
        """A font size in px, small ones more often."""
        return float(low * (high / low) ** self.rng.random())

    def show_through(self, page: Page) -> None:
        """The back of thin paper: faint mirrored writing, which is none of this page."""
        rng, paper = self.rng, float(page.image[0, 0])
        size = self.size(10, 30)
        colour = paper + (1 if paper < 128 else -1) * rng.uniform(6, 25)
        for y in range(rng.randint(0, 60), page.height, round(size * rng.uniform(1.2, 3))):
            ink: Gray = np.ascontiguousarray(self.pool.draw().ink[:, ::-1])
            ink = cv2.resize(ink, None, fx=size / EM_PIXELS, fy=size / EM_PIXELS, interpolation=cv2.INTER_AREA)
            page.blend(ink, rng.randint(-50, page.width // 2), y, colour)

    def phrase(self, page: Page, at: tuple[float, float], size: float, colour: int, limit: float) -> float:
        """One to three texts a word gap apart, which are one line; return the x of its end."""
        rng, stop, written = self.rng, at[0] + limit, len(page.quads)
        end = page.write(self.pool.draw(), at, size, colour, limit)
        while rng.random() < 0.3 and end + 2 * size < stop:
            end = page.write(
                self.pool.draw(), (end + size * rng.uniform(0.3, 0.95), at[1]), size, colour, stop - end - size
            )
        page.join(written, 1.3 * size)
        return end

    def paragraph(
        self, page: Page, box: tuple[int, int, int, int], size: float, colour: int, chinese: bool | None = None
    ) -> None:
        """Lines of running text from the top of a box (left, top, right, bottom) to its bottom."""
        rng = self.rng
        left, top, right, bottom = box
        pitch = size * rng.uniform(1.02, 1.9)
        chinese = rng.random() < 0.5 if chinese is None else chinese
        lines = [self.pool.draw(chinese) for _ in range(rng.randint(2, 6))]
        y, until_break = float(top), rng.randint(2, 12)
        indent = size * rng.choice((0, 0, 2))
        widest_space = rng.uniform(0.3, 1.3)  # justified lines, and what old books leave behind a full stop
        first = True
        while y + size < bottom:
            x = left + (indent if first else 0)
            last = until_break == 0
            stop = x + (right - x) * (rng.uniform(0.15, 0.9) if last else 1.0)
            written = len(page.quads)
            while x < stop - 2 * size:
                end = page.write(rng.choice(lines), (x, y), size, colour, stop - x)
                if end == x:
                    break
                x = end + size * (0.05 if chinese else rng.choice((0.3, widest_space)))
            page.join(written, 1.5 * size)
            first = last
            until_break = rng.randint(1, 12) if last else until_break - 1
            y += pitch * (rng.uniform(1.0, 1.8) if last else 1.0)


def sideways(c: Composer, page: Page, ink: int) -> None:
    """Writing that stands upright or lies on its head-side, which is not read: neither right nor wrong to find."""
    rng = c.rng
    size = c.size(10, 40)
    line: Gray = c.pool.draw().ink
    scale = size / EM_PIXELS
    line = cv2.resize(line, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    line = np.ascontiguousarray(np.rot90(line, rng.choice((1, 3))))
    left, top = rng.randrange(page.width), rng.randint(-line.shape[0] // 2, page.height)
    right, bottom = left + line.shape[1], top + line.shape[0]
    if not page.is_free(left - 4, top - 4, right + 4, bottom + 4):
        return
    page.blend(line, left, top, ink)
    page.unclear.append(np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32))
