"""What is said about a document before it is decoded, and what is refused."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from shared import errors
from shared.limits import Limits
from shared.uploads import header as document
from shared.uploads.header import DocumentHeader
from tests.images import END, chunk, header, png_of, saved, saved_together

LIMITS = Limits()


def image(kind: str, width: int = 30, height: int = 20) -> bytes:
    return saved(Image.new("L", (width, height), 255), kind)


def tiff(*sizes: tuple[int, int]) -> bytes:
    return saved_together(*(Image.new("L", size, 255) for size in sizes))


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    return png_of(header(width, height), chunk(b"IDAT", zlib.compress(b"\0" * 100)), END)


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "bmp", "tiff"])
def test_type_and_size_are_read_from_the_content(kind: str) -> None:
    assert document.inspect(image(kind), LIMITS) == DocumentHeader(f"image/{kind}", 30, 20, 1)


def test_the_pages_of_a_tiff_are_counted() -> None:
    header = document.inspect(tiff((30, 20), (50, 40), (10, 10)), LIMITS)
    assert header == DocumentHeader("image/tiff", 30, 20, page_count=3)


def test_a_big_endian_tiff_is_read() -> None:
    entries = struct.pack(">HHIHHHHII", 256, 3, 1, 30, 0, 257, 4, 1, 20)
    content = b"MM\x00*" + struct.pack(">IH", 8, 2) + entries + struct.pack(">I", 0)
    assert document.inspect(content + b"\0" * 64, LIMITS) == DocumentHeader("image/tiff", 30, 20, 1)


def test_a_bmp_with_rows_from_top_to_bottom_has_a_positive_height() -> None:
    content = bytearray(image("bmp"))
    struct.pack_into("<i", content, 22, -20)
    assert document.inspect(bytes(content), LIMITS).height == 20


def test_no_bytes_are_refused() -> None:
    with pytest.raises(errors.EmptyDocument):
        document.inspect(b"", LIMITS)


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(errors.DocumentTooLarge) as refused:
        document.inspect(b"\x89PNG\r\n\x1a\n" + b"\0" * LIMITS.max_bytes, LIMITS)
    assert refused.value.details == {"size_bytes": LIMITS.max_bytes + 8, "max_bytes": LIMITS.max_bytes}


@pytest.mark.parametrize("content", [b"%!PS-1.7\n", b"hello", b"8BPS" + b"\0" * 300, b"\0" * 500, b"\x89PN"])
def test_what_is_no_image_is_refused_whatever_its_name(content: bytes) -> None:
    with pytest.raises(errors.UnsupportedMediaType):
        document.inspect(content, LIMITS)


def test_a_bomb_of_20000_by_20000_pixels_is_refused_from_its_header() -> None:
    content = png_header(20_000, 20_000)
    assert len(content) < 100
    with pytest.raises(errors.TooManyPixels) as refused:
        document.inspect(content, LIMITS)
    assert refused.value.details["max_pixels"] == LIMITS.max_pixels


def test_a_page_that_is_too_long_is_refused_although_it_has_few_pixels() -> None:
    with pytest.raises(errors.TooManyPixels):
        document.inspect(png_header(30_001, 1), LIMITS)


def test_a_bomb_behind_the_first_page_is_refused() -> None:
    with pytest.raises(errors.TooManyPixels):
        document.inspect(tiff((30, 20), (200, 200)), Limits(max_pixels=10_000))


@pytest.mark.parametrize(("width", "height"), [(0, 20), (30, 0), (0, 0)])
def test_an_image_without_width_or_height_is_refused(width: int, height: int) -> None:
    with pytest.raises(errors.ZeroSizeImage):
        document.inspect(png_header(width, height), LIMITS)


def test_too_many_pages_are_refused() -> None:
    with pytest.raises(errors.TooManyPages):
        document.inspect(tiff(*[(8, 8)] * 4), Limits(max_pages=3))


def test_a_tiff_whose_pages_form_a_ring_is_refused() -> None:
    content = b"II*\0" + struct.pack("<IH", 8, 2) + struct.pack("<HHIIHHII", 256, 4, 1, 30, 257, 4, 1, 20)
    with pytest.raises(errors.TooManyPages):
        document.inspect(content + struct.pack("<I", 8) + b"\0" * 64, LIMITS)


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "bmp", "tiff"])
def test_a_file_that_ends_inside_its_header_is_refused(kind: str) -> None:
    content = image(kind)
    with pytest.raises((errors.UnreadableHeader, errors.UnsupportedMediaType)):
        document.inspect(content[:17], LIMITS)


@given(start=st.sampled_from([image(kind)[:40] for kind in ("png", "jpeg", "webp", "bmp", "tiff")]), rest=st.binary())
def test_whatever_follows_the_magic_only_document_errors_come_out(start: bytes, rest: bytes) -> None:
    for length in range(0, 40, 3):
        try:
            header = document.inspect(start[:length] + rest, LIMITS)
        except errors.DocumentError:
            continue
        assert header.width * header.height <= LIMITS.max_pixels
