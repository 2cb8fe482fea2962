"""What lines say and how they are drawn, without fonts or corpora where that is possible."""

from __future__ import annotations

import gzip
import random
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.charset import tidy_spaces, unify
from models.training.characters import ADDED, ASCII, LATIN1, PUNCTUATION, SIGNS, gb2312_hanzi
from models.training.drawing import degrade, displays, fonts, letters, overlays, pixel_fonts, placement
from models.training.drawing.canvas import MARGIN, Drawing
from models.training.texts import chinese, code, signs
from models.training.texts.records import Records

KNOWN = {*ASCII, *LATIN1, *PUNCTUATION, *SIGNS, *ADDED, *gb2312_hanzi()}


def words() -> str:
    return "Table 桌子"


def entry(rng: random.Random) -> str:
    records = Records(rng, ["table", "Zoë"], words, lambda: "桌子")
    return rng.choice((records.number, records.receipt, records.form, records.chinese_form))()


def drawing_of(width: int = 200, height: int = 40) -> Drawing:
    """Five bars with gaps between them."""
    ink = np.zeros((height + 2 * MARGIN, width + 2 * MARGIN), np.uint8)
    step = width // 5
    for place in range(5):
        ink[MARGIN : MARGIN + height, MARGIN + place * step : MARGIN + place * step + step // 2] = 255
    centres = [MARGIN + place * step + step / 4 for place in range(5)]
    return Drawing(ink, "IIIII", 40, centres, MARGIN, MARGIN + width, MARGIN, MARGIN + height)


@pytest.mark.parametrize(
    "kind",
    [
        lambda rng: signs.sign_text(rng, words),
        lambda rng: signs.noted(rng, words),
        lambda rng: signs.scattered(rng, list(SIGNS + ADDED), words),
        lambda rng: code.code_text(rng, lambda: "table"),
        code.part_code,
        chinese.amount,
        lambda rng: chinese.heading(rng, lambda: "桌子"),
        chinese.plate,
        displays.reading,
        lambda rng: entry(rng).strip() or "-",
    ],
)
def test_a_kind_of_text_writes_only_characters_of_the_charset_in_its_spelling(
    kind: Callable[[random.Random], str],
) -> None:
    rng = random.Random(4)
    for _ in range(2000):
        text = kind(rng)
        assert text and set(text) <= KNOWN, set(text) - KNOWN
        assert unify(text) == text


def test_every_text_that_is_drawn_has_only_characters_that_the_model_knows(folder: Path) -> None:
    from models.training.texts.text import TextSampler

    known = [*ASCII, *gb2312_hanzi()]  # a model without signs
    sampler = TextSampler(folder / "corpus", known, random.Random(2))
    for _ in range(1000):
        text, _ = sampler.pick()
        assert text and len(text) <= 64 and set(text) <= set(known) and tidy_spaces(text) == text


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "零"),
        (10, "一十"),
        (105, "一百零五"),
        (1_010, "一千零一十"),
        (10_050, "一万零五十"),
        (12_300, "一万二千三百"),
        (100_000_001, "一亿零一"),
    ],
)
def test_numbers_are_said_as_chinese_says_them(value: int, said: str) -> None:
    assert chinese.in_words(value) == said


def test_amounts_are_said_in_capitals() -> None:
    assert chinese.in_words(20_304, chinese.CAPITALS, chinese.CAPITAL_PLACES) == "贰万零叁佰零肆"


def test_seven_segments_light_the_bars_of_each_digit_and_know_their_middles() -> None:
    drawn = displays.seven_segments("18.8", random.Random(1))
    assert drawn is not None and drawn.text == "18.8" and drawn.ink.dtype == np.uint8
    assert len(drawn.centres) == 4 and (np.diff(drawn.centres) > 0).all()
    halves = [drawn.ink[:, round(at) - 8 : round(at) + 8].sum(dtype=np.int64) for at in drawn.centres[:2]]
    assert halves[1] > 1.5 * halves[0]
    assert displays.seven_segments(" ", random.Random(1)) is None


def test_lamps_stand_where_the_pixels_were() -> None:
    source = drawing_of(50, 10)
    small = Drawing(source.ink, "IIIII", 10, source.centres, source.left, source.right, source.top, source.bottom)
    drawn = displays.dot_matrix(small, random.Random(3))
    assert drawn.height == 40 and drawn.right - drawn.left == 200
    for centre in drawn.centres:
        assert drawn.ink[:, round(centre) - 6 : round(centre) + 6].max() > 100
    assert drawn.ink[:, : drawn.left].max() == 0


