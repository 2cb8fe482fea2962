"""Images as pages of a PDF: their bytes as they are where PDF knows them, else packed anew, hardly larger than before.

JPEG stays as it is, and so do the pixels of a PNG without transparency. Black and white is packed by CCITT group 4,
everything else like a PNG, and as JPEG only where that would be larger than the upload.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pi_heif
from pikepdf import Array, Dictionary, Matrix, Name, Pdf, Stream
from PIL import Image, ImageOps, UnidentifiedImageError

from api.formats.pdf.background import SHORTEST_POINTS, Added, dots_per_inch, from_pixels
from shared import errors
from shared.result import Page

ORIENTATION = 0x0112
QUALITIES = (85, 75, 60, 45)
"""Of JPEG, tried in this order where pixels packed without loss are too large."""
GROWTH = 1.1
"""Packed anew, a page may be this much larger than its share of the upload."""
OPAQUE, BRIGHT, UNIFORM = 200, 160, 48
"""As recognition sees transparency: what is bright all over is shown on black, everything else on white."""
_GRAY, _RGB, _CMYK = Name.DeviceGray, Name.DeviceRGB, Name.DeviceCMYK


@dataclass(frozen=True)
class Packed:
    """An image as PDF holds it. keys: of its dictionary. orientation: EXIF, 1 to 8, how it is turned to be seen."""

    data: bytes
    keys: dict[str, Any]
    orientation: int = 1


@dataclass(frozen=True)
class Png:
    """The parts of a PNG that PDF needs."""

    width: int
    height: int
    bits: int
    colour_type: int
    is_interlaced: bool
    chunks: dict[bytes, bytes] = field(default_factory=dict)


class ImagePages:
    """The frames of one image file, each a page. is_archival: only colours that PDF/A allows beside sRGB."""

    def __init__(self, content: bytes, page_count: int, *, is_archival: bool) -> None:
        self._content = content
        self._allowed_bytes = int(GROWTH * len(content) / max(1, page_count))
        self._is_archival = is_archival
        try:
            pi_heif.register_heif_opener()
            self._image = Image.open(io.BytesIO(content))
        except (UnidentifiedImageError, OSError, ValueError) as error:
            raise errors.CorruptImage() from error
        except Image.DecompressionBombError as error:  # OCRELAY_MAX_PIXELS was raised beyond what Pillow opens
            raise errors.TooManyPixels(max_pixels=2 * (Image.MAX_IMAGE_PIXELS or 0)) from error

    def add_page(self, pdf: Pdf, page: Page) -> Added:
        """Add a page with the frame of this number."""
        try:
            self._image.seek(page.page_number - 1)
            packed = self._packed()
        except (EOFError, OSError, ValueError, SyntaxError) as error:
            raise errors.CorruptImage(page_number=page.page_number) from error
        stated = self._image.info.get("dpi", (None,))[0]
        to_points = from_pixels(page, dots_per_inch(page, None if stated is None else float(stated)))
        width, height = page.width * to_points.a, page.height * to_points.a
        added = pdf.add_blank_page(page_size=(max(width, SHORTEST_POINTS), max(height, SHORTEST_POINTS)))
        image = Stream(pdf, packed.data, Dictionary(Type=Name.XObject, Subtype=Name.Image))
        for key, value in packed.keys.items():
            image[f"/{key}"] = value
        added.Resources = Dictionary(XObject=Dictionary(Page=pdf.make_indirect(image)))
        matrix = placement(packed.orientation) @ Matrix(width, 0, 0, height, 0, 0)
        added.Contents = Stream(pdf, b"q " + matrix.encode() + b" cm /Page Do Q\n")
        return Added(added, to_points, len(packed.data))

    def _packed(self) -> Packed:
        image = self._image
        if image.format == "JPEG" and self._is_plain_jpeg():
            return jpeg(self._content, image)
        if image.format == "PNG" and (png := read_png(self._content)) and is_plain(png):
            return of_png(png, orientation_of(image))
        return packed_anew(image, self._allowed_bytes)

    def _is_plain_jpeg(self) -> bool:
        return self._image.mode in ("L", "RGB") or (self._image.mode == "CMYK" and not self._is_archival)


def orientation_of(image: Image.Image) -> int:
    """How an image says it is turned, 1 to 8; 1 where it says nothing that makes sense."""
    try:
        found = image.getexif().get(ORIENTATION, 1)
    except (ValueError, SyntaxError, OSError, KeyError, TypeError):
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def placement(orientation: int) -> Matrix:
    """Where the unit square of an image goes within that of the page. Source: EXIF 2.3, tag 274."""
    return Matrix(
        *{
            1: (1, 0, 0, 1, 0, 0),
            2: (-1, 0, 0, 1, 1, 0),
            3: (-1, 0, 0, -1, 1, 1),
            4: (1, 0, 0, -1, 0, 1),
            5: (0, -1, -1, 0, 1, 1),
            6: (0, -1, 1, 0, 0, 1),
            7: (0, 1, 1, 0, 0, 0),
            8: (0, 1, -1, 0, 1, 0),
        }[orientation]
    )


def jpeg(content: bytes, image: Image.Image) -> Packed:
    """The file itself. Adobe's programs write CMYK the wrong way round, and say so."""
    colours = {"L": _GRAY, "RGB": _RGB, "CMYK": _CMYK}[image.mode]
    keys = _keys(image.size, colours, 8, Filter=Name.DCTDecode)
    if image.mode == "CMYK" and "adobe" in image.info:
        keys["Decode"] = Array([1, 0] * 4)
    return Packed(content, keys, orientation_of(image))


