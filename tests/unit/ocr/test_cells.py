"""What stands in the columns of a row is a line of its own; running text, lists and justified lines stay whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.seen_lines import GAP, WIDE, Seen, line_of, parted

LEFT, RIGHT = 40, 700  # px, where the lines of a page begin, and where its amounts end


def goods(*names: str, begin: str = "", first: int = 0, step: int = 1) -> list[Seen]:
    """Return a list of goods, each with its quantity, and its amount as a line of its own in the same row."""
    seen = []
    for i, name in enumerate(names):
        row = first + step * i
        seen += [
            line_of(begin or str(i + 1), *name.split(), row=row, left=LEFT),
            line_of(f"{i}2.50", row=row, right=RIGHT),
        ]
    return seen


def test_quantities_of_goods_with_amounts_are_lines_of_their_own() -> None:
    texts = parted(*goods("Green tea", "Rice cake", "Soap"))
    assert texts == ["1", "Green tea", "02.50", "2", "Rice cake", "12.50", "3", "Soap", "22.50"]


def test_a_quantity_may_have_its_sign() -> None:
    assert parted(*goods("Green tea", "Rice cake", "Soap", begin="2x"))[:2] == ["2x", "Green tea"]


def test_numbered_sentences_stay_whole() -> None:
    seen = [line_of(str(i + 1), "Mix", "flour", "with", "water", row=i, left=LEFT) for i in range(5)]
    assert len(parted(*seen)) == 5


def test_numbered_sentences_beside_a_few_amounts_stay_whole() -> None:
    steps = [line_of(str(i + 1), "Mix", "flour", "with", "water", row=i, left=LEFT) for i in range(8)]
    amounts = [line_of(f"{i}.50", row=i, right=RIGHT) for i in range(3)]
    assert len(parted(*steps, *amounts)) == 11


def test_two_quantities_are_no_column() -> None:
    amounts = [line_of(f"{i}.50", row=i + 2, right=RIGHT) for i in range(3)]
    assert parted(*goods("Green tea", "Soap"), *amounts)[0] == "1 Green tea"


def test_a_unit_price_stays_with_its_quantity() -> None:
    assert parted(*goods("x 2.50", "x 3.50", "x 4.50"))[0] == "1 x 2.50"


def test_a_house_number_among_goods_stays_with_its_street() -> None:
    street = line_of("276", "Angela", "Street", row=0, left=LEFT)
    assert parted(street, *goods("Green tea", "Rice cake", "Soap", first=1))[0] == "276 Angela Street"


@pytest.mark.parametrize(("letters", "parts"), [("TF", 8), ("5", 8), ("each", 4)])
def test_the_letters_of_taxes_in_a_column_stand_apart_from_their_amounts(letters: str, parts: int) -> None:
    assert len(parted(*[line_of(f"{i}.50", letters, row=i, left=LEFT) for i in range(4)])) == parts


def test_the_letters_of_a_few_taxes_stay_with_their_amounts() -> None:
    assert len(parted(*[line_of(f"{i}.50", "SR", row=i, left=LEFT) for i in range(3)])) == 3


def test_codes_of_one_length_below_each_other_stand_apart_from_goods_and_letters() -> None:
    seen = [
        line_of(name, f"00787422302{i}", "F", row=i, right=RIGHT)
        for i, name in enumerate(("Tea", "Rice", "Soap", "Pens"))
    ]
    assert parted(*seen)[:6] == ["Tea", "007874223020", "F", "Rice", "007874223021", "F"]


def test_numbers_of_other_lengths_stay_with_their_words() -> None:
    seen = [line_of("Phone", "5" * (6 + i), row=i, left=LEFT) for i in range(4)]
    assert len(parted(*seen)) == 4


def test_names_and_values_that_begin_below_each_other_are_lines_of_their_own() -> None:
    seen = [
        line_of("Date:", "25/12/2018", row=0, gaps=[WIDE], left=LEFT),
        line_of("Time:", "12:31", row=1, gaps=[WIDE], left=LEFT),
    ]
    note = line_of("Open", "on", "all", "days", row=5, left=LEFT)
    assert parted(*seen, note) == ["Date:", "25/12/2018", "Time:", "12:31", "Open on all days"]


def test_a_heading_is_parted_where_the_rows_below_leave_its_gap_free() -> None:
    heading = line_of("Unit", "price", "Total", row=0, gaps=[WIDE], left=LEFT)
    split = line_of("Unit", "price", row=0, left=LEFT)[0].polygon[1][0] + WIDE / 2
    cells = [
        line_of(text, row=row, **{side: round(split) + at})
        for row in (1, 2)
        for text, side, at in (("Tea", "right", -20), ("Soap", "left", 25))
    ]  # type: ignore[arg-type]
    assert parted(heading, *cells, line_of("Open", "on", "all", "days", row=6, left=LEFT))[:2] == [
        "Unit price",
        "Total",
    ]


def test_a_wide_gap_alone_parts_nothing() -> None:
    seen = [
        line_of("Home", "of", "Bones", row=0, gaps=[WIDE], left=LEFT),
        line_of("Open", "on", "all", "days", row=1, left=LEFT),
    ]
    assert len(parted(*seen)) == 2


def test_gaps_below_each_other_in_running_text_part_nothing() -> None:
    seen = [line_of("Water", "runs", "down", row=i, gaps=[GAP, WIDE], left=LEFT) for i in range(4)]
    assert len(parted(*seen)) == 4


def test_two_spaces_behind_full_stops_of_long_lines_part_nothing() -> None:
    words = ["We", "mix", "the", "flour", "now.", "Then", "bake", "it"]
    seen = [line_of(*words, *["well"] * i, row=i, gaps=[WIDE, *[GAP] * (2 + i)], left=LEFT) for i in range(4)]
    assert len(parted(*seen)) == 4


def test_justified_lines_in_capitals_part_nothing() -> None:
    seen = [line_of("GOODS", "MUST", "BE", "SOLD", row=i, gaps=[WIDE, GAP, GAP + i % 2], left=LEFT) for i in range(5)]
    assert len(parted(*seen)) == 5


def test_a_page_of_wide_gaps_of_which_few_show_a_column_is_justified() -> None:
    pair = [line_of("Date:", "25/12/2018", row=i, gaps=[WIDE], left=LEFT) for i in (0, 1)]
    loose = [line_of("Boxes", "Labels", row=3 * i + 5, gaps=[WIDE + 7 * i], left=LEFT + 90 * i) for i in range(13)]
    note = line_of("Open", "on", "all", "days", "of", "the", "week", row=60, left=LEFT)
    assert parted(*pair, note)[0] == "Date:"
    assert parted(*pair, note, *loose)[0] == "Date: 25/12/2018"


def test_numbers_of_a_list_stay_with_their_sentences() -> None:
    seen = [line_of(f"({i})", "Boxes", "of", "labels", row=i, gaps=[WIDE, GAP, GAP], left=LEFT) for i in range(4)]
    assert len(parted(*seen)) == 4


def test_what_is_parted_keeps_all_words_in_their_order() -> None:
    seen = goods("Green tea", "Rice cake", "Soap")
    assert " ".join(parted(*seen)).split() == " ".join(line.text for line, _ in seen).split()


def test_lines_that_stand_upside_down_on_their_page_stay_whole() -> None:
    upright = [line_of(*["we", "bake", "the", "bread", "of", "the", "day"], row=row, left=LEFT) for row in range(5)]
    seen = [line_of("Date:", "25/12/2018", row=row + 8, gaps=[WIDE], left=LEFT) for row in range(2)]
    turned = [(replace(line, polygon=line.polygon[2:] + line.polygon[:2]), image) for line, image in seen]
    assert parted(*upright, *seen)[5] == "Date:"
    assert len(parted(*upright, *turned)) == 7
