"""Charset constraint, and the n-gram where the network is unsure."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from models.charset import Charset
from models.frames import Frames
from models.ngram import Ngram
from models.training import ngram as building
from shared.options import CHARSETS
from worker.ocr.text.decoder import Decoder, allowed_labels, edits

CHARACTERS = "abcdefghijklmnopqrstuvwxyzTOSI 0123456789.,:/-+%é中文字抬拾高"
CHARSET = Charset(list(CHARACTERS))
SURE, UNSURE = 12.0, 1.0
Write = Callable[..., np.ndarray]


@pytest.fixture(scope="module")
def ngram(tmp_path_factory: pytest.TempPathFactory) -> Ngram:
    path = tmp_path_factory.mktemp("ngram") / "ngram.npz"
    texts = iter(["the total of this", "this is the total", "抬高", "Total", "OS 10"] * 200)
    building.save(path, building.count(building.stream(texts, CHARSET), len(CHARSET)), CHARSET, 0.3)
    return Ngram(path, CHARSET)


def logits_of(text: str, **rivals: str) -> np.ndarray:
    """Each character on one frame and a blank behind it. rivals: `at3="o"`: the third is unsure, and nearly an o."""
    logits = np.full((2 * len(text), len(CHARSET)), -8.0, np.float32)
    for index, character in enumerate(text):
        rival = rivals.get(f"at{index}")
        logits[2 * index, CHARSET.labels[character]] = UNSURE if rival else SURE
        if rival:
            logits[2 * index, CHARSET.labels[rival]] = UNSURE - 0.3
        logits[2 * index + 1, 0] = SURE
    return logits


def read(decoder: Decoder, logits: np.ndarray) -> str:
    return "".join(peak.text for peak in decoder.decode(decoder.read(Frames.of(logits))).peaks)


def test_an_unsure_character_is_read_as_its_neighbours_suggest(ngram: Ngram) -> None:
    logits = logits_of("this is the tctal", at13="o")
    assert read(Decoder(CHARSET), logits) == "this is the tctal"
    assert read(Decoder(CHARSET, ngram=ngram), logits) == "this is the total"
    assert read(Decoder(CHARSET, ngram=ngram), logits_of("拾高", at0="抬")) == "抬高"


def test_a_sure_character_stays_whatever_its_neighbours_suggest(ngram: Ngram) -> None:
    assert read(Decoder(CHARSET, ngram=ngram), logits_of("this is the tctal")) == "this is the tctal"


def test_a_missing_character_is_found_again(ngram: Ngram) -> None:
    logits = logits_of("this is the ttal")
    logits[25, 0], logits[25, CHARSET.labels["o"]] = UNSURE + 0.5, UNSURE  # the blank behind the first t, barely
    assert read(Decoder(CHARSET), logits) == "this is the ttal"
    assert read(Decoder(CHARSET, ngram=ngram), logits) == "this is the total"


@pytest.mark.parametrize(
    ("text", "rivals"),
    [
        ("total 5.80", {"at8": "3"}),
        ("ISO400", {"at2": "0"}),
        ("0S 10", {"at0": "O"}),
        ("the 50", {"at3": "t"}),
        ("T0422", {"at0": "1"}),
    ],
)
def test_numbers_and_codes_are_never_made_into_other_ones(ngram: Ngram, text: str, rivals: dict[str, str]) -> None:
    assert read(Decoder(CHARSET, ngram=ngram), logits_of(text, **rivals)) == text


def test_a_single_digit_in_a_word_may_become_a_letter(ngram: Ngram) -> None:
    assert read(Decoder(CHARSET, ngram=ngram), logits_of("T0tal", at1="o")) == "Total"


@pytest.mark.parametrize("read_as", ["118", "1I1", "l18", "1ll"])
def test_letters_that_look_like_digits_may_change_beside_digits(read_as: str) -> None:
    from worker.ocr.text.unsure import _strangers

    assert _strangers(read_as) == [place for place, character in enumerate(read_as) if character in "lI"]
    assert _strangers("A12") == _strangers("B0l2") == []  # a code keeps its letters


def test_the_raw_text_and_the_edits_are_kept(ngram: Ngram) -> None:
    decoder = Decoder(CHARSET, ngram=ngram)
    reading = decoder.decode(decoder.read(Frames.of(logits_of("the tctal", at5="o"))))
    assert reading.raw_text == "the tctal"
    assert edits(reading.raw_text, "the total") == ({"kind": "language", "start": 5, "from": "c", "to": "o"},)


def test_what_was_not_changed_has_no_edits(ngram: Ngram) -> None:
    decoder = Decoder(CHARSET, ngram=ngram)
    path = decoder.read(Frames.of(logits_of("the total")))
    assert path.is_raw and edits("the total", "the total") == ()


def test_a_changed_character_is_as_sure_as_what_it_replaced(ngram: Ngram) -> None:
    logits = logits_of("the tctal", at5="o")
    decoder = Decoder(CHARSET, ngram=ngram)
    peak = decoder.decode(decoder.read(Frames.of(logits))).peaks[5]
    row = np.exp(logits[10] - logits[10].max())
    assert peak.text == "o"
    assert peak.confidence == pytest.approx(row.max() / row.sum(), rel=1e-3)
    assert (peak.first, peak.last) == (10, 10)


def test_nothing_is_read_from_blanks_or_from_no_frames(ngram: Ngram) -> None:
    blanks = np.zeros((9, len(CHARSET)), np.float32)
    blanks[:, 0] = SURE
    for logits in (blanks, blanks[:0]):
        assert read(Decoder(CHARSET, ngram=ngram), logits) == ""


ALLOWED = {
    "all": "a T0.é中 ",
    "latin": "a T0.é ",
    "alphanumeric": "a T0. ",
    "digits": "0. ",
}


@pytest.mark.parametrize("name", CHARSETS)
def test_a_charset_allows_what_it_names_and_the_blank(name: str) -> None:
    labels = allowed_labels(CHARSET, name)  # type: ignore[arg-type]
    assert labels[0] == 0 and (np.diff(labels) > 0).all()
    characters = CHARSET.decode(labels.tolist())
    assert [one for one in "aT0.é中 " if one in characters] == [one for one in "aT0.é中 " if one in ALLOWED[name]]


@pytest.mark.parametrize("with_ngram", [False, True])
def test_what_is_not_allowed_is_read_as_the_likeliest_that_is(ngram: Ngram, with_ngram: bool) -> None:
    logits = logits_of("1O 5S中", at1="0", at4="5")
    decoder = partial(Decoder, CHARSET, ngram=ngram if with_ngram else None)
    assert read(decoder(allowed="digits"), logits)[:4] == "10 5"
    assert not set(read(decoder(allowed="latin"), logits)) & set("中文字抬拾高")


def test_probabilities_are_shared_among_the_allowed_characters_only() -> None:
    decoder = Decoder(CHARSET, allowed="digits")
    (peak,) = decoder.decode(decoder.read(Frames.of(logits_of("O", at0="0")))).peaks
    assert peak.text == "0"
    assert peak.confidence > 0.99
