from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from shared import errors
from shared.limits import Limits
from tests.images import saved
from tests.malformed.case import zeros
from tests.malformed.tiff import COMPRESSION_DEFLATE, tiff
from worker.ocr.decode.pages import decode_pages, to_gray

SAMPLES = Path(__file__).parents[2] / "samples"
SIZE = (60, 40)  # width, height


def picture(mode: str = "RGB") -> Image.Image:
    """White, with a black block in the top-left corner."""
    pixels = np.full((SIZE[1], SIZE[0], 3), 255, np.uint8)
    pixels[:10, :10] = 0
    noise = np.random.default_rng(0).integers(0, 40, pixels.shape, np.uint8)
    return Image.fromarray(np.where(pixels == 0, noise, pixels - noise)).convert(mode)


FORMATS: dict[str, Callable[[], bytes]] = {
    "png": lambda: saved(picture(), "PNG"),
    "png palette": lambda: saved(picture("P"), "PNG"),
    "png one bit": lambda: saved(picture("1"), "PNG"),
    "jpeg": lambda: saved(picture(), "JPEG"),
    "jpeg progressive": lambda: saved(picture(), "JPEG", progressive=True),
    "jpeg cmyk": lambda: saved(picture("CMYK"), "JPEG"),
    "jpeg gray": lambda: saved(picture("L"), "JPEG"),
    "webp": lambda: saved(picture(), "WEBP"),
    "webp lossless": lambda: saved(picture(), "WEBP", lossless=True),
    "bmp": lambda: saved(picture(), "BMP"),
    "bmp palette": lambda: saved(picture("P"), "BMP"),
    "tiff": lambda: saved(picture(), "TIFF"),
    "tiff lzw": lambda: saved(picture(), "TIFF", compression="tiff_lzw"),
    "tiff deflate": lambda: saved(picture(), "TIFF", compression="tiff_adobe_deflate"),
    "tiff group 3": lambda: saved(picture("1"), "TIFF", compression="group3"),
    "tiff group 4": lambda: saved(picture("1"), "TIFF", compression="group4"),
    "tiff jpeg": lambda: saved(picture(), "TIFF", compression="jpeg"),
    "gif": lambda: saved(picture("P"), "GIF"),
    "jpeg 2000": lambda: saved(picture(), "JPEG2000"),
    "jpeg 2000 gray": lambda: saved(picture("L"), "JPEG2000"),
    "jpeg 2000 codestream": lambda: saved(picture(), "JPEG2000", no_jp2=True),
    "avif": lambda: saved(picture(), "AVIF", quality=90),
}


def only_page(content: bytes, limits: Limits | None = None) -> np.ndarray:
    (page,) = decode_pages(content, limits or Limits())
    return page.gray


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_becomes_a_gray_page_with_black_at_zero(name: str) -> None:
    page = only_page(FORMATS[name]())
    assert page.shape == (SIZE[1], SIZE[0])
    assert page.dtype == np.uint8
    assert page[2:8, 2:8].mean() < 80
    assert page[20:, 20:].mean() > 200


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_a_cut_body_is_reported_as_truncated_or_as_a_truncated_header(name: str, share: float) -> None:
    content = FORMATS[name]()
    with pytest.raises((errors.TruncatedImage, errors.UnreadableHeader)):
        only_page(content[: int(len(content) * share)])


@pytest.mark.parametrize("name", ["png", "jpeg", "jpeg progressive", "webp", "bmp", "tiff"])
def test_a_body_that_lacks_its_last_bytes_is_truncated(name: str) -> None:
    content = FORMATS[name]()
    with pytest.raises((errors.TruncatedImage, errors.UnreadableHeader)):
        only_page(content[:-12])


def test_a_png_without_its_end_chunk_is_truncated() -> None:
    content = FORMATS["png"]()
    with pytest.raises(errors.TruncatedImage):
        only_page(content[:-12])


def test_the_end_marker_of_an_embedded_preview_does_not_complete_a_jpeg() -> None:
    exif = Image.Exif()
    exif[37500] = b"\xff\xd8 preview \xff\xd9"
    content = saved(picture(), "JPEG", exif=exif)
    assert b"\xff\xd9" in content[:200]
    with pytest.raises(errors.TruncatedImage):
        only_page(content[:-40])


