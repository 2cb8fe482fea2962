"""Images that PDF has no form for, packed anew and hardly larger than before.

Black and white by CCITT group 4, everything else like a PNG, and as JPEG only where that would be larger than before.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from pikepdf import Dictionary, Name
from PIL import Image, ImageOps

from api.formats.pdf.flat import flat
from api.formats.pdf.packed import GRAY, Packed, jpeg, keys_of
from api.formats.pdf.png import of_png, read_png

QUALITIES = (85, 75, 60, 45)
"""Of JPEG, tried in this order where pixels packed without loss are too large."""


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


def group4(image: Image.Image) -> Packed:
    """Black and white in CCITT group 4, as faxes and most scanners pack it."""
    file = io.BytesIO()
    image.save(file, "TIFF", compression="group4", strip_size=image.height * ((image.width + 7) // 8) + 1)
    with Image.open(io.BytesIO(file.getvalue())) as tiff:
        tags = tiff.tag_v2  # type: ignore[attr-defined]
        (offset,), (length,) = tags[273], tags[279]
        is_zero_white = tags[262] == 0
    keys = keys_of(image.size, GRAY, 1, Filter=Name.CCITTFaxDecode)
    keys["DecodeParms"] = Dictionary(K=-1, Columns=image.width, Rows=image.height, BlackIs1=not is_zero_white)
    return Packed(file.getvalue()[offset : offset + length], keys)


def png(image: Image.Image) -> Packed:
    """The pixels without loss, as a PNG packs them."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=6)
    found = read_png(file.getvalue())
    assert found is not None
    return of_png(found)
