"""Amounts in a column are lines of their own; running text is never torn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shared.result import Line
from tests.seen_lines import GAP, LETTER, RIGHT, STROKE, WIDE, Seen, line_of, parted
from worker.ocr.reading.parted.amounts import find_amount
from worker.ocr.reading.parted.cells import part_cells


def alone(count: int, first: int = 10) -> list[Seen]:
    """Return a column of amounts that stand alone."""
    return [line_of(f"{i + 1}.50", row=first + i) for i in range(count)]


def test_amounts_below_each_other_follow_their_labels_as_lines_of_their_own() -> None:
    labels = ("Tea", "Rice cake", "Soap")
    seen = [line_of(*label.split(), f"{i}2.50", row=i, gaps=[WIDE]) for i, label in enumerate(labels)]
    assert parted(*seen) == ["Tea", "02.50", "Rice cake", "12.50", "Soap", "22.50"]


def test_light_writing_on_dark_is_parted_too() -> None:
    seen = [line_of("Tea", f"{i}2.50", row=i, gaps=[WIDE]) for i in range(3)]
    assert len(parted(*[(line, np.asarray(255 - image, np.uint8)) for line, image in seen])) == 6


def test_amounts_that_stand_alone_show_the_column_and_nothing_else_moves() -> None:
    note = line_of("Thank", "you", row=20, right=300)
    column = alone(3)
    assert parted(note, line_of("TOTAL", "12.50", row=9, gaps=[WIDE]), *column) == [
        "Thank you", "TOTAL", "12.50", "1.50", "2.50", "3.50",
    ]  # fmt: skip


def test_two_amounts_are_no_column() -> None:
    assert parted(line_of("TOTAL", "12.50", row=9, gaps=[WIDE]), *alone(1)) == ["TOTAL 12.50", "1.50"]


def test_an_amount_that_ends_elsewhere_stays_with_its_words() -> None:
    assert parted(line_of("TOTAL", "12.50", row=9, gaps=[WIDE], right=RIGHT - 15), *alone(3))[0] == "TOTAL 12.50"


def test_an_amount_that_is_as_near_as_a_word_stays_with_its_words() -> None:
    assert parted(line_of("Bill", "of", "GST", "2.21", row=9), *alone(3))[0] == "Bill of GST 2.21"


def test_justified_text_with_wide_gaps_is_not_torn() -> None:
    seen = [line_of("we", "paid", "a", "sum", "of", "12.50", row=i, gaps=[WIDE] * 5) for i in range(6)]
    assert len(parted(*seen)) == 6


def test_text_whose_lines_mostly_end_in_words_is_no_column() -> None:
    prices = [line_of("it", "was", "sold", "for", "12.50", row=2 * i, gaps=[WIDE]) for i in range(3)]
    words = [line_of("it", "was", "taken", "home", row=2 * i + 1) for i in range(3)]
    seen = [line for pair in zip(prices, words, strict=True) for line in pair]
    assert len(parted(*seen)) == 6


def test_amounts_of_which_most_stand_among_words_are_no_column() -> None:
    seen = [line_of("it", "was", "sold", "for", f"{i}2.50", row=i) for i in range(4)]
    assert len(parted(*seen, line_of("TOTAL", "12.50", row=5, gaps=[WIDE]), *alone(2))) == 7


def test_a_currency_that_was_misread_stays_with_its_amount() -> None:
    assert parted(line_of("0", "18.91", row=9, gaps=[WIDE]), *alone(3))[0] == "0 18.91"


def test_sentences_that_end_in_prices_below_each_other_are_not_torn() -> None:
    assert len(parted(*[line_of("Tea", "costs", f"{i}2.50", row=i) for i in range(8)])) == 8


def test_parts_keep_characters_words_and_what_was_edited() -> None:
    whole = line_of("TOTAL", "RM", "12.50", row=9, gaps=[WIDE, GAP], raw="T0TAL RM 12.5O")
    label, amount = part_cells(*map(list, zip(whole, *alone(3), strict=True)))[:2]
    line = whole[0]
    assert (label.text, label.raw_text, amount.text, amount.raw_text) == ("TOTAL", "T0TAL", "RM 12.50", "RM 12.5O")
    assert [one["from"] for one in (*label.edits, *amount.edits)] == ["0", "O"]
    assert [one["start"] for one in amount.edits] == [7]
    assert label.words + amount.words == line.words
    kept = [one.confidence for one in line.characters if one.text != " "]
    assert [one.confidence for part in (label, amount) for one in part.characters if one.text != " "] == kept


def disputed(first: str) -> list[Line]:
    """Return the parts of a line that another recogniser read so, and was as sure."""
    line, image = line_of("TOTAL", "12.50", row=9, gaps=[WIDE])
    dispute = {"kind": "dispute", "start": 0, "from": first, "to": line.text, "from_confidence": 0.95}
    seen = [(replace(line, edits=(dispute,)), image), *alone(3)]
    return part_cells([one for one, _ in seen], [one for _, one in seen])[:2]


def test_what_two_recognisers_dispute_over_stays_with_the_part_in_which_it_stands() -> None:
    label, amount = disputed("TOTAL 12.60")
    assert (label.text, label.edits) == ("TOTAL", ())
    assert [(one["from"], one["to"], one["from_confidence"]) for one in amount.edits] == [("12.60", "12.50", 0.95)]


def test_a_line_in_which_two_recognisers_see_different_numbers_of_words_stays_whole() -> None:
    assert disputed("TO TAL 12.50")[0].text == "TOTAL 12.50"


def test_parts_lie_where_their_ink_is_and_characters_stay_in_their_places() -> None:
    whole = line_of("TOTAL", "12.50", row=9, gaps=[WIDE])
    label, amount = part_cells(*map(list, zip(whole, *alone(3), strict=True)))[:2]
    (left, _), (right, _), *_ = amount.polygon
    assert label.polygon[0] == whole[0].polygon[0]
    assert amount.polygon[1] == whole[0].polygon[1]
    assert right - left == pytest.approx(5 * LETTER - (LETTER - STROKE), abs=1.5)
    assert label.polygon[1][0] == pytest.approx(label.polygon[0][0] + 5 * LETTER - (LETTER - STROKE), abs=1.5)
    third = amount.characters[2]
    assert left + (third.start + third.end) / 2 * (right - left) == pytest.approx(left + 2.5 * LETTER, abs=1.5)
    assert all(0 <= one.start <= one.end <= 1 for one in (*label.characters, *amount.characters))


def test_a_line_whose_gap_only_the_n_gram_saw_stays_whole() -> None:
    assert parted(line_of("TOTAL", "12.50", row=9, gaps=[WIDE], raw="TOTAL12.50"), *alone(3))[0] == "TOTAL 12.50"


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("Total 12.50", "12.50"), ("Total RM 12.50", "RM 12.50"), ("Rice 1,204.00 SR", "1,204.00 SR"),
        ("Rice 12.50(S)", "12.50(S)"), ("Off -$3.00", "-$3.00"), ("Tea €5", "€5"), ("Tea 6. 60 S", "6. 60 S"),
        ("Tea 5", None), ("on 12.05.2025", None), ("No. 000-074020", None), ("at 10.30 PM", None),
        ("508, 789.00", None),
        ("v 1.2.3", None), ("Rate 9.50%", None), ("共计12.50", None), ("costs 12.50.", None),
    ],
)  # fmt: skip
def test_an_amount_has_cents_or_a_currency(text: str, amount: str | None) -> None:
    line, _ = line_of(*text.split(" "), row=0)
    match = find_amount(line)
    assert (match and match[0]) == amount