def packed_anew(image: Image.Image, allowed_bytes: int) -> Packed:
    """The pixels of an image that PDF has no form for, as they are seen."""
    upright = ImageOps.exif_transpose(flat(image))
    if upright.mode == "1":
        return min(group4(upright), png(upright), key=lambda packed: len(packed.data))
    packed = png(upright)
    if len(packed.data) <= allowed_bytes:
        return packed
    for smaller in jpegs(upright):
        if len(smaller.data) < len(packed.data):
            packed = smaller
        if len(packed.data) <= allowed_bytes:
            break
    return packed


def jpegs(image: Image.Image) -> Iterator[Packed]:
    """The image as JPEG, the best first."""
    plain = image.convert("RGB") if image.mode == "P" else image
    for quality in QUALITIES:
        file = io.BytesIO()
        plain.save(file, "JPEG", quality=quality, optimize=True)
        yield jpeg(file.getvalue(), Image.open(io.BytesIO(file.getvalue())))


def flat(image: Image.Image) -> Image.Image:
    """The image in a mode that PNG and PDF both know, nothing transparent; its EXIF comes along."""
    exif = image.getexif()
    flattened = _flattened(image)
    if ORIENTATION in exif:
        flattened.getexif()[ORIENTATION] = exif[ORIENTATION]
    return flattened


def _flattened(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "black" if _is_bright(rgba) else "white")
        return Image.alpha_composite(ground, rgba).convert("L" if image.mode in ("LA", "La") else "RGB")
    if image.mode.startswith("I;16"):
        return image.point(lambda value: value / 257).convert("L")
    if image.mode in ("1", "L", "P", "RGB"):
        return image.copy()
    return image.convert("RGB")


def _is_bright(image: Image.Image) -> bool:
    alpha = image.getchannel("A").point(lambda value: 255 if value >= OPAQUE else 0)
    counts = image.convert("RGB").convert("L").histogram(alpha)
    visible = sum(counts)
    if visible in (0, image.width * image.height):
        return False
    low, middle, high = (_percentile(counts, visible * share) for share in (0.1, 0.5, 0.9))
    return high - low <= UNIFORM and middle >= BRIGHT


def _percentile(counts: list[int], wanted: float) -> int:
    seen = 0
    for value, count in enumerate(counts):
        seen += count
        if seen >= wanted:
            return value
    return len(counts) - 1


def group4(image: Image.Image) -> Packed:
    """Black and white in CCITT group 4, as faxes and most scanners pack it."""
    file = io.BytesIO()
    image.save(file, "TIFF", compression="group4", strip_size=image.height * ((image.width + 7) // 8) + 1)
    with Image.open(io.BytesIO(file.getvalue())) as tiff:
        tags = tiff.tag_v2  # type: ignore[attr-defined]
        (offset,), (length,) = tags[273], tags[279]
        is_zero_white = tags[262] == 0
    keys = _keys(image.size, _GRAY, 1, Filter=Name.CCITTFaxDecode)
    keys["DecodeParms"] = Dictionary(K=-1, Columns=image.width, Rows=image.height, BlackIs1=not is_zero_white)
    return Packed(file.getvalue()[offset : offset + length], keys)


def png(image: Image.Image) -> Packed:
    """The pixels without loss, as a PNG packs them."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=6)
    found = read_png(file.getvalue())
    assert found is not None
    return of_png(found)


def read_png(content: bytes) -> Png | None:
    """The parts of a PNG; None where they do not follow one another as they must."""
    chunks: dict[bytes, bytes] = {}
    data: list[bytes] = []
    at = 8
    while at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        name, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        if name == b"IDAT":
            data.append(body)
        elif name == b"IEND":
            break
        else:
            chunks.setdefault(name, body)
        at += 12 + length
    head = chunks.get(b"IHDR", b"")
    if len(head) != 13 or not data:
        return None
    chunks[b"IDAT"] = b"".join(data)
    width, height = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:8], "big")
    return Png(width, height, head[8], head[9], head[12] != 0, chunks)


def is_plain(png: Png) -> bool:
    """Whether PDF can hold the pixels as they are packed: no transparency, no interlacing, no deep colours."""
    is_known = png.colour_type in (0, 2) or (png.colour_type == 3 and b"PLTE" in png.chunks)
    return is_known and not png.is_interlaced and png.bits <= 8 and b"tRNS" not in png.chunks


def of_png(png: Png, orientation: int = 1) -> Packed:
    """Gray, RGB or a palette, packed as in the file: PDF knows the filters of PNG as predictors."""
    colours: Any = {0: _GRAY, 2: _RGB}.get(png.colour_type)
    if colours is None:
        palette = png.chunks[b"PLTE"]
        colours = Array([Name.Indexed, _RGB, len(palette) // 3 - 1, palette])
    keys = _keys((png.width, png.height), colours, png.bits, Filter=Name.FlateDecode)
    keys["DecodeParms"] = Dictionary(
        Predictor=15, Colors=3 if png.colour_type == 2 else 1, BitsPerComponent=png.bits, Columns=png.width
    )
    return Packed(png.chunks[b"IDAT"], keys, orientation)


def _keys(size: tuple[int, int], colours: Any, bits: int, **more: Any) -> dict[str, Any]:
    return {"Width": size[0], "Height": size[1], "ColorSpace": colours, "BitsPerComponent": bits, **more}
