"""LZW in TIFF: whole strips are known to the byte, and damage is refused rather than read as garbage."""

from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shared import errors
from shared.limits import Limits
from tests.images import saved
from worker.ocr.decode.lzw import unpacked_bytes
from worker.ocr.decode.pages import decode_pages

SAMPLE = Image.open(Path(__file__).parents[3] / "docs" / "samples" / "page.png")
NOISE = np.random.default_rng(1).integers(0, 255, (500, 700, 3), dtype=np.uint8)
IMAGES = {
    "gray": SAMPLE.convert("L"),
    "colour": SAMPLE.convert("RGB"),
    "black and white": SAMPLE.convert("1"),
    "a palette": SAMPLE.convert("P"),
    "noise, whose tables fill up": Image.fromarray(NOISE),
    "white, of long strings": Image.new("L", (3000, 2000), 255),
    "a single pixel": Image.new("L", (1, 1)),
}


def tiff(image: Image.Image) -> bytes:
    return saved(image, "TIFF", compression="tiff_lzw")


@pytest.mark.parametrize("name", IMAGES)
def test_whole_strips_are_known_to_the_byte(name: str) -> None:
    image = IMAGES[name]
    content = tiff(image)
    with Image.open(io.BytesIO(content)) as read:
        tags = read.tag_v2  # type: ignore[attr-defined]
        strips = [content[start : start + length] for start, length in zip(tags[273], tags[279], strict=True)]
    row_bytes = (image.width * {"1": 1, "RGB": 24}.get(image.mode, 8) + 7) // 8
    assert sum(unpacked_bytes(strip) or 0 for strip in strips) == row_bytes * image.height
    (page,) = decode_pages(content, Limits())
    assert page.gray.shape == (image.height, image.width)


def test_a_code_that_has_no_meaning_yet_is_damage() -> None:
    bits = "100000000" + f"{65:09b}" + f"{259:09b}" + "100000001"
    assert unpacked_bytes(int(bits.ljust(40, "0"), 2).to_bytes(5, "big")) is None


def test_runs_without_end_are_not_all_looked_at() -> None:
    with pytest.raises(ValueError, match="short runs"):
        unpacked_bytes(int("100000000" * 8, 2).to_bytes(9, "big") * 1000)


def test_of_damaged_files_nearly_all_are_refused() -> None:
    """A byte that turns a code into another of the same length cannot be known: TIFF has no checksums."""
    content, chance = tiff(SAMPLE.convert("L")), random.Random(4)
    refused = garbled = 0
    (whole,) = decode_pages(content, Limits())
    for _ in range(60):
        damaged = bytearray(content)
        damaged[chance.randrange(300, len(content) - 400)] ^= chance.randrange(1, 256)
        try:
            (page,) = decode_pages(bytes(damaged), Limits())
        except (errors.CorruptImage, errors.TruncatedImage):
            refused += 1
        else:
            garbled += float((page.gray != whole.gray).mean()) > 0.01
    assert refused >= 50 and garbled <= 2
