"""Losses, rendering, training and export, with PyTorch and a few small Debian packages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.model.training_folder import run


@pytest.mark.parametrize(("sure", "tolerance"), [(2.0, 1e-5), (0.999, 5e-3)])
def test_our_ctc_equals_torchs(torch_or_skip: None, sure: float, tolerance: float) -> None:
    import torch
    from torch.nn import functional

    from models.training.losses import ctc

    torch.manual_seed(0)
    lines, frames, classes, longest, wide = 8, 40, 300, 9, 16
    head = torch.nn.Linear(wide, classes)
    with torch.no_grad():
        head.weight *= 4
        head.bias[0] = 12  # many frames are sure of the blank, as in a trained network
    labels = torch.randint(1, classes, (lines, longest))
    labels[:, 3], labels[:, 7] = labels[:, 2], labels[:, 1]  # repeats, beside each other and apart
    frame_counts = torch.randint(25, frames + 1, (lines,))
    label_counts = torch.randint(4, longest + 1, (lines,))
    labels[torch.arange(longest)[None, :] >= label_counts[:, None]] = 0  # as batches pad them
    ours = torch.randn(lines, frames, wide).requires_grad_()
    theirs = ours.detach().clone().requires_grad_()
    loss, slope = ctc(head, ours, labels, frame_counts, label_counts, sure=sure)
    slope.backward()
    weights = head.weight.grad.clone()
    head.zero_grad()
    log_probabilities = functional.log_softmax(head(theirs), -1).transpose(0, 1)
    expected = functional.ctc_loss(log_probabilities, labels, frame_counts, label_counts, 0, "sum") / label_counts.sum()
    expected.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=10 * tolerance)
    assert torch.allclose(ours.grad, theirs.grad, atol=tolerance)
    assert torch.allclose(weights, head.weight.grad, atol=tolerance)


def test_rendered_lines_keep_their_characters_in_place(folder: Path) -> None:
    from models.training.characters import all_characters
    from models.training.drawing.render import LineRenderer

    characters = all_characters(folder / "root")
    renderer = LineRenderer(folder, characters, 5)
    for _ in range(200):
        line = renderer.render()
        assert line.image.dtype == np.uint8 and 6 <= line.image.shape[0] <= 160
        assert len(line.centres) == len(line.text) > 0
        assert set(line.text) <= set(characters)
        assert (np.diff(line.centres) > -0.02).all()  # left to right


def test_a_plain_line_shows_its_text_in_order(folder: Path) -> None:
    from models.training.characters import all_characters
    from models.training.drawing.render import LineRenderer

    renderer = LineRenderer(folder, all_characters(folder / "root"), 6)
    line = renderer.render("I I", plain=True)
    dark = (line.image < 128).any(axis=0).nonzero()[0] / line.image.shape[1]
    assert line.text == "I I"
    assert abs(dark[0] - line.centres[0]) < 0.2 and abs(dark[-1] - line.centres[2]) < 0.2
    assert not ((dark > line.centres[0] + 0.25) & (dark < line.centres[2] - 0.25)).any()


def test_raised_and_lowered_digits_are_the_faces_own_made_smaller(folder: Path) -> None:
    from models.training.characters import all_characters
    from models.training.drawing.render import LineRenderer

    renderer = LineRenderer(folder, all_characters(folder / "root"), 7)
    face = renderer.library.pick("latin")
    whole, raised, lowered = face.get("2"), renderer.small_digit("²", face, 0.6), renderer.small_digit("₂", face, 0.6)
    assert whole is not None and raised is not None and lowered is not None
    assert 0.5 < raised.ink.shape[0] / whole.ink.shape[0] < 0.75
    assert raised.top <= whole.top + 2  # as high as digits reach, and not down to the line
    assert raised.top + raised.ink.shape[0] < -0.15 * face.em < 0.04 * face.em < lowered.top + lowered.ink.shape[0]
    assert renderer.small_digit("2", face, 0.6) is None


def test_training_goes_on_from_its_checkpoint_and_exports_what_torch_computes(folder: Path, tmp_path: Path) -> None:
    import models

    (folder / "checkpoint.pt").unlink(missing_ok=True)
    first = run(
        "models.training.train", str(folder), "--minutes", "0.1", "--ranks", "1", "--seed", "1", "--guard-lines", "5"
    )
    again = run(
        "models.training.train",
        str(folder),
        "--minutes",
        "0.05",
        "--ranks",
        "1",
        "--seed",
        "2",
        "--guard-lines",
        "5",
        "--resume",
    )
    assert "checkpoint" in first and "checkpoint" in again
    no_gate = "--out", str(tmp_path), "--gate-lines", "0"
    out = run("models.training.export", str(folder), "small", "--version", "1", *no_gate)
    assert "torch and onnxruntime differ by" in out  # export refuses to write what differs
    run("models.training.export", str(folder), "exact", "--precision", "fp32", *no_gate)
    small, exact = models.load(str(tmp_path / "small")), models.load(str(tmp_path / "exact"))
    assert small.card.training["minutes"] >= 0 and small.card.charset == exact.card.charset
    batch = np.random.default_rng(0).normal(0, 1, (2, 1, 32, 64)).astype(np.float32)
    assert np.abs(small.logits(batch) - exact.logits(batch)).mean() < 0.5
    assert (tmp_path / "small" / "model.onnx").stat().st_size < (tmp_path / "exact" / "model.onnx").stat().st_size / 2


def test_a_gate_closes_frames_that_are_blank_and_changes_nothing_that_is_read(folder: Path, tmp_path: Path) -> None:
    import onnx
    import torch

    import models
    from models.recognizer import DEFAULT, WEIGHTS
    from models.training import export, gate
    from models.training.drawing.render import LineRenderer
    from models.training.evaluate import read

    state = torch.load(WEIGHTS / DEFAULT / "weights.pt", weights_only=True)
    charset = models.load().card.charset
    path = tmp_path / "model.onnx"
    export.export_float(export.network_from(state["average"], len(charset)), path)
    export.write_card(path, models.load().card)
    plain = models.load(str(path))
    renderer = LineRenderer(folder, list(charset.characters), 3)
    closed = gate.put_in(path, renderer, 400).closed
    gated = models.load(str(path))
    assert 0.2 < closed < 0.95
    assert [one.name for one in onnx.load(str(path)).graph.output] == ["logits", "heard"]
    images = [renderer.render().image for _ in range(60)]
    read_plain, read_gated = ([read(one.logits, charset, image) for image in images] for one in (plain, gated))
    assert sum(a != b for a, b in zip(read_plain, read_gated, strict=True)) <= 1
    line = gated.prepare(images[0])
    (frames,) = gated.frames(line[None])
    assert len(frames.heard) < frames.count == line.shape[2] // 4


def test_the_shipped_model_reads_rendered_lines(folder: Path) -> None:
    """Floors, with room above what was measured: plain print, and lines spoiled as in training."""
    run("models.training.evaluate", str(folder), "--lines", "150", "--plain", "--most", "0.02")
    run("models.training.evaluate", str(folder), "--lines", "300", "--most", "0.13")


def test_the_shipped_weights_are_the_shipped_model(torch_or_skip: None) -> None:
    """weights.pt beside the model is what training goes on from: in float it must read like the int8 file."""
    import torch

    import models
    from models.recognizer import DEFAULT, WEIGHTS
    from models.training.export import network_from

    state = torch.load(WEIGHTS / DEFAULT / "weights.pt", weights_only=True)
    recognizer = models.load()
    assert "".join(recognizer.card.charset.characters) == state["characters"]
    network = network_from(state["average"], len(recognizer.card.charset))
    from tests.model.test_recognizer import bucketed, sample

    line = recognizer.prepare(sample("line-chinese.png"))
    padded = bucketed(line, -(-line.shape[2] // 32) * 32)[None]
    with torch.no_grad():
        expected = network(torch.from_numpy(padded)).numpy()[0]
    assert (expected.argmax(1) == recognizer.logits(padded)[0].argmax(1)).mean() > 0.98
