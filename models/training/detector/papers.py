"""Scenes on paper: running text with tables and pictures, receipts, forms. Each returns a page before it is scanned."""

from __future__ import annotations

import itertools

import cv2

from models.training.detector import clutter
from models.training.detector.composer import Composer, sideways
from models.training.detector.page import Gray, Page
from models.training.drawing.fonts import EM_PIXELS


def document(c: Composer) -> Page:
    """One to three columns of running text with headings, pictures, tables and rules."""
    rng = c.rng
    page, ink = c.paper(c.side, c.side)
    columns = rng.choice((1, 1, 2, 2, 3))
    size = c.size(9, 50 if columns == 1 else 22)
    if rng.random() < 0.06:
        c.show_through(page)
    margin, gutter = rng.randint(-200, 60), int(size * rng.uniform(1.3, 4))
    width = (c.side - 2 * margin - gutter * (columns - 1)) // columns
    chinese = rng.random() < 0.5
    for column in range(columns):
        left = margin + column * (width + gutter)
        y = rng.randint(-20, 60)
        while y < c.side:
            kind = rng.random()
            tall = int(size * rng.uniform(4, 24))
            box = left, y, left + width, min(y + tall, c.side)
            if kind < 0.62:
                c.paragraph(page, box, size, ink, chinese)
            elif kind < 0.76:
                tall = int(size * rng.uniform(1.2, 2.2))
                page.write(c.pool.draw(chinese), (left, y), tall, ink, width)
                tall = int(tall * 1.2)
            elif kind < 0.86:
                clutter.picture(page.image, box, rng, c.noise)
            elif kind < 0.96:
                table(c, page, box, size * rng.uniform(0.8, 1), ink)
            else:
                clutter.rule(page.image, (left, y + 3), (left + width, y + 3), rng, ink)
                tall = 8
            y += tall + int(size * rng.uniform(0.4, 1.6))
        if column and rng.random() < 0.2:
            clutter.rule(page.image, (left - gutter // 2, 0), (left - gutter // 2, c.side), rng, ink)
    if rng.random() < 0.3:
        sideways(c, page, ink)
    return page


def table(c: Composer, page: Page, box: tuple[int, int, int, int], size: float, ink: int) -> None:
    """Cells with short texts, with or without rules."""
    rng = c.rng
    left, top, right, bottom = box
    count = rng.randint(2, 6)
    edges = sorted(rng.sample(range(left, max(right, left + 12), 3), min(count - 1, 3)))
    edges = [left, *edges, right]
    row = int(size * rng.uniform(1.25, 2.4))
    rules_x, rules_y = rng.random() < 0.5, rng.random() < 0.6
    for y in range(top, bottom - row + 1, row):
        if rules_y:
            cv2.line(page.image, (left, y), (right, y), ink, 1)
        for a, b in itertools.pairwise(edges):
            pad = max(3.0, size * rng.uniform(0.3, 0.5)) if rules_x else size * 0.8
            if b - a < 2 * pad + size or rng.random() < 0.15:
                continue
            room = (b - a - 2 * pad) * rng.uniform(0.3, 1.0)
            page.write(c.pool.draw(), (a + pad, y + (row - size) * 0.5), size, ink, room)
    if rules_x:
        for x in edges:
            cv2.line(page.image, (x, top), (x, bottom), ink, rng.choice((1, 1, 2)))


def receipt(c: Composer) -> Page:
    """A narrow strip: a head, rows with prices at the right, dashed rules, a bar code."""
    rng = c.rng
    width = rng.randint(c.side // 3, int(c.side * 0.95))
    page, ink = c.paper(c.side, width, 175)
    size = max(8.5, width / c.size(5.5, 44))
    pitch = size * rng.uniform(0.88, 1.6)
    margin = rng.uniform(0.2, 2.5) * size
    y = rng.uniform(-2, 3) * size
    places = sorted(rng.uniform(0.3, 0.95) for _ in range(rng.randint(1, 3)))
    counts, flags = rng.random() < 0.4, rng.random() < 0.25  # narrow columns at either end, close to their neighbours
    item = margin + size * rng.uniform(1.6, 3.2) if counts else margin
    if rng.random() < 0.1:
        c.show_through(page)
    while y < page.height:
        kind = rng.random()
        room = width - 2 * margin
        if kind < 0.5:
            left_room = places[0] * room - 1.8 * size
            if counts and rng.random() < 0.85:
                page.write(c.pool.draw(widest=0.8), (margin, y), size, ink, min(item - margin - 0.9 * size, size))
            end = c.phrase(page, (item, y), size, ink, max(size * 2, (left_room + margin - item) * rng.uniform(0.3, 1)))
            for a, b in zip(places, [*places[1:], 1.0], strict=True):
                cell = (b - a) * room - 1.8 * size
                x = margin + a * room
                if rng.random() < 0.75 and cell > 2 * size and x > end + 1.6 * size:
                    end = c.phrase(page, (x, y), size, ink, cell * rng.uniform(0.4, 1))
                    if flags and b == 1.0:
                        page.write(c.pool.draw(widest=0.8), (end + size * rng.uniform(1.0, 1.5), y), size, ink, size)
        elif kind < 0.72:
            big = size * rng.choice((1, 1, 1.3, 2))
            x = margin + rng.choice((0, rng.uniform(0, 0.4))) * room
            c.phrase(page, (x, y), big, ink, (width - margin - x) * rng.uniform(0.4, 1))
            y += big - size
        elif kind < 0.82:
            row = int(y + size / 2)
            if rng.random() < 0.6:
                typed: Gray = c.pool.draw_rule()
                typed = cv2.resize(typed, None, fx=size / EM_PIXELS, fy=size / EM_PIXELS, interpolation=cv2.INTER_AREA)
                page.blend(typed[:, : int(room)], int(margin), row - typed.shape[0] // 2, ink)
            else:
                clutter.rule(page.image, (int(margin), row), (int(width - margin), row), rng, ink)
        elif kind < 0.88:
            tall = int(size * rng.uniform(2, 5))
            if rng.random() < 0.5:
                right = int(margin + room * rng.uniform(0.4, 1))
                clutter.barcode(page.image, (int(margin), int(y), right, int(y) + tall), rng, ink)
            elif rng.random() < 0.5:
                clutter.matrix_code(page.image, (int(width * 0.3), int(y)), 2 * tall, rng, c.noise)
                tall *= 2
            else:
                clutter.logo(page.image, (rng.randrange(width), int(y + tall / 2)), tall, rng, ink)
            y += tall
        y += pitch if rng.random() < 0.9 else pitch * rng.uniform(1, 3)
    return page


def form(c: Composer) -> Page:
    """A form or fax: labels, fields on rules or in boxes, ticks, stamps."""
    rng = c.rng
    page, ink = c.paper(c.side, c.side, 190)
    size = c.size(9, 42)
    y = rng.uniform(0, 30)
    while y < page.height - size:
        row = size * rng.uniform(1.2, 2.6)
        x = rng.uniform(2, 60)
        while x < page.width - 3 * size:
            end = c.phrase(page, (x, y), size * rng.uniform(0.85, 1.1), ink, size * rng.uniform(3, 16))
            if rng.random() < 0.5:
                stop = int(end + size * rng.uniform(2, 12))
                foot = int(y + size * 1.08)
                cv2.line(page.image, (int(end + 3), foot), (stop, foot), ink, 1)
                if rng.random() < 0.5:
                    page.write(c.pool.draw(), (end + 1.7 * size, y), size, ink, max(size, stop - end - 2 * size))
                end = stop
            elif rng.random() < 0.3:
                box = (int(end + size), int(y)), (int(end + 2 * size), int(y + size))
                cv2.rectangle(page.image, *box, ink, 1)
                end += 2 * size
            x = end + size * rng.uniform(1.7, 7)
        if rng.random() < 0.25:
            box = (rng.randint(0, 20), int(y - row * 0.2)), (page.width - rng.randint(2, 20), int(y + row))
            cv2.rectangle(page.image, *box, ink, 1)
        y += row
    for _ in range(rng.choice((0, 0, 1, 2))):
        x, y0, reach = rng.randrange(page.width), rng.randrange(page.height), rng.randint(20, 60)
        cv2.ellipse(page.image, (x, y0), (reach, reach), 0, 0, 360, ink, 2)
        sideways(c, page, ink)
    return page
