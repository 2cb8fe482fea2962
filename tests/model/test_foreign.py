"""Recognisers that were not exported here: loaded by what they say and do, refused with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import models
from models.bringing import shelf
from models.bringing.onnx_file import demands
from models.card import ModelFileError, sha256_of
from models.db_detector import open_detector
from models.detector import DetectorCard
from models.recognizer import DEFAULT, FILE_NAME, WEIGHTS
from tests import tiny_db
from tests.tiny_foreign import CHARSET, Foreign, move_weights_out, write
from worker.ocr.text.reader import LineReader

REFUSED = {
    "its characters and classes do not fit": (Foreign(class_count=40), "13 characters and 40 classes do not fit"),
    "it has two inputs": (Foreign(inputs=2), "A recogniser takes one"),
    "it takes four channels": (Foreign(channels=4), "A recogniser takes one"),
    "its width is fixed": (Foreign(fixed_width=128), "cannot read two lines"),
    "it needs operators of its own": (Foreign(domain="acme.ops"), r"custom operators \(acme.ops\)"),
    "it has neither card nor characters": (Foreign(metadata={}), "card.json"),
    "it is a detector": (
        Foreign(metadata={"kind": "detector"}),
        r"is a detector.*`ocrelay models add FILE --detector`",
    ),
    "its card is no card": (Foreign(metadata={"character": "a", "input_height": "tall"}), "do not fit|cannot be used"),
    "its blank is the last class": (Foreign(metadata={"character": "\n".join(CHARSET), "blank": "14"}), "blank=14"),
    "its card says another height": (
        Foreign(height="h", pooled_height=32, metadata={"character": "\n".join(CHARSET), "input_height": "96"}),
        "cannot read two lines",
    ),
    "its card says another stride": (
        Foreign(metadata={"character": "\n".join(CHARSET), "time_stride": "4"}),
        "its card says",
    ),
}


def load(path: Path) -> models.Recognizer:
    return models.load(str(path))


def test_a_recogniser_in_the_style_of_ppocr_needs_no_card_of_ours(tmp_path: Path) -> None:
    card = load(write(tmp_path / "rec.onnx")).card
    assert (card.name, card.input_height, card.channels, card.time_stride) == ("rec", 48, 3, 8)
    assert (card.normalisation, card.output) == ("centre", "probabilities")
    assert card.charset.characters == (*CHARSET, " ")


def test_a_list_that_holds_the_space_stays_as_it_is(tmp_path: Path) -> None:
    foreign = Foreign(metadata={"character": "\n".join(CHARSET + " ")})
    assert load(write(tmp_path / "rec.onnx", foreign)).card.charset.characters == (*CHARSET, " ")


@pytest.mark.parametrize("softmax", [True, False])
def test_it_reads_the_same_with_its_softmax_in_the_file_and_without(tmp_path: Path, softmax: bool) -> None:
    recognizer = load(write(tmp_path / "rec.onnx", Foreign(softmax=softmax)))
    assert recognizer.card.output == ("probabilities" if softmax else "logits")
    image = np.full((24, 120), 255, np.uint8)
    image[:, 20:40] = image[:, 70:90] = 0
    (reading,) = LineReader(recognizer).read([image])
    assert reading.text == "00"
    assert reading.peaks[0].confidence == pytest.approx(1.0, abs=1e-3)
    assert (reading.frame_count, reading.margin, reading.model) == (120 / 24 * 48 / 8, 0.15, "rec")


def test_line_images_have_the_stated_shape(tmp_path: Path) -> None:
    recognizer = load(write(tmp_path / "rec.onnx"))
    line = recognizer.prepare(np.full((24, 201), 255, np.uint8))
    assert (line.shape, line.dtype) == ((3, 48, 408), np.float32)
    assert line[:, :, :402].max() == line[:, :, :402].min() == 1.0
    assert recognizer.logits(line[None]).shape == (1, 408 // 8, len(recognizer.card.charset))


def test_a_short_line_is_padded_as_ppocr_pads_it(tmp_path: Path) -> None:
    line = load(write(tmp_path / "rec.onnx")).prepare(np.full((24, 50), 255, np.uint8))
    assert line.shape == (3, 48, 256)
    assert line[:, :, 100:].max() == line[:, :, 100:].min() == 0.0


def test_a_height_that_the_file_leaves_open_is_ppocrs(tmp_path: Path) -> None:
    assert load(write(tmp_path / "rec.onnx", Foreign(height="h"))).card.input_height == 48


def test_a_card_beside_the_file_comes_first(tmp_path: Path) -> None:
    write(tmp_path / "mine" / FILE_NAME, Foreign(metadata={}))
    card = {"character": [*CHARSET, " "], "version": "7", "licence": "MIT", "scores": {"receipts": 0.02}}
    (tmp_path / "mine" / "card.json").write_text(json.dumps(card))
    read = load(tmp_path / "mine").card
    assert (read.name, read.version, read.licence, read.scores) == ("mine", "7", "MIT", {"receipts": 0.02})
    assert read.charset.characters[-1] == " "


def test_a_card_that_is_no_json_is_named(tmp_path: Path) -> None:
    write(tmp_path / FILE_NAME)
    (tmp_path / "card.json").write_text("version: 7")
    with pytest.raises(ModelFileError, match=r"card\.json is no card"):
        load(tmp_path)


@pytest.mark.parametrize("key", ["version", "licence", "source"])
@pytest.mark.parametrize("value", ["1" * 100_000, "1\0", "1\n2", "1\u202e2", ["x"], None, 7, {"a": "b"}])
@pytest.mark.parametrize("made", [write, tiny_db.write])
def test_what_a_card_says_in_words_is_a_short_text_of_one_line(
    tmp_path: Path, made: Callable[[Path], Path], key: str, value: object
) -> None:
    path = made(tmp_path / FILE_NAME)
    path.with_name("card.json").write_text(json.dumps({key: value}))
    with pytest.raises(ModelFileError, match=f"`{key}`") as refused:
        load(path) if made is write else open_detector(path, "db")
    assert len(str(refused.value)) < 400


def test_metadata_in_the_file_are_bounded_like_a_card(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="`version`"):
        load(write(tmp_path / "rec.onnx", Foreign(metadata={"character": "\n".join(CHARSET), "version": "1\n2"})))


@pytest.mark.parametrize("height", ["7", "257", "99999999", "9" * 5000])
def test_no_line_of_an_endless_height_is_made(tmp_path: Path, height: str) -> None:
    stated = Foreign(height="h", metadata={"character": "\n".join(CHARSET), "input_height": height})
    with pytest.raises(ModelFileError, match=r"input_height=\d+ is not supported, only 8\.\.256"):
        load(write(tmp_path / "rec.onnx", stated))


def test_a_file_of_an_endless_height_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"input_height=99999999 is not supported"):
        load(write(tmp_path / "rec.onnx", Foreign(height=99_999_999, pooled_height=99_999_999)))


DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    "text", [DEEP, '{"a": "\\ud800"}', '{"a": 1' + "0" * 5000 + "}", '{"a": "' + "b" * 2**20 + '"}']
)
def test_a_card_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    write(tmp_path / FILE_NAME).with_name("card.json").write_text(text)
    with pytest.raises(ModelFileError, match=r"card\.json is no card"):
        load(tmp_path)


@pytest.mark.parametrize("key", ["training", "scores", "calibration"])
@pytest.mark.parametrize("text", [DEEP, "{"])
def test_metadata_that_cannot_be_read_are_named(tmp_path: Path, key: str, text: str) -> None:
    with pytest.raises(ModelFileError, match="cannot be used"):
        load(write(tmp_path / "rec.onnx", Foreign(metadata={"character": "\n".join(CHARSET), key: text})))


@pytest.mark.parametrize("text", [DEEP, "{"])
def test_the_training_of_a_detector_that_cannot_be_read_is_named(text: str) -> None:
    metadata = DetectorCard("own", "1", "").to_metadata() | {"training": text}
    with pytest.raises(ModelFileError, match="`training` cannot be used"):
        DetectorCard.from_metadata(metadata, "own", "")


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_because(case: str, tmp_path: Path) -> None:
    foreign, reason = REFUSED[case]
    with pytest.raises(ModelFileError, match=reason):
        load(write(tmp_path / "rec.onnx", foreign))


def test_it_is_refused_because_its_weights_lie_in_another_file(tmp_path: Path) -> None:
    path = write(tmp_path / "rec.onnx")
    move_weights_out(path)
    with pytest.raises(ModelFileError, match="external data"):
        load(path)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_half_a_file_is_no_model(share: float, tmp_path: Path) -> None:
    path = write(tmp_path / "rec.onnx")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(ModelFileError, match="no model that onnxruntime can load"):
        load(path)


def test_the_shipped_models_are_complete_in_their_files() -> None:
    for path in WEIGHTS.glob(f"*/{FILE_NAME}"):
        assert demands(path.read_bytes()) == (False, frozenset())


def test_the_shipped_recogniser_keeps_its_card(tmp_path: Path) -> None:
    card = models.load(DEFAULT).card
    assert (card.normalisation, card.output, card.time_stride) == ("line-standardise", "logits", 4)


@pytest.mark.parametrize("made", [write, tiny_db.write])
def test_a_file_that_its_card_was_not_written_for_is_not_added(tmp_path: Path, made: Callable[[Path], Path]) -> None:
    path, folder = made(tmp_path / FILE_NAME), tmp_path / "installed"
    add = shelf.add if made is write else shelf.add_detector
    card = path.with_name("card.json")
    card.write_text(json.dumps({"sha256": "0" * 64}))
    with pytest.raises(ModelFileError, match="is not the file that its card was written for"):
        add(path, "own", folder)
    assert not folder.exists()
    card.write_text(json.dumps({"sha256": sha256_of(path).upper()}))
    assert add(path, "own", folder).sha256 == sha256_of(path)
