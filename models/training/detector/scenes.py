"""Scenes that are no paper: screens, signs and labels, bare surfaces. And how often each kind of page is composed."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from models.training.detector import clutter
from models.training.detector.composer import Composer
from models.training.detector.page import Page
from models.training.detector.papers import document, form, receipt


def screen(c: Composer) -> Page:
    """Windows, lists and buttons, light or dark, with hinted small text."""
    rng = c.rng
    dark = rng.random() < 0.5
    page = Page(np.full((c.side, c.side), rng.randint(8, 60) if dark else rng.randint(215, 255), np.uint8))
    for _ in range(rng.randint(2, 7)):
        left, top = rng.randint(-100, c.side - 60), rng.randint(-60, c.side - 40)
        right, bottom = left + rng.randint(90, c.side), top + rng.randint(40, c.side)
        panel = rng.randint(5, 80) if rng.random() < (0.8 if dark else 0.15) else rng.randint(190, 255)
        if rng.random() < 0.12:
            panel = rng.randint(60, 190)
        page.hide(left, top, right, bottom)
        cv2.rectangle(page.image, (left, top), (right, bottom), panel, -1)
        if rng.random() < 0.5:
            cv2.rectangle(page.image, (left, top), (right, bottom), rng.randint(0, 255), 1)
        if rng.random() < 0.12:
            clutter.picture(page.image, (left, top, right, bottom), rng, c.noise)
            if rng.random() < 0.5:
                continue
        _rows(c, page, (left, top, min(right, c.side), min(bottom, c.side)), panel)
    return page


def _rows(c: Composer, page: Page, box: tuple[int, int, int, int], panel: int) -> None:
    rng = c.rng
    left, top, right, bottom = box
    size = c.size(10, 26)
    row = size * rng.uniform(1.3, 3)
    bright = panel < 128
    y = top + size * rng.uniform(0.3, 1)
    while y + size < bottom:
        colour = rng.uniform(150, 255) if bright else rng.uniform(0, 120)
        x = left + size * rng.uniform(0.3, 2)
        if rng.random() < 0.25:
            clutter.logo(page.image, (int(x + size / 2), int(y + size / 2)), int(size), rng, int(colour))
            x += size * 1.8
        while x < right - 2 * size:
            room = min(right - x - size * 0.4, size * rng.uniform(2, 22))
            end = page.write(c.pool.draw(screen=rng.random() < 0.6), (x, y), size, colour, room)
            x = max(end, x + size) + size * rng.uniform(1.8, 8)
            if rng.random() < 0.4:
                break
        y += max(row, 19)
        if rng.random() < 0.1:
            cv2.line(page.image, (left, int(y - 3)), (right, int(y - 3)), int(colour), 1)


def sign(c: Composer) -> Page:
    """Boards and labels with large writing on walls, packages and other surfaces; more surface than writing."""
    rng = c.rng
    page = Page(clutter.texture((c.side, c.side), rng, c.noise))
    clutter.shapes(page.image, rng, rng.choice((0, 4, 12, 30)), rng.random() < 0.4)
    for _ in range(rng.randint(1, 5)):
        size = c.size(12, 150)
        width = int(size * rng.uniform(2.5, 14))
        left, top = rng.randint(-30, c.side - 40), rng.randint(-10, c.side - 20)
        right, bottom = min(left + width, c.side + 40), top + int(size * rng.uniform(1.2, 5))
        if rng.random() < 0.75:
            board = rng.randint(0, 255)
            shown = page.image[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
            if rng.random() < 0.4 and min(shown.shape) > 4:
                surface = clutter.texture(shown.shape, rng, c.noise)
                shown[:] = np.clip(surface.astype(np.float32) * 0.3 + board * 0.7, 0, 255).astype(np.uint8)
            else:
                cv2.rectangle(page.image, (left, top), (right, bottom), board, -1)
            if rng.random() < 0.4:
                cv2.rectangle(page.image, (left, top), (right, bottom), rng.randint(0, 255), rng.randint(1, 4))
        page.hide(left, top, right, bottom)
        y = top + size * rng.uniform(0.1, 0.3)
        while y + size * 0.8 < bottom:
            _write_visibly(c, page, (left + size * 0.2, y), size, right - left - size * 0.3)
            y += size * rng.uniform(1.15, 1.6)
            size = max(11.0, size * rng.choice((1, 1, 0.5)))
    return page


def _write_visibly(c: Composer, page: Page, at: tuple[float, float], size: float, room: float) -> None:
    """Write in a colour that stands out from what lies below."""
    rng, (x, y) = c.rng, at
    under = page.image[max(0, int(y)) : max(0, int(y + size)), max(0, int(x)) : max(0, int(x + room))]
    if under.size == 0:
        return
    middle, spread = float(under.mean()), float(under.std())
    away = rng.uniform(45, 220) + 1.5 * spread
    choices = [v for v in (middle - away, middle + away) if 0 <= v <= 255]
    colour = rng.choice(choices) if choices else (0 if middle > 127 else 255)
    page.write(c.pool.draw(), at, size, colour, room)


def surface(c: Composer) -> Page:
    """No writing at all."""
    page = Page(clutter.texture((c.side, c.side), c.rng, c.noise))
    if c.rng.random() < 0.7:
        clutter.shapes(page.image, c.rng, c.rng.randint(1, 40), c.rng.random() < 0.5)
    return page


SCENES: tuple[tuple[Callable[[Composer], Page], float], ...] = (
    (document, 0.24), (receipt, 0.26), (form, 0.12), (screen, 0.14), (sign, 0.20), (surface, 0.04),
)  # fmt: skip