def test_bytes_behind_the_end_of_a_jpeg_do_no_harm() -> None:
    assert only_page(FORMATS["jpeg"]() + b"trailer of a camera").shape == (SIZE[1], SIZE[0])


def test_a_broken_checksum_in_the_body_of_a_png_is_corrupt() -> None:
    content = bytearray(FORMATS["png"]())
    at = content.index(b"IDAT") + 4
    content[at : at + 40] = bytes(40)
    with pytest.raises(errors.CorruptImage):
        only_page(bytes(content))


def test_a_page_that_claims_more_pixels_than_allowed_is_refused_before_decoding() -> None:
    content = bytearray(FORMATS["png"]())
    content[16:24] = struct.pack(">II", 20_000, 20_000)
    with pytest.raises(errors.TooManyPixels):
        only_page(bytes(content))


def test_a_document_with_too_many_pages_is_refused() -> None:
    content = saved(picture(), "TIFF", save_all=True, append_images=[picture(), picture()])
    with pytest.raises(errors.TooManyPages):
        list(decode_pages(content, Limits(max_pages=2)))


def test_pages_of_a_tiff_come_in_order_and_each_in_its_own_size() -> None:
    content = saved(picture(), "TIFF", save_all=True, append_images=[picture("L").resize((30, 20)), picture("1")])
    assert [page.gray.shape for page in decode_pages(content, Limits())] == [(40, 60), (20, 30), (40, 60)]


def test_a_tiff_whose_last_page_is_cut_is_truncated_before_any_page_is_given() -> None:
    content = saved(picture(), "TIFF", save_all=True, append_images=[picture(), picture()])
    with pytest.raises((errors.TruncatedImage, errors.UnreadableHeader)):
        next(decode_pages(content[:-2000], Limits()))


def moving(image_format: str) -> bytes:
    return saved(picture(), image_format, save_all=True, append_images=[picture().rotate(180)])


@pytest.mark.parametrize("image_format", ["GIF", "AVIF", "WEBP", "PNG"])
def test_of_what_moves_the_first_frame_is_the_page_and_it_says_so(image_format: str) -> None:
    (page,) = decode_pages(moving(image_format), Limits())
    assert page.gray[2:8, 2:8].mean() < 80 and page.gray[20:, 20:].mean() > 200
    assert [reason.code for reason in page.warnings] == ["first_frame_only"]


@pytest.mark.parametrize("image_format", ["GIF", "WEBP", "PNG"])
def test_what_stands_still_says_nothing(image_format: str) -> None:
    for content in (saved(picture(), image_format), saved(picture(), image_format, save_all=True)):
        (page,) = decode_pages(content, Limits())
        assert page.warnings == ()


def test_a_heic_photo_is_read_as_it_is_seen() -> None:
    assert only_page((SAMPLES / "line.heic").read_bytes()).shape == (60, 926)
    turned = (SAMPLES / "turned.heic").read_bytes()
    assert only_page(turned).shape == (96, 48), "stored on its side"
    with pytest.raises(errors.UnreadableHeader):
        only_page(turned[:-100])
    (page,) = decode_pages((SAMPLES / "two.heic").read_bytes(), Limits())
    assert [reason.code for reason in page.warnings] == ["first_frame_only"]


def test_a_jpeg_2000_of_sixteen_bits_is_scaled_to_eight() -> None:
    image = Image.fromarray(np.array([[0, 32768, 65535]] * 8, np.uint16))
    page = only_page(saved(image, "JPEG2000"))
    assert page[0].tolist() == [0, 127, 255]


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize(
    ("orientation", "corner"),
    [(1, "tl"), (2, "tr"), (3, "br"), (4, "bl"), (5, "tl"), (6, "tr"), (7, "br"), (8, "bl")],
)
def test_the_page_is_turned_as_its_exif_orientation_says(image_format: str, orientation: int, corner: str) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    options = {"tiffinfo": {274: orientation}} if image_format == "TIFF" else {"exif": exif}
    page = only_page(saved(picture(), image_format, **options))
    assert page.shape == ((60, 40) if orientation >= 5 else (40, 60))
    corners = {"tl": page[:8, :8], "tr": page[:8, -8:], "bl": page[-8:, :8], "br": page[-8:, -8:]}
    assert min(corners, key=lambda name: corners[name].mean()) == corner


