"""The pixels of a PNG, packed as they are: PDF knows its filters as predictors. Source: PNG 1.2; ISO 32000-1, 7.4.4."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pikepdf import Array, Dictionary, Name

from api.formats.pdf.packed import GRAY, RGB, Packed, keys_of


@dataclass(frozen=True)
class Png:
    """The parts of a PNG that PDF needs."""

    width: int
    height: int
    bits: int
    colour_type: int
    is_interlaced: bool
    chunks: dict[bytes, bytes] = field(default_factory=dict)


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
    colours: Any = {0: GRAY, 2: RGB}.get(png.colour_type)
    if colours is None:
        palette = png.chunks[b"PLTE"]
        colours = Array([Name.Indexed, RGB, len(palette) // 3 - 1, palette])
    keys = keys_of((png.width, png.height), colours, png.bits, Filter=Name.FlateDecode)
    keys["DecodeParms"] = Dictionary(
        Predictor=15, Colors=3 if png.colour_type == 2 else 1, BitsPerComponent=png.bits, Columns=png.width
    )
    return Packed(png.chunks[b"IDAT"], keys, orientation)
