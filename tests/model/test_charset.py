from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.charset import Charset, kept, spell, tidy_spaces, unify, widen_punctuation

TEXTS = st.text(alphabet="ab1 ,.()中文，。“”", max_size=30)


def test_label_zero_is_the_blank_and_never_decodes_to_text() -> None:
    charset = Charset(" ab")
    assert (len(charset), charset.encode("ba "), charset.decode([0, 3, 0, 2, 1])) == (4, [3, 2, 1], "ba ")


@pytest.mark.parametrize("characters", [["a", "a"], ["ab"], [""]])
def test_a_charset_refuses_repeats_and_strings(characters: list[str]) -> None:
    with pytest.raises(ValueError, match="each character once"):
        Charset(characters)


@pytest.mark.parametrize(
    ("raw", "tidy"),
    [
        ("hello  world ", "hello world"),
        ("我 love 你", "我love你"),
        ("version 2.0 的 update", "version 2.0的update"),
        (" a b", "a b"),
        ("中文 。", "中文。"),
        ("   ", ""),
    ],
)
def test_spaces_stay_between_english_words_and_go_beside_chinese(raw: str, tidy: str) -> None:
    assert tidy_spaces(raw) == tidy


@given(TEXTS)
def test_tidying_twice_changes_nothing_more(text: str) -> None:
    once = tidy_spaces(text)
    assert tidy_spaces(once) == once
    assert len(once) == sum(kept(text))


@pytest.mark.parametrize(
    ("ascii_form", "written"),
    [
        ("你好,世界!", "你好，世界！"),
        ("价格1,280.50", "价格1,280.50"),
        ("Yes, really.", "Yes, really."),
        ("中国(China)很大", "中国（China）很大"),
        ("(中文)", "（中文）"),
        ("f(x)", "f(x)"),
        ("电话:123", "电话：123"),
    ],
)
def test_punctuation_takes_the_width_of_its_neighbours(ascii_form: str, written: str) -> None:
    assert widen_punctuation(ascii_form) == written


@given(TEXTS)
def test_widening_keeps_every_position_and_is_undone_by_unify(text: str) -> None:
    plain = unify(text)
    assert len(widen_punctuation(plain)) == len(plain)
    assert unify(widen_punctuation(plain)) == plain


def test_look_alikes_are_spelled_in_one_way() -> None:
    assert unify("ＡＢ（１２）～－・　") == "AB(12)~-· "


@pytest.mark.parametrize(
    ("read", "written"),
    [
        ("二O二四年", "二〇二四年"),
        ("一九OO年五月", "一九〇〇年五月"),
        ("二0二六年,", "二〇二六年，"),
        ("游人₀", "游人。"),
        ("之中₆", "之中。"),
        ("占83.5%₀", "占83.5%。"),
        ("H₂O", "H₂O"),
        ("x₀", "x₀"),
        ("第一O型", "第一O型"),
        ("OK二O", "OK二O"),
    ],
)
def test_rings_are_what_their_neighbours_make_of_them(read: str, written: str) -> None:
    assert spell(read) == written
