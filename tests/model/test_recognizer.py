"""The shipped model, as it is committed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import models
from models.card import ModelFileError
from models.line_image import TIME_STRIDE

SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
BUCKET = 32


@pytest.fixture(scope="module")
def recognizer() -> models.Recognizer:
    return models.load()


def bucketed(line: np.ndarray, width: int) -> np.ndarray:
    padded = np.zeros((1, line.shape[1], width), np.float32)
    padded[:, :, : line.shape[2]] = line
    return padded


def sample(name: str) -> np.ndarray:
    image = cv2.imread(str(SAMPLES / name), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return np.asarray(image, np.uint8)


def test_the_card_travels_in_the_file(recognizer: models.Recognizer) -> None:
    card = recognizer.card
    assert (card.name, card.input_height, card.channels, card.blank) == ("crnn-zh-en", 32, 1, 0)
    assert len(card.sha256) == 64
    assert set("你的Az0 ,。") <= set(card.charset.characters)
    assert sum("\u4e00" <= one <= "\u9fff" for one in card.charset.characters) > 6900
    assert card.scores and card.training


def test_logits_have_one_frame_for_four_columns_and_one_class_more_than_characters(
    recognizer: models.Recognizer,
) -> None:
    logits = recognizer.logits(np.zeros((3, 1, 32, 96), np.float32))
    assert (logits.shape, logits.dtype) == ((3, 96 // TIME_STRIDE, len(recognizer.card.charset)), np.float32)


def test_a_line_alone_equals_itself_in_a_batch(recognizer: models.Recognizer) -> None:
    """Lines are padded to their own bucket and batched only with their like, so company must not matter."""
    line = recognizer.prepare(sample("line-english.png"))
    width = -(-line.shape[2] // BUCKET) * BUCKET
    own = bucketed(line, width)
    noise = np.random.default_rng(3).normal(0, 1, (4, 1, 32, width)).astype(np.float32)
    alone = recognizer.logits(own[None])[0]
    together = recognizer.logits(np.concatenate((noise[:2], own[None], noise[2:])))[2]
    assert np.array_equal(alone.argmax(1), together.argmax(1))
    assert np.abs(softmax(alone) - softmax(together)).max() < 0.05  # dynamic int8 scales look at the whole batch


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


@pytest.mark.parametrize("name", ["no-such-model", "/nowhere/at/all"])
def test_a_missing_model_is_named_with_the_ones_there_are(name: str) -> None:
    with pytest.raises(ModelFileError, match="crnn-zh-en"):
        models.load(name)


def test_a_file_that_is_no_model_says_so(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(ModelFileError, match="no model that onnxruntime can load"):
        models.load(str(broken))


def test_loading_a_model_reports_to_nobody(tmp_path: Path) -> None:
    """onnxruntime's wheel keeps a device id and a queue of events in the home folder when it is not told otherwise."""
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run(
        [sys.executable, "-c", "import models; models.load()"], cwd=SAMPLES.parents[1], env=environment, check=True
    )
    assert list(tmp_path.rglob("*")) == []
