"""Where the crop lies: a line is cropped, tilted, turned, sheared, squeezed and scaled in one warp."""

from __future__ import annotations

import dataclasses
import math
import random

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.drawing.canvas import Drawing, Ink
from models.training.drawing.fonts import EM_PIXELS


@dataclasses.dataclass(frozen=True)
class Pose:
    """How a line lies in its image.

    Attributes:
        above, below, left, right: between the writing and the edges of the crop, canvas pixels; below 0 cuts letters.
        target: height of the crop in the image, pixels.
        stretch: of the width against the height.
        tilt: of the baseline, radians; the stems stay upright.
        turn: of the whole line, radians; the crop stays upright and grows.
        shear: of the stems, share of the height.
        keystone: how much higher one end is than the other, share of the height.
    """

    above: float
    below: float
    left: float
    right: float
    target: float
    stretch: float = 1.0
    tilt: float = 0.0
    turn: float = 0.0
    shear: float = 0.0
    keystone: float = 0.0


def target_height(rng: random.Random) -> float:
    """Pixels of the crop of a printed line."""
    draw = rng.random()
    if draw < 0.30:
        return rng.uniform(13, 22)
    if draw < 0.92:
        return rng.uniform(22, 46)
    return rng.uniform(46, 64)


def plain_pose(drawing: Drawing) -> Pose:
    """Upright, with a little room."""
    room = 0.08 * drawing.height
    return Pose(room, room, room, room, 36.0)


def screen_pose(drawing: Drawing, rng: random.Random) -> Pose:
    """Whole pixels around, at its own size or enlarged."""
    above, below, left, right = (1 + round(rng.uniform(0, most) * drawing.height) for most in (0.2, 0.2, 0.45, 0.45))
    scale = rng.choice((1.0, 1.0, 1.0, 2.0, rng.uniform(1.0, 2.5)))
    return Pose(above, below, left, right, (drawing.height + above + below) * scale)


def page_pose(drawing: Drawing, rng: random.Random) -> Pose:
    """A line of a page: tight or loose, now and then tilted, sheared or squeezed; a share is tiny."""
    height = drawing.height
    loose = rng.random() < 0.15
    above, below = (rng.uniform(-0.06, 0.5 if loose else 0.2) * height for _ in range(2))
    left = rng.uniform(-0.05 if rng.random() < 0.1 else 0.0, 1.6 if loose else 0.45) * height
    tiny = rng.random() < 0.15
    target = rng.uniform(8.0, 13.0) * (height + above + below) / height if tiny else target_height(rng)
    return Pose(
        above, below, left, left * rng.uniform(0, 2), target,
        stretch=rng.uniform(0.82, 1.2) if rng.random() < 0.5 else 1.0,
        tilt=rng.gauss(0, 0.018) if rng.random() < 0.4 else 0.0,
        shear=rng.uniform(-0.12, 0.3) if rng.random() < 0.12 else 0.0,
        keystone=rng.uniform(-0.12, 0.12) if rng.random() < 0.12 else 0.0,
    )  # fmt: skip


def sign_pose(drawing: Drawing, rng: random.Random) -> Pose:
    """A word on a wall: from the side, tilted or turned up to 15 degrees, from far to near."""
    height = drawing.height
    above, below = (rng.uniform(-0.06, 0.5 if rng.random() < 0.15 else 0.22) * height for _ in range(2))
    left, right = (rng.uniform(-0.06 if rng.random() < 0.15 else 0.0, 0.5) * height for _ in range(2))
    pose = Pose(
        above, below, left, right,
        target=rng.uniform(10, 24) if rng.random() < 0.3 else rng.uniform(18, 70),
        stretch=math.exp(rng.gauss(0, 0.25)) if rng.random() < 0.7 else 1.0,
        shear=rng.uniform(-0.3, 0.4) if rng.random() < 0.3 else 0.0,
        keystone=rng.uniform(-0.35, 0.35) if rng.random() < 0.3 else 0.0,
    )  # fmt: skip
    draw = rng.random()
    if draw < 0.3:
        turn = rng.gauss(0, 0.09)
        most = math.asin(min(0.26, 1.2 * height / max(1, drawing.right - drawing.left)))
        return dataclasses.replace(pose, turn=min(most, max(-most, turn)))
    return dataclasses.replace(pose, tilt=rng.gauss(0, rng.choice((0.03, 0.05, 0.14)))) if draw < 0.75 else pose


def corners_of(drawing: Drawing, pose: Pose) -> NDArray[np.float32]:
    """(4, 2) float32 canvas points that become the corners of the image, clockwise from its top left."""
    x0, x1 = drawing.left - pose.left, drawing.right + pose.right
    y0, y1 = drawing.top - pose.above, drawing.bottom + pose.below
    rise = min(abs(math.tan(pose.tilt)) * (x1 - x0) / 2, 0.5 * drawing.height)
    y0, y1 = y0 - rise * 0.6, y1 + rise * 0.6
    slope, skew, lift = math.copysign(rise, pose.tilt), pose.shear * (y1 - y0) / 2, pose.keystone * (y1 - y0)
    corners = np.array(
        [
            [x0 + skew, y0 - slope + lift],
            [x1 + skew, y0 + slope - lift],
            [x1 - skew, y1 + slope + lift],
            [x0 - skew, y1 - slope - lift],
        ],
        np.float32,
    )
    if not pose.turn:
        return corners
    middle, size = corners.mean(0), np.array([x1 - x0, y1 - y0])
    sine, cosine = math.sin(pose.turn), math.cos(pose.turn)
    grown = np.array([size[0] * cosine + size[1] * abs(sine), size[1] * cosine + size[0] * abs(sine)]) / size
    turn = np.array([[cosine, sine], [-sine, cosine]])
    return np.asarray((corners - middle) * grown @ turn + middle, np.float32)


def warp(drawing: Drawing, ink: Ink, pose: Pose) -> tuple[Ink, NDArray[np.float64]]:
    """Canvas ink -> coverage of the image, (H, W) uint8, and the middles of the characters, 0..1 of the width."""
    corners = corners_of(drawing, pose)
    across, down = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[3] - corners[0])
    upright = drawing.height + pose.above + pose.below
    rows = round(pose.target * min(2.0, max(1.0, float(down) / upright)) if pose.turn else pose.target)
    rows = max(6, rows)
    scale = rows / float(down)
    width = max(4, round(float(across) * scale * pose.stretch))
    ratio = 1.0, 1.0
    if scale < 0.75:  # a warp that shrinks much would skip pixels
        before = max(scale / 0.75, 0.1)
        small = cv2.resize(ink, None, fx=before, fy=before, interpolation=cv2.INTER_AREA)
        ink, ratio = small, (small.shape[1] / ink.shape[1], small.shape[0] / ink.shape[0])
    frame = np.array([[0, 0], [width, 0], [width, rows], [0, rows]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners * np.array(ratio, np.float32), frame)
    coverage = cv2.warpPerspective(ink, matrix, (width, rows), flags=cv2.INTER_LINEAR)
    middle = (drawing.top + drawing.bottom) / 2
    points = np.array([[x * ratio[0], middle * ratio[1], 1.0] for x in drawing.centres]) @ matrix.T
    return np.ascontiguousarray(coverage), np.asarray(points[:, 0] / points[:, 2] / width, np.float64)


def pose_of(drawing: Drawing, rng: random.Random) -> Pose:
    """A pose for a printed line, or for one that was drawn for its few pixels."""
    return screen_pose(drawing, rng) if drawing.em < EM_PIXELS else page_pose(drawing, rng)
