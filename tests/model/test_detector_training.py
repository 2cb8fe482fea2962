"""Composing pages, the detector's targets and losses, and a very short training with its export."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import models.detector
from tests.model.training_folder import run

SIDE = 256


def rectangle(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)


def test_the_boxes_of_composed_lines_cover_their_ink(folder: Path) -> None:
    """Everything that a paragraph and a receipt's rows print lies in a box or in one that is marked as unclear."""
    from models.training.detector.composer import Composer
    from models.training.detector.examples import PageSource
    from models.training.detector.page import Page

    source = PageSource(folder, 3, SIDE, pool_size=24)
    composer = Composer(source.pool, source.rng, source.noise, SIDE)
    for _ in range(12):
        page = Page(np.full((SIDE, SIDE), 255, np.uint8))
        composer.paragraph(page, (-20, -5, SIDE + 30, SIDE // 2), 18, 0)
        composer.phrase(page, (20, SIDE // 2 + 20), 24, 0, SIDE)
        assert page.quads
        covered = np.zeros_like(page.image)
        for quad in page.quads + page.unclear:
            cv2.fillConvexPoly(covered, quad.round().astype(np.int32), 255)
        assert ((page.image < 100) & (cv2.dilate(covered, np.ones((5, 5), np.uint8)) == 0)).sum() == 0


def test_half_covered_pixels_are_half_inked(torch_or_skip: None) -> None:
    from models.training.detector.page import Page

    page = Page(np.full((8, 8), 200, np.uint8))
    page.blend(np.full((4, 4), 128, np.uint8), 2, 2, 40)
    assert page.image[3, 3] == pytest.approx(120, abs=2) and page.image[0, 0] == 200


def test_every_scene_gives_a_page_of_the_size_asked_for(folder: Path) -> None:
    from models.training.detector.examples import PageSource

    source = PageSource(folder, 4, SIDE, pool_size=24)
    pages = [source.page() for _ in range(40)]
    assert all(page.image.shape == (SIDE, SIDE) and page.image.dtype == np.uint8 for page in pages)
    assert any(page.quads for page in pages)
    assert all(np.isfinite(quad).all() for page in pages for quad in page.quads)


def test_a_photographed_page_takes_its_boxes_along(torch_or_skip: None) -> None:
    import random

    from models.training.detector import camera
    from models.training.detector.page import Page

    page = Page(np.full((SIDE, SIDE), 200, np.uint8), [rectangle(60, 100, 190, 130)])
    page.image[100:130, 60:190] = 0
    for seed in range(8):
        shown = camera.photograph(page, SIDE, random.Random(seed), np.random.default_rng(seed))
        mask = np.zeros((SIDE, SIDE), np.uint8)
        cv2.fillConvexPoly(mask, shown.quads[0].round().astype(np.int32), 1)
        inner = cv2.erode(mask, np.ones((7, 7), np.uint8)) > 0
        assert shown.image[inner].mean() < 20


def test_targets_say_where_a_line_and_its_edges_are(torch_or_skip: None) -> None:
    from models.training.detector.page import Page
    from models.training.detector.targets import make_targets

    page = Page(np.zeros((SIDE, SIDE), np.uint8), [rectangle(40, 80, 200, 112), rectangle(20, 200, 28, 220)])
    targets = make_targets(page, SIDE)
    assert targets.kernel.shape == (SIDE // 4, SIDE // 4)
    assert targets.kernel[24, 30] == 1 and targets.kernel[20, 30] == 0 and targets.kernel[24, 10] == 0
    y = (24 + 0.5) * 4
    assert 2 ** targets.above[24, 30] == pytest.approx(y - 80)
    assert 2 ** targets.below[24, 30] == pytest.approx(112 - y)
    assert targets.kernel[48:56, 4:9].max() > 0.5  # a lone narrow digit is not lost


def test_what_is_unclear_has_no_weight(torch_or_skip: None) -> None:
    from models.training.detector.page import Page
    from models.training.detector.targets import make_targets

    page = Page(np.zeros((SIDE, SIDE), np.uint8), unclear=[rectangle(40, 80, 200, 112)])
    targets = make_targets(page, SIDE)
    assert targets.weight[24, 30] == 0 and targets.weight[5, 5] == 1 and targets.kernel.max() == 0


def test_the_loss_is_small_for_the_truth_and_ignores_what_has_no_weight(torch_or_skip: None) -> None:
    import torch

    from models.training.detector.losses import detector_loss

    kernel = torch.zeros(1, 16, 16)
    kernel[:, 6:9, 2:12] = 1
    edges = torch.full((1, 2, 16, 16), 3.0) * kernel
    weight = torch.ones_like(kernel)
    right = torch.cat([(kernel[:, None] * 2 - 1) * 12, edges], 1)
    wrong = torch.cat([(1 - kernel[:, None] * 2) * 12, edges + 1], 1)
    assert detector_loss(right, kernel, edges, weight) < 0.01
    assert detector_loss(wrong, kernel, edges, weight) > 3
    flawed = right.clone()
    flawed[:, 0, 12] = 12
    weight[:, 12] = 0
    assert detector_loss(flawed, kernel, edges, weight) < 0.01


def test_the_detector_trains_goes_on_and_exports_what_torch_computes(folder: Path, tmp_path: Path) -> None:
    (folder / "detector.pt").unlink(missing_ok=True)
    small = ("--side", "128", "--batch", "2", "--pool", "16", "--minutes", "0.02")
    first = run("models.training.detector.train", str(folder), *small, "--seed", "1")
    again = run("models.training.detector.train", str(folder), *small, "--seed", "2", "--resume")
    assert "checkpoint" in first and "checkpoint" in again
    out = run("models.training.detector.export", str(folder), "tiny", "--version", "1", "--out", str(tmp_path))
    assert "torch and onnxruntime differ by" in out  # export refuses to write what differs
    detector = models.detector.load(str(tmp_path / "tiny"))
    assert detector.card.version == "1" and detector.card.training["pages"] > 0
    maps = detector.maps(np.full((70, 133), 255, np.uint8))
    assert maps.shape == (3, 18, 34) and maps.dtype == np.float32
    assert (maps[0] >= 0).all() and (maps[0] <= 1).all()
