"""Lines that leave a doubt are read again by a stronger recogniser, and nothing that was read well is lost by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import pytest

from models.charset import Charset
from models.frames import Frames
from models.line_image import prepare
from shared.result import DocumentResult
from tests.unit.ocr.conftest import FakeCard, InkRecognizer
from tests.unit.ocr.test_pipeline import blocks
from worker.ocr.page import crops
from worker.ocr.pipeline import Options, recognize_document
from worker.ocr.text import rule
from worker.ocr.text.cascade import Cascade, choose, take_spaces
from worker.ocr.text.ctc import Peak
from worker.ocr.text.decoder import Reading
from worker.ocr.text.rule import Rule

UNSURE = Rule({"mean": -1.0}, offset=0.0, limit=-3.0, sure=0.9)  # doubtful below a mean confidence of 0.953
NEVER, ALWAYS = (Rule({}, offset=0.0, limit=limit, sure=0.9) for limit in (1.0, -1.0))
LINE = np.full((24, 200), 255, np.uint8)


def reading(text: str, confidence: float = 0.99, frame_count: float = 200 / 24 * 8) -> Reading:
    peaks = [Peak(one, confidence, 2 * i, 2 * i) for i, one in enumerate(text)]
    return Reading(peaks, text, frame_count)


class ColourInk(InkRecognizer):
    """As InkRecognizer, in the manner of PP-OCR: three channels, 48 px high, a frame for 8 px; reads ink as `y`."""

    card = FakeCard(name="strong", charset=Charset(["y", " "]), input_height=48, time_stride=8)

    def prepare(self, gray: Any) -> Any:
        return prepare(gray, 48, channels=3, time_stride=8)

    def frames(self, batch: Any) -> list[Frames]:
        self.batch_shapes.append(batch.shape)
        ink = batch[:, 0].reshape(len(batch), 48, -1, 8).mean(axis=(1, 3))
        return [Frames.of(line) for line in np.stack([np.zeros_like(ink), -4.0 * ink, np.full_like(ink, -9.0)], axis=2)]


@dataclass
class Stronger:
    """Reads what it was told to, and keeps what it was given."""

    answers: list[Reading]
    given: list[int] = field(default_factory=list)

    def read(self, places: Sequence[int]) -> list[Reading]:
        self.given += places
        return self.answers[: len(places)]


def read_again(stronger: Stronger, readings: list[Reading], by: Rule = UNSURE) -> list[Reading]:
    return Cascade(stronger.read, by).read_again([LINE] * len(readings), readings)


def test_only_doubtful_lines_are_read_again() -> None:
    stronger = Stronger([reading("total")])
    read = read_again(stronger, [reading("sure"), reading("tofal", 0.7), reading("sure, too")])
    assert [one.text for one in read] == ["sure", "total", "sure, too"]
    assert stronger.given == [1]


def test_without_a_doubt_the_stronger_one_is_not_even_made() -> None:
    def never(_: Sequence[int]) -> list[Reading]:
        raise AssertionError("made for nothing")

    first = [reading("sure")]
    assert Cascade(never, UNSURE).read_again([LINE], first) == first


def test_where_nothing_was_read_the_stronger_one_has_a_look() -> None:
    assert read_again(Stronger([reading("faint")]), [reading("")], NEVER)[0].text == "faint"


def test_a_line_in_which_the_stronger_one_sees_nothing_stays_as_it_was() -> None:
    assert choose(reading("1.", 0.6), reading(""), 0.9).text == "1."


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("the total of", "thetotal of", "the total of"),
        ("the tofal of", "thetotalof", "the total of"),
        ("Invoice No", "INVOICENO", "INVOICE NO"),
        ("合 计", "合计", "合计"),
        ("a b", "xy", "xy"),
        ("no spaces", "no spaces", "no spaces"),
    ],
)
def test_spaces_that_the_stronger_one_lost_are_taken_from_the_first(first: str, second: str, expected: str) -> None:
    assert take_spaces(reading(first), reading(second)).text == expected


def test_a_space_that_was_taken_stands_between_its_neighbours() -> None:
    first, second = reading("ab cd"), reading("abcd", frame_count=6.0)
    taken = take_spaces(first, second)
    places = [peak.first for peak in taken.peaks]
    assert places == sorted(places)
    assert taken.raw_text == "ab cd" and taken.frame_count == 6.0


def test_two_sure_readings_that_differ_are_a_dispute() -> None:
    chosen = choose(reading("7.40", 0.97), reading("1.40", 0.95), 0.9)
    assert chosen.disputes == (
        {
            "kind": "dispute",
            "start": 0,
            "from": "7.40",
            "to": "1.40",
            "from_confidence": 0.97,
            "to_confidence": 0.95,
        },
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (reading("7.40", 0.6), reading("1.40", 0.99)),
        (reading("7.40", 0.99), reading("1.40", 0.6)),
        (reading("Total sum"), reading("TOTALSUM")),
    ],
)
def test_it_is_none_where_one_is_unsure_or_only_spaces_and_case_differ(first: Reading, second: Reading) -> None:
    assert choose(first, second, 0.9).disputes == ()


def test_the_shipped_rule_knows_what_is_measured() -> None:
    shipped, measured = rule.load(), rule.measure(LINE, reading("total"))
    assert set(shipped.weights) <= set(measured)
    assert np.isfinite(shipped.doubt(measured))
    assert 0 < shipped.sure < 1


def test_the_shipped_rule_doubts_what_was_read_unsurely() -> None:
    image = np.full((32, 320), 255, np.uint8)
    cv2.putText(image, "Total amount", (4, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 0, 2)
    sure, unsure = (spread("Total amount", confidence) for confidence in (0.9995, 0.6))
    assert not rule.load().is_doubtful(image, sure)
    assert rule.load().is_doubtful(image, unsure)


def spread(text: str, confidence: float) -> Reading:
    """A reading whose characters stand all along a line of 320 px."""
    peaks = [Peak(one, confidence, at, at) for one, at in zip(text, range(3, 80, 6), strict=False)]
    return Reading(peaks, text, 80)


def test_ink_where_nothing_was_read_is_measured_in_characters() -> None:
    image = np.full((32, 320), 255, np.uint8)
    image[4:28, 8:312:8] = 0
    whole = [Peak("a", 0.99, at, at) for at in range(2, 80, 4)]
    seen, lost = (rule.measure(image, Reading(peaks, "a", 80))["unseen"] for peaks in (whole, whole[:-2]))
    assert seen == 0.0
    assert 0.5 < (2**lost - 1) / 4 < 1.5


def test_what_is_measured_of_a_line() -> None:
    measured = rule.measure(
        np.full((32, 128), 255, np.uint8), Reading([Peak("合", 0.5, 0, 0), Peak("a", 0.8, 4, 4)], "合a", 32)
    )
    assert measured["least"] == pytest.approx(0.0)
    assert measured["second"] == pytest.approx(np.log(4.0))
    assert (measured["doubts"], measured["length"]) == (pytest.approx(np.log2(3)), 1.0)
    assert (measured["height"], measured["blur"], measured["room"], measured["chinese"]) == (5.0, 0.0, 1.0, 0.5)


@pytest.mark.parametrize(
    ("text", "lone"),
    [("影(0/1)", 0), ("影（0/1)", 0), ("影0/1)", 1), ("[影(0/1]", 1), ("《影》", 0), ("《影", 1), ("影", 0)],
)
def test_a_bracket_without_the_other_one_speaks_against_a_reading(text: str, lone: int) -> None:
    assert rule.measure(LINE, reading(text))["unpaired"] == lone


@pytest.mark.parametrize(
    ("text", "rows", "small"), [("合同", 10, 0.98), ("合a", 10, 0.49), ("合同", 20, 0), ("no", 10, 0)]
)
def test_hanzi_of_few_pixels_speak_against_a_reading(text: str, rows: int, small: float) -> None:
    measured = rule.measure(np.full((rows, 60), 255, np.uint8), reading(text))
    assert measured["small"] == pytest.approx(small, abs=0.01)


def squares() -> Any:
    page = np.full((60, 400), 255, np.uint8)
    for left in (40, 160, 280):
        page[15:45, left : left + 30] = 0
    return page


def test_where_two_read_a_document_each_line_says_which(
    recognizer: InkRecognizer, encode: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ones = Rule({"length": 1.0}, offset=-2.5, limit=0.0, sure=0.9)  # more than five characters
    monkeypatch.setattr(rule, "load", lambda: long_ones)
    page = encode(blocks((4, 40, 40), (7, 40, 90)))
    result = recognize_document(page, recognizer, Options(layout="page"), stronger=ColourInk).to_json()
    assert [line["model"] for line in result["pages"][0]["lines"]] == ["ink", "strong"]
    assert (result["model"]["name"], result["stronger_model"]["name"]) == ("ink", "strong")
    assert DocumentResult.from_json(result).to_json() == result


def test_where_one_read_a_document_the_lines_need_not_say_it(
    recognizer: InkRecognizer, encode: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule, "load", lambda: NEVER)
    for stronger in (None, ColourInk):
        result = recognize_document(encode(squares()), recognizer, Options(layout="line"), stronger=stronger).to_json()
        assert "stronger_model" not in result and "model" not in result["pages"][0]["lines"][0]


@pytest.mark.parametrize(
    ("quality", "text", "name"), [("fast", "xxx", "ink"), ("balanced", "yyy", "ink"), ("best", "yyy", "strong")]
)
def test_the_quality_says_who_reads(
    recognizer: InkRecognizer, encode: Any, monkeypatch: pytest.MonkeyPatch, *, quality: Any, text: str, name: str
) -> None:
    monkeypatch.setattr(rule, "load", lambda: ALWAYS)
    options = Options(layout="line", quality=quality)
    result = recognize_document(encode(squares()), recognizer, options, stronger=ColourInk)
    assert (result.text, result.model.name) == (text, name)


def test_characters_lie_in_the_same_places_whoever_read_them(recognizer: InkRecognizer, encode: Any) -> None:
    places = []
    for quality in ("fast", "best"):
        options = Options(layout="line", quality=quality)  # type: ignore[arg-type]
        (line,) = recognize_document(encode(squares()), recognizer, options, stronger=ColourInk).pages[0].lines
        places.append([(one.start, one.end) for one in line.characters])
    np.testing.assert_allclose(places[0], places[1], atol=0.04)


def test_without_a_stronger_one_every_quality_is_fast(recognizer: InkRecognizer, encode: Any) -> None:
    for quality in ("balanced", "best"):
        options = Options(layout="line", quality=quality)  # type: ignore[arg-type]
        assert recognize_document(encode(squares()), recognizer, options).model.name == "ink"


class Wide(ColourInk):
    """As ColourInk, and wants half of the line's height around it."""

    card = FakeCard(name="wide", charset=Charset(["y", " "]), input_height=48, time_stride=8, margin=0.5)


