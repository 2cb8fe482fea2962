"""An image as PDF holds it: bytes, and what its dictionary says of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pikepdf import Array, Name
from PIL import Image

from api.formats.pdf.flat import orientation_of

GRAY, RGB, CMYK = Name.DeviceGray, Name.DeviceRGB, Name.DeviceCMYK


@dataclass(frozen=True)
class Packed:
    """An image as PDF holds it. keys: of its dictionary. orientation: EXIF, 1 to 8, how it is turned to be seen."""

    data: bytes
    keys: dict[str, Any]
    orientation: int = 1


def jpeg(content: bytes, image: Image.Image) -> Packed:
    """The file itself. Adobe's programs write CMYK the wrong way round, and say so."""
    colours = {"L": GRAY, "RGB": RGB, "CMYK": CMYK}[image.mode]
    keys = keys_of(image.size, colours, 8, Filter=Name.DCTDecode)
    if image.mode == "CMYK" and "adobe" in image.info:
        keys["Decode"] = Array([1, 0] * 4)
    return Packed(content, keys, orientation_of(image))


def keys_of(size: tuple[int, int], colours: Any, bits: int, **more: Any) -> dict[str, Any]:
    """What every image says of itself, and more."""
    return {"Width": size[0], "Height": size[1], "ColorSpace": colours, "BitsPerComponent": bits, **more}
