"""The n-gram: what counting puts in is what reading gets out."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from models.card import ModelFileError
from models.charset import Charset
from models.ngram import START, History, Ngram
from models.training import ngram as building

CHARSET = Charset(list("abcdefgh 中文字0"))
LINES = ["abc abd", "abc", "中文字", "a0"] * 200


@pytest.fixture
def path(tmp_path: Path) -> Path:
    data = building.stream(iter(LINES), CHARSET)
    building.save(tmp_path / "ngram.npz", building.count(data, len(CHARSET)), CHARSET, 0.25)
    return tmp_path / "ngram.npz"


@pytest.fixture
def ngram(path: Path) -> Ngram:
    return Ngram(path, CHARSET)


def alone(character: str) -> float:
    data = building.stream(iter(LINES), CHARSET)
    counts = np.bincount(data, minlength=len(CHARSET)) + 0.5
    counts[0] = 1e-6
    return float(np.log(counts / counts.sum())[CHARSET.labels[character]])


def score(ngram: Ngram, before: str, character: str, history: History = START) -> float:
    for one in before:
        history = ngram.extend(history, ngram.label_of[CHARSET.labels[one]])
    return ngram.score(history, ngram.label_of[CHARSET.labels[character]])


def test_a_score_is_the_log_of_how_much_likelier_the_history_makes_the_character(ngram: Ngram) -> None:
    assert score(ngram, "中文", "字") == pytest.approx(-alone("字"), abs=0.1)  # always follows
    assert score(ngram, "ab", "c", ()) == pytest.approx(math.log(2 / 3) - alone("c"), abs=0.15)  # two times of three
    assert score(ngram, "中文", "c") < -1


def test_the_start_of_a_line_counts_as_history(ngram: Ngram) -> None:
    assert score(ngram, "", "a") > 0 > score(ngram, "", "字")


def test_what_the_corpus_never_showed_is_neither_likely_nor_unlikely(ngram: Ngram) -> None:
    assert score(ngram, "gh", "f") == pytest.approx(0, abs=1e-6)


def test_characters_unknown_to_the_file_are_neutral_and_end_the_history(path: Path) -> None:
    other = Charset([*"xab", *reversed("cdefgh 中文字0")])
    ngram = Ngram(path, other)
    unknown = ngram.label_of[other.labels["x"]]
    assert ngram.score(START, unknown) == 0
    assert ngram.extend((1, 2), unknown) == ()
    a, b = (ngram.label_of[other.labels[one]] for one in "ab")
    assert ngram.score(ngram.extend(START, a), b) > 0  # labels of another order are translated


def test_a_history_is_cut_to_what_matters(ngram: Ngram) -> None:
    history = START
    for label in range(1, 10):
        history = ngram.extend(history, label)
    assert len(history) == ngram.order - 1


def test_the_weight_travels_in_the_file(ngram: Ngram) -> None:
    assert ngram.weight == 0.25


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x05\x06" + bytes(18)])
def test_a_broken_file_is_refused_with_a_way_out(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ngram.npz").write_bytes(content)
    with pytest.raises(ModelFileError, match=r"models\.training\.ngram"):
        Ngram(tmp_path / "ngram.npz", CHARSET)


def test_a_file_with_pickled_objects_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "ngram.npz", weight=np.array([object()], dtype=object))
    with pytest.raises(ModelFileError):
        Ngram(tmp_path / "ngram.npz", CHARSET)


def test_held_out_lines_are_about_one_in_twenty() -> None:
    assert 0.03 < np.mean([building.held_out(f"line {number}") for number in range(4000)]) < 0.07