def test_transparency_is_laid_over_white() -> None:
    bgra = np.zeros((4, 4, 4), np.uint8)
    bgra[0, 0] = (0, 0, 0, 255)
    bgra[0, 1] = (0, 0, 0, 128)
    page = only_page(bytes(cv2.imencode(".png", bgra)[1]))
    assert page[0].tolist() == [0, 127, 255, 255]


def test_a_palette_with_a_transparent_colour_is_laid_over_white() -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([255, 0, 0, 0, 0, 0])
    assert (only_page(saved(image, "PNG", transparency=1)) == 255).all()


@pytest.mark.parametrize("extension", [".png", ".tiff"])
def test_sixteen_bits_are_scaled_to_eight(extension: str) -> None:
    image = np.array([[0, 32768, 65535]], np.uint16)
    assert only_page(bytes(cv2.imencode(extension, image)[1])).tolist() == [[0, 127, 255]]


@pytest.mark.parametrize("mode", ["F", "I"])
def test_pixels_of_more_than_sixteen_bits_are_refused_before_they_are_decoded(mode: str) -> None:
    content = saved(Image.new(mode, (40, 20)), "TIFF")
    with pytest.raises(errors.UnsupportedMediaType, match="8 or 16 bits"):
        list(decode_pages(content, Limits()))


def test_sixteen_bits_with_transparency_lie_over_white() -> None:
    bgra = np.zeros((2, 2, 4), np.uint16)
    bgra[0] = (65535, 65535, 65535, 65535)
    bgra[1, 1, 3] = 65535
    assert to_gray(bgra).tolist() == [[255, 255], [255, 0]]


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1)])
def test_extreme_shapes_decode(shape: tuple[int, int]) -> None:
    assert only_page(bytes(cv2.imencode(".png", np.zeros(shape, np.uint8))[1])).shape == shape


def test_what_a_png_says_beside_its_pixels_is_not_even_looked_at(capfd: pytest.CaptureFixture[str]) -> None:
    """libpng wrote a line for each text that it disliked: 10 MiB of them filled a log with 25 MB."""
    content = FORMATS["png palette"]()
    empty = b"\x00\x00\x00\x00tEXt\xc9\x68\x1e\xe4"
    padded = content[:33] + empty * 10_000 + content[33:]
    assert (only_page(padded) == only_page(content)).all()
    assert len(capfd.readouterr().err) < 1000


def test_strips_of_a_tiff_on_top_of_one_another_are_refused() -> None:
    content = tiff(zeros(1), t259=COMPRESSION_DEFLATE)
    at = content.index(struct.pack("<HHI", 273, 4, 1))
    many = 5000
    offsets, lengths = struct.pack("<I", 8) * many, struct.pack("<I", 1000) * many
    piled = bytearray(content + offsets + lengths)
    struct.pack_into("<II", piled, at + 4, many, len(content))
    at = content.index(struct.pack("<HHI", 279, 4, 1))
    struct.pack_into("<II", piled, at + 4, many, len(content) + len(offsets))
    with pytest.raises(errors.CorruptImage):
        only_page(bytes(piled))


@pytest.mark.parametrize("compression", ["tiff_adobe_deflate", "raw", "tiff_lzw"])
def test_a_tiff_with_garbage_for_pixels_is_no_white_page(compression: str) -> None:
    content = bytearray(saved(picture(), "TIFF", compression=compression))
    (table,) = struct.unpack_from("<I", content, 4)
    entries = content[table + 2 :][: 12 * content[table]]
    fields = {tag: value for tag, _, _, value in struct.iter_unpack("<HHII", entries)}
    start, length = fields[273], fields[279]
    if compression == "raw":
        at = content.index(struct.pack("<HH", 279, 4))
        struct.pack_into("<I", content, at + 8, length // 2)
    else:
        content[start : start + length] = b"\xff" * length
    with pytest.raises((errors.TruncatedImage, errors.CorruptImage)):
        only_page(bytes(content))
