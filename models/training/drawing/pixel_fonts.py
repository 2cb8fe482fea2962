"""Bitmap fonts, which screens show pixel for pixel: which characters a PCF file holds, and at which size.

FreeType draws their glyphs, but fontTools does not read their tables. Source: "The X11 PCF bitmap font file format",
https://fontforge.org/docs/techref/pcf-format.html.
"""

from __future__ import annotations

import gzip
import pathlib
import struct

import numpy as np
from PIL import ImageFont

MAGIC = b"\x01fcp"
ENCODINGS = 1 << 5  # the type of the table that leads from code points to glyphs
BIG_ENDIAN = 1 << 2  # in a table's format
NO_GLYPH = 0xFFFF
EMS = range(11, 33)  # px; smaller letters are three dots wide


def code_points(path: pathlib.Path) -> set[int]:
    """Code points that a PCF file has a glyph for.

    Raises:
        ValueError: it is no PCF file, or has no table of encodings.
    """
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if not data.startswith(MAGIC):
        raise ValueError(f"{path} is no PCF font")
    for table in range(struct.unpack_from("<I", data, 4)[0]):
        kind, layout, _, start = struct.unpack_from("<4I", data, 8 + 16 * table)
        if kind == ENCODINGS:
            order = ">" if layout & BIG_ENDIAN else "<"
            low, high, first, last, _ = struct.unpack_from(f"{order}5H", data, start + 4)
            size = last - first + 1, high - low + 1
            glyphs = np.frombuffer(data, f"{order}u2", size[0] * size[1], start + 14).reshape(size)
            rows, columns = np.nonzero(glyphs != NO_GLYPH)
            return set(((rows + first) * 256 + columns + low).tolist())
    raise ValueError(f"{path} does not say which characters it holds")


def em_of(path: pathlib.Path) -> int:
    """The one size of a bitmap font, px; 0: none that is used."""
    for em in EMS:
        try:
            ImageFont.truetype(str(path), em, layout_engine=ImageFont.Layout.BASIC)
        except OSError:
            continue
        return em
    return 0
