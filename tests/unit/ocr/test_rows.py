from __future__ import annotations

import numpy as np

from worker.ocr.ink.ink import Gray
from worker.ocr.lines.learned.rows import join_rows
from worker.ocr.lines.text_line import TextLine

BARE = np.zeros((300, 800), np.uint8)


def ruled(start: int, end: int) -> Gray:
    """A page whose only ink is a rule under the row at 100."""
    mask = BARE.copy()
    mask[121:123, start:end] = 255
    return mask


def line(left: float, top: float, right: float, height: float = 20) -> TextLine:
    corners = [[left, top], [right, top], [right, top + height], [left, top + height]]
    return TextLine(np.array(corners, np.float32), height)


def spans(lines: list[TextLine]) -> list[tuple[int, int]]:
    found = sorted(lines, key=lambda one: (one.polygon[:, 1].min(), one.polygon[:, 0].min()))
    return [(round(one.polygon[:, 0].min()), round(one.polygon[:, 0].max())) for one in found]


def test_two_spaces_of_a_typewriter_are_bridged_by_the_line_above() -> None:
    assert spans(join_rows([line(40, 40, 540), line(40, 100, 240), line(285, 100, 540)], BARE)) == [
        (40, 540),
        (40, 540),
    ]


def test_a_blank_that_begins_behind_its_label_or_ends_before_the_next_is_not_bridged() -> None:
    parts = [line(40, 40, 540), line(40, 100, 240), line(285, 100, 540)]
    assert len(join_rows(parts, ruled(250, 545))) == 3
    assert len(join_rows(parts, ruled(40, 275))) == 3
    assert len(join_rows(parts, ruled(280, 545))) == 3


def test_what_is_underlined_as_a_whole_or_not_up_to_a_part_is_bridged() -> None:
    parts = [line(40, 40, 540), line(40, 100, 240), line(285, 100, 540)]
    assert len(join_rows(parts, ruled(40, 540))) == 2
    assert len(join_rows(parts, ruled(255, 270))) == 2


def test_a_gap_over_which_nothing_reaches_parts_columns() -> None:
    parts = [line(40, 40, 240), line(285, 40, 540), line(40, 70, 240), line(285, 70, 540)]
    assert len(join_rows(parts, BARE)) == 4


def test_a_gap_at_which_a_column_begins_is_not_bridged() -> None:
    parts = [line(40, 40, 540), line(40, 100, 240), line(285, 100, 540), line(285, 130, 400)]
    assert len(join_rows(parts, BARE)) == 4


def test_justified_words_become_their_lines() -> None:
    one = [line(left, 40, left + 60) for left in (40, 240, 440, 640)]
    other = [line(40, 100, 140), line(265, 100, 295), line(420, 100, 460), line(585, 100, 700)]
    assert spans(join_rows([*one, *other], BARE)) == [(40, 700), (40, 700)]


def test_short_words_of_a_justified_row_become_its_line_where_cells_of_a_table_stay() -> None:
    words = [line(40, 70, 80), line(105, 70, 140), line(165, 70, 540)]
    assert spans(join_rows([line(40, 40, 540), *words], BARE)) == [(40, 540), (40, 540)]
    assert len(join_rows([line(40, 40, 600), *words], BARE)) == 4


def test_cells_in_columns_are_not_justified_text() -> None:
    rows = [[line(left, top, left + 60) for left in (40, 240, 440, 640)] for top in (40, 100, 160)]
    assert len(join_rows([cell for row in rows for cell in row], BARE)) == 12


def test_no_lines_have_no_rows() -> None:
    assert join_rows([], BARE) == []
