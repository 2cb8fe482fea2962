"""Columns of Chinese that runs down: where their characters part, how they are laid out as rows, and their order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worker.ocr.lines.columns import cells, find, order, stacks
from worker.ocr.lines.text_line import TextLine
from worker.ocr.page.direction import run_down
from worker.ocr.reading import other_ways
from worker.ocr.text.ctc import Peak
from worker.ocr.text.decoder import Reading
from worker.ocr.text.words import is_chinese, place_in_column

SIZE = 24


def lying(strokes: list[list[tuple[int, int]]], pitch: int) -> np.ndarray:
    """A column turned counter-clockwise: of each character the px of ink, from and to, along it."""
    image = np.full((SIZE, 6 + pitch * len(strokes)), 255, np.uint8)
    for i, character in enumerate(strokes):
        for start, end in character:
            image[8:-8, 6 + i * pitch + start : 6 + i * pitch + end] = 0
    return image


def column(left: float, top: float = 0.0, count: int = 5) -> TextLine:
    """A column whose characters are SIZE px high."""
    right, bottom = left + SIZE, top + count * SIZE
    polygon = np.array([[right, top], [right, bottom], [left, bottom], [left, top]], np.float32)
    return TextLine(polygon, SIZE, cells=np.arange(count + 1) * float(SIZE))


ONE, TWO, THREE, BOX = [(9, 12)], [(3, 6), (17, 20)], [(2, 4), (10, 12), (18, 20)], [(1, 21)]


@pytest.mark.parametrize("pitch", [24, 27, 33])
@pytest.mark.parametrize("strokes", [[BOX] * 5, [BOX, TWO, BOX, THREE, BOX], [BOX, ONE, ONE, THREE, TWO, BOX]])
def test_characters_with_gaps_inside_are_not_cut_apart(strokes: list[list[tuple[int, int]]], pitch: int) -> None:
    borders = cells.cut_cells(lying(strokes, pitch))
    assert len(borders) == len(strokes) + 1
    middles = 6 + pitch * np.arange(len(strokes)) + 11
    assert ((borders[:-1] < middles) & (middles < borders[1:])).all()


def test_characters_that_touch_are_cut_where_they_are_thinnest() -> None:
    image = lying([BOX, BOX, BOX], 24)
    image[SIZE // 2, 7:75] = 0
    assert len(cells.cut_cells(image)) == 4


def test_paper_has_no_cells() -> None:
    assert len(cells.cut_cells(np.full((SIZE, 100), 255, np.uint8))) == 0


def test_a_row_is_made_of_upright_characters() -> None:
    image = np.full((SIZE, 2 * SIZE), 255, np.uint8)
    image[16:20, 4:20] = 0  # lies at the foot of its cell, so it stands at its right
    row = cells.set_side_by_side(image, np.array([0.0, SIZE, 2 * SIZE]))
    assert row.shape == (SIZE, 2 * SIZE)
    ys, xs = np.nonzero(row == 0)
    assert (np.ptp(ys), np.ptp(xs)) == (15, 3)


def test_a_comma_at_the_top_right_of_its_cell_goes_to_the_foot_of_the_row() -> None:
    image = np.full((SIZE, SIZE), 255, np.uint8)
    image[3:8, 2:7] = 0  # lying: the right edge of the column is at the top
    row = cells.set_side_by_side(image, np.array([0.0, SIZE]))
    ys, xs = np.nonzero(row == 0)
    assert ys.min() > SIZE / 2
    assert xs.max() < SIZE / 2


def test_hanzi_nearer_to_those_below_run_down() -> None:
    grid = np.array([(x * 40.0, y * 25.0) for x in range(4) for y in range(6)])
    assert run_down(grid).all()
    assert not run_down(grid[:, ::-1]).any()
    assert find.may_run_down(grid)
    assert not find.may_run_down(grid[:, ::-1])
    assert not find.may_run_down(np.zeros((0, 2)))


def test_columns_are_read_from_right_to_left_below_a_title_and_above_a_foot() -> None:
    title, foot = (TextLine.boxed(np.array([10, y, 200, y + SIZE])) for y in (0, 300))
    lines = [foot, column(10, 60), column(90, 60), title, column(50, 60)]
    assert order.order_lines(lines) == [3, 2, 4, 1, 0]


def test_two_blocks_of_columns_are_read_one_after_the_other() -> None:
    lines = [column(10, 0), column(50, 0), column(10, 300), column(50, 300)]
    assert order.order_lines(lines) == [1, 0, 3, 2]


def test_rows_alone_are_ordered_as_ever() -> None:
    rows = [TextLine.boxed(np.array([0, y, 100, y + 20])) for y in (60, 0, 30)]
    assert order.order_lines(rows) == [1, 2, 0]


def test_what_is_meant_as_rows_gives_no_columns() -> None:
    """Rows as far apart as columns would be: the characters stand nearer beside each other."""
    page = np.full((200, 300), 255, np.uint8)
    at = [column(20 + 30.0 * i, 20, 4) for i in range(5)]
    turned = [TextLine.boxed(np.array([20, 300 - line.hull[2], 20 + 4 * 34, 300 - line.hull[0]])) for line in at]
    for i in range(5):
        for j in range(4):
            page[20 + 34 * j : 40 + 34 * j, 22 + 30 * i : 42 + 30 * i] = 0
    places = np.array([(32.0 + 30 * i, 30.0 + 34 * j) for i in range(5) for j in range(4)])
    assert find.find_columns(page, lambda _: turned, places) == []
    assert len(find.find_columns(page, lambda _: turned, places[:2])) == 0  # nor where little was read


def test_columns_are_placed_on_the_page_from_their_top() -> None:
    page = np.full((220, 200), 255, np.uint8)
    for left in (40, 120):
        for j in range(6):
            page[20 + 26 * j : 40 + 26 * j, left + 8 : left + 14] = 0
    turned = [TextLine.boxed(np.array([18, 200 - left - 24, 174, 200 - left + 2])) for left in (40, 120)]
    found = find.find_columns(page, lambda _: turned, np.zeros((0, 2)))
    assert len(found) == 2
    assert found[0].polygon.tolist() == [[64, 18], [64, 174], [38, 174], [38, 18]]
    assert [len(line.cells) for line in found if line.cells is not None] == [7, 7]
    image = find.image_of(page, found[0], 0.06)
    assert image.shape[1] == 6 * image.shape[0]


@pytest.mark.parametrize(("start", "end"), [(33, 170), (18, 155), (33, 155)])
def test_a_column_cuts_no_hanzi_that_was_read_by_itself(start: int, end: int) -> None:
    page = np.full((220, 120), 255, np.uint8)
    for j in range(6):
        page[20 + 26 * j : 40 + 26 * j, 48:54] = 0
    turned = [TextLine.boxed(np.array([start, 54, end, 82]))]
    single = np.array([[40, 19, 64, 41], [40, 149, 64, 171], [90, 0, 110, 25]], np.float64)
    (found,) = find.find_columns(page, lambda _: turned, np.zeros((0, 2)), single)
    _, top, _, bottom = found.hull
    assert (top, bottom) == (min(start, 19), max(end, 171))


def test_each_character_of_a_column_has_its_own_cell_and_gaps_are_no_spaces() -> None:
    peaks = [Peak("春", 0.9, 3, 4), Peak(" ", 0.5, 8, 8), Peak("眠", 0.9, 11, 12), Peak("不", 0.9, 19, 20)]
    placed = place_in_column(Reading(peaks, "春 眠不", 24.0), np.array([0.0, 20.0, 60.0, 80.0]), 80.0)
    assert "".join(one.text for one in placed) == "春眠不"
    assert [round(one.start, 2) for one in placed] == [0.0, 0.25, 0.75]
    assert [round(one.end, 2) for one in placed] == [0.25, 0.75, 1.0]


def test_a_line_in_chinese_holds_at_least_three_hanzi() -> None:
    def reading(text: str) -> Reading:
        return Reading([Peak(character, 1.0, 0, 0) for character in text], text)

    assert is_chinese(reading("春眠，不觉"))
    assert not is_chinese(reading("春眠"))
    assert not is_chinese(reading("春abcdef眠不"))


def test_a_line_goes_where_most_of_its_characters_stand_in_columns() -> None:
    columns, line = [column(0), column(50)], TextLine.boxed(np.array([0, 0, 300, 20]))
    assert find.replaced_by(columns, line, np.array([[10.0, 10.0], [60.0, 10.0], [200.0, 10.0]]))
    assert not find.replaced_by(columns, line, np.array([[300.0, 10.0], [60.0, 400.0]]))


def test_a_stroke_that_was_read_as_a_sign_goes_with_its_column() -> None:
    stroke, beside = TextLine.boxed(np.array([25, 30, 29, 50])), TextLine.boxed(np.array([36, 30, 40, 50]))
    assert find.replaced_by([column(0)], stroke, np.zeros((0, 2)))
    assert not find.replaced_by([column(0)], beside, np.zeros((0, 2)))


def found(strokes: list[list[tuple[int, int]]], pitch: int) -> list[TextLine]:
    """The columns of a page that is one column, whose characters were read singly across."""
    page = np.rot90(lying(strokes, pitch), -1)
    height, width = page.shape
    box = TextLine(np.array([[0, 0], [height, 0], [height, width], [0, width]], np.float32), SIZE)
    middles = np.array([[width / 2, 17.0 + pitch * i] for i in range(len(strokes))])
    return find.find_columns(np.ascontiguousarray(page), lambda _: [box], middles)


@pytest.mark.parametrize(("pitch", "columns"), [(24, 1), (27, 1), (48, 0), (60, 0)])
def test_characters_in_the_cells_of_a_table_are_no_column(pitch: int, columns: int) -> None:
    assert len(found([BOX, TWO, BOX, BOX, THREE, BOX, BOX, BOX, BOX], pitch)) == columns


SINGLE = [[20, 40 + 56 * i, 60, 80 + 56 * i] for i in range(4)]  # hanzi of 40 px below each other


def stacks_beside(others: list[list[float]], single: list[list[int]] = SINGLE) -> list[list[float]]:
    hulls = np.array([*single, *others], np.float64)
    return [place.tolist() for place in stacks.stacks_of(hulls, np.arange(len(hulls)) < len(single))]


def test_single_hanzi_below_each_other_are_looked_at_as_a_column() -> None:
    rows = [[100.0, 25 + 50 * i, 700.0, 60 + 50 * i] for i in range(6)]
    assert stacks_beside(rows) == [[6, -32, 74, 320]]
    assert stacks_beside(rows, SINGLE[:2]) == []  # two are no column


def test_a_place_reaches_over_characters_that_were_not_found() -> None:
    assert stacks_beside([], [SINGLE[0], SINGLE[1], SINGLE[3]]) == [[6, -32, 74, 320]]


def test_single_hanzi_in_the_rows_of_a_table_are_cells() -> None:
    assert stacks_beside([[100, 45 + 56 * i, 300, 77 + 56 * i] for i in range(4)]) == []
    assert stacks_beside([], [[20, 40 + 80 * i, 60, 80 + 80 * i] for i in range(4)]) == []  # so are those far apart


def test_columns_whose_characters_stand_in_rows_of_other_lines_are_cells() -> None:
    one = replace(column(300, 20, 4), cells=np.array([0.0, 34, 68, 102, 136]))
    assert one.cells is not None
    left, top, right, _ = one.hull
    middles = top + (one.cells[:-1] + one.cells[1:]) / 2
    size = right - left
    rows = np.array([[20, y - size / 2, 200, y + size / 2] for y in middles])
    assert stacks.without_cells([one], rows) == []
    assert stacks.without_cells([one], rows + np.array([0, size * 0.7, 0, size * 0.7])) == [
        one
    ]  # lines of their own distance
    assert stacks.without_cells([one], np.zeros((0, 4))) == [one]


@pytest.mark.parametrize(
    ("text", "confidence", "stands"),
    [
        ("公司报告", 0.9, True),
        ("公司报告", 0.7, False),
        ("一二三四", 0.9, False),
        ("是否否是否", 0.9, False),
        ("是否有丙", 0.9, True),
    ],
)
def test_what_reads_like_numbers_of_rows_is_no_column(text: str, confidence: float, stands: bool) -> None:
    assert other_ways._is_column(Reading([Peak(one, confidence, 0, 0) for one in text], text)) is stands