@pytest.mark.parametrize("turn", [-0.2, 0.0, 0.2])
def test_a_line_that_is_turned_lies_whole_in_its_crop_and_its_middles_are_known(turn: float) -> None:
    drawing = drawing_of()
    pose = placement.Pose(4, 4, 4, 4, 40.0, turn=turn)
    coverage, centres = placement.warp(drawing, drawing.ink, pose)
    assert coverage.dtype == np.uint8
    assert ((centres > 0) & (centres < 1)).all() and (np.diff(centres) > 0).all()
    assert coverage[0].max() < 30 and coverage[-1].max() < 30  # nothing is cut above and below
    middle = coverage.shape[0] // 2
    at = round(centres[2] * coverage.shape[1])
    assert coverage[middle - 3 : middle + 4, at - 2 : at + 3].max() > 200


def test_an_arc_lifts_the_middle_or_the_ends_and_loses_nothing() -> None:
    drawing = drawing_of(400)
    bent = letters.arch(drawing, drawing.ink, random.Random(5))
    assert bent.bottom > drawing.bottom and bent.ink.shape[0] > drawing.ink.shape[0]
    assert bent.ink.sum(dtype=np.int64) == pytest.approx(drawing.ink.sum(dtype=np.int64), rel=0.02)
    assert bent.ink[: drawing.top - 2].max() == 0 and bent.ink[bent.bottom + 2 :].max() == 0


def test_a_neighbour_stays_away_from_the_line() -> None:
    drawing = drawing_of()
    for seed in range(20):
        ink = drawing.ink.copy()
        overlays.add_neighbour(ink, drawing, drawing, random.Random(seed), 3)
        rows = slice(drawing.top - 2, drawing.bottom + 2)
        assert (ink[rows] == drawing.ink[rows]).all() and ink.sum() >= drawing.ink.sum()


def test_what_was_coarse_stays_legible_in_size() -> None:
    noise = np.random.default_rng(1)
    for seed in range(40):
        image = noise.integers(0, 255, (10 + 2 * seed, 120), dtype=np.uint8)
        worn = degrade.coarse(image, random.Random(seed))
        assert worn.dtype == np.uint8 and worn.shape[0] >= 9 and worn.shape[1] >= 4


def test_spoiled_lines_keep_their_kind() -> None:
    noise, rng = np.random.default_rng(1), random.Random(1)
    for _ in range(200):
        image = noise.integers(0, 255, (rng.randint(8, 60), rng.randint(6, 200)), dtype=np.uint8)
        worn = degrade.spoil(image, rng, noise)
        assert worn.dtype == np.uint8 and worn.ndim == 2


def pcf(order: str, glyphs: list[int], first: int, low: int, high: int) -> bytes:
    """A PCF file of one table: the glyphs of the code points whose low bytes lie from `low` to `high`."""
    layout = pixel_fonts.BIG_ENDIAN if order == ">" else 0
    rows = len(glyphs) // (high - low + 1)
    table = struct.pack("<I", layout) + struct.pack(f"{order}5H", low, high, first, first + rows - 1, 0)
    table += struct.pack(f"{order}{len(glyphs)}H", *glyphs)
    return b"\x01fcp" + struct.pack("<I4I", 1, pixel_fonts.ENCODINGS, layout, len(table), 24) + table


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("name", ["one.pcf", "one.pcf.gz"])
def test_a_bitmap_font_says_which_characters_it_holds(tmp_path: Path, order: str, name: str) -> None:
    data = pcf(order, [5, 0xFFFF, 6, 0xFFFF, 7, 8], first=0x4E, low=0x00, high=0x02)
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    assert pixel_fonts.code_points(path) == {0x4E00, 0x4E02, 0x4F01, 0x4F02}


@pytest.mark.parametrize("data", [b"no font", b"\x01fcp" + struct.pack("<I4I", 1, 1, 0, 0, 24)])
def test_what_is_no_bitmap_font_is_refused_by_name(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "one.pcf"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"one\.pcf"):
        pixel_fonts.code_points(path)


@pytest.mark.parametrize(
    ("name", "is_used"),
    [("wenquanyi_9pt.pcf", True), ("ter-u24b_unicode.pcf.gz", True), ("12x24.pcf.gz", True), ("9x18B.pcf.gz", True),
     ("9x18-ISO8859-7.pcf.gz", False), ("ter-u24b_koi8-r.pcf.gz", False), ("12x13ja.pcf.gz", False)],
)  # fmt: skip
def test_bitmap_fonts_in_the_codes_of_other_scripts_are_left_out(name: str, is_used: bool) -> None:
    assert (fonts.PIXELS.fullmatch(name) is not None) == is_used


def test_a_glyph_of_a_printer_is_enlarged_with_its_place() -> None:
    dots = fonts.Glyph(np.full((10, 6), 255, np.uint8), left=1, top=-10, advance=8.0)
    large = dots.enlarged(2.5)
    assert large.ink.shape == (25, 15) and (large.left, large.top, large.advance) == (2, -25, 20.0)
