"""Scanners and cameras: a page is turned, seen from the side, lit unevenly, blurred and packed; its boxes go along."""

from __future__ import annotations

import random
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.detector import clutter
from models.training.detector.page import Page, Quad
from models.training.drawing import degrade

Gray = NDArray[Any]


def scan(page: Page, side: int, rng: random.Random) -> Page:
    """A flat page, hardly turned; beyond its edge is white, black or what the edge shows."""
    angle = rng.gauss(0, 0.6)
    matrix = np.eye(3)
    matrix[:2] = cv2.getRotationMatrix2D((page.width / 2, page.height / 2), angle, rng.uniform(0.92, 1.08))
    matrix[:2, 2] += (side - page.width) / 2 * rng.uniform(0, 2), (side - page.height) / 2
    mode = rng.choice((cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT))
    edge = rng.choice((0, 255, int(page.image[0, 0])))
    image = cv2.warpPerspective(page.image, matrix, (side, side), borderMode=mode, borderValue=(edge,))
    return Page(image, *_moved(page, matrix))


def photograph(page: Page, side: int, rng: random.Random, noise: np.random.Generator, tilt: float = 6) -> Page:
    """A page on a table or a wall, from the side and turned by some degrees (deviation `tilt`)."""
    angle = np.radians(float(np.clip(rng.gauss(0, tilt), -20, 20)))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    half = np.array([page.width, page.height]) / 2
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half * rng.uniform(0.85, 1.12)
    corners = corners @ turn.T
    corners *= 1 + noise.uniform(-0.09, 0.09, (4, 2))
    corners += side / 2 + noise.uniform(-0.08, 0.08, 2) * side
    frame = np.array([[0, 0], [page.width, 0], [page.width, page.height], [0, page.height]], np.float32)
    matrix = cv2.getPerspectiveTransform(frame, corners.astype(np.float32))
    image = cv2.warpPerspective(page.image, matrix, (side, side), flags=cv2.INTER_LINEAR)
    mask = cv2.warpPerspective(np.full_like(page.image, 255), matrix, (side, side))
    if mask.min() == 0:
        behind = clutter.texture((side, side), rng, noise)
        if rng.random() < 0.5:
            clutter.shapes(behind, rng, rng.randint(1, 10))
        if rng.random() < 0.5:  # the paper throws a shadow
            shadow = cv2.GaussianBlur(np.roll(mask, (rng.randint(-9, 9), rng.randint(-9, 9)), (0, 1)), (0, 0), 4)
            behind = (behind * (1 - shadow.astype(np.float32) * (0.5 / 255))).astype(np.uint8)
        image = np.where(mask > 127, image, behind)
    return Page(image, *_moved(page, matrix))


def _moved(page: Page, matrix: NDArray[Any]) -> tuple[list[Quad], list[Quad]]:
    """The boxes of a page, clear and unclear ones, where a homography takes them."""
    clear, unclear = (
        [np.asarray(cv2.perspectiveTransform(quad[None], matrix)[0], np.float32) for quad in quads]
        for quads in (page.quads, page.unclear)
    )
    return clear, unclear


def light(image: Gray, rng: random.Random, noise: np.random.Generator) -> Gray:
    """Uneven light and the shadows of hands and edges, (H, W) uint8."""
    lit: Gray = 1 + degrade.clouds(image.shape, noise, rng.choice((4, 4, 8))) * rng.uniform(0.05, 0.4)
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        shadow: Gray = np.full((64, 64), 1.0, np.float32)
        points = np.array([(rng.randint(-40, 100), rng.randint(-40, 100)) for _ in range(4)], np.int32)
        cv2.fillPoly(shadow, [points], rng.uniform(0.35, 0.85))
        shadow = cv2.GaussianBlur(shadow, (0, 0), rng.uniform(0.5, 5))
        lit = lit * cv2.resize(shadow, image.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.clip(image * lit * rng.uniform(0.7, 1.1), 0, 255).astype(np.uint8)


def spoil(image: Gray, rng: random.Random) -> Gray:
    """Blur, grain, JPEG; a quarter of the pages stay as they are."""
    if rng.random() < 0.25:
        return image
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.5))
    elif rng.random() < 0.35:  # a small picture is searched on a copy of twice its size
        small = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        image = np.asarray(cv2.resize(small, image.shape[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)
    if rng.random() < 0.4:
        grain = cv2.randn(np.empty(image.shape, np.int16), np.zeros(1), np.full(1, rng.uniform(2, 18)))
        image = cv2.add(image, grain, dtype=cv2.CV_8U)
    if rng.random() < 0.3:
        _, packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, rng.randint(15, 80)])
        image = np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE))
    return image


def bilevel(image: Gray, rng: random.Random, noise: np.random.Generator) -> Gray:
    """A fax: black and white at a random level, with speckle."""
    low, high = np.percentile(image[::4, ::4], (2, 98))
    level = low + (high - low) * rng.uniform(0.35, 0.7)
    black = image < level
    if rng.random() < 0.6:
        flip = noise.random(image.shape, dtype=np.float32)
        amount = rng.uniform(0.001, 0.02)
        black = (black & (flip > amount)) | (flip > 1 - amount * rng.uniform(0, 0.6))
    return np.where(black, np.uint8(rng.randint(0, 60)), np.uint8(rng.randint(200, 255)))


def cut(page: Page, side: int, rng: random.Random) -> Page:
    """A part of a page as it is, without resampling: a screenshot."""
    left, top = (rng.randint(min(0, extent - side), max(0, extent - side)) for extent in (page.width, page.height))
    image = np.full((side, side), page.image[0, 0], np.uint8)
    x, y = max(0, left), max(0, top)
    view = page.image[y : top + side, x : left + side]
    image[y - top : y - top + view.shape[0], x - left : x - left + view.shape[1]] = view
    shift = np.array([[1.0, 0, -left], [0, 1, -top], [0, 0, 1]])
    return Page(image, *_moved(page, shift))