def test_each_recogniser_sees_the_margin_that_it_is_used_to_and_words_lie_in_the_same_places(
    recognizer: InkRecognizer, encode: Any
) -> None:
    page, boxes = encode(blocks((6, 40, 60), size=(160, 400))), []
    for quality in ("fast", "best"):
        options = Options(layout="page", quality=quality)  # type: ignore[arg-type]
        result = recognize_document(page, recognizer, options, stronger=Wide)
        assert len(result.pages[0].lines) == 1
        boxes.append([word.polygon for word in result.pages[0].lines[0].words])
    assert result.model.name == "wide"
    np.testing.assert_allclose(boxes[0], boxes[1], atol=1.0)


@pytest.mark.parametrize("tilt", [0.0, 0.3])
def test_a_line_that_was_seen_with_more_around_it_begins_and_ends_within_what_was_seen(tilt: float) -> None:
    line = np.array([[50, 40], [250, 40 + 200 * tilt], [250 - 20 * tilt, 60 + 200 * tilt], [50 - 20 * tilt, 60]])
    inner, outer = (crops.widen(line.astype(np.float32), margin) for margin in (0.0, 0.5))
    height, width = (float(np.linalg.norm(line[a] - line[0])) for a in (3, 1))
    start, end = crops.shares_of(inner, outer)
    assert start == pytest.approx(0.5 * height / (width + height), abs=1e-3)
    assert end == pytest.approx(1 - start, abs=1e-3)


@pytest.mark.parametrize(("layout", "again"), [("line", True), ("page", False)])
def test_what_was_found_by_searching_and_is_no_writing_is_not_read_again(
    encode: Any, monkeypatch: pytest.MonkeyPatch, layout: Any, *, again: bool
) -> None:
    monkeypatch.setattr(rule, "load", lambda: ALWAYS)
    asked: list[str] = []

    def stronger() -> Any:
        asked.append("stronger")
        return ColourInk()

    recognize_document(encode(blocks((6, 40, 60))), Faint(), Options(layout=layout), stronger=stronger)
    assert bool(asked) == again


class Faint(InkRecognizer):
    """As InkRecognizer, and is sure of nothing."""

    def frames(self, batch: Any) -> list[Frames]:
        return [Frames.of(line.logits / 160) for line in super().frames(batch)]
