"""A font without visible glyphs: it draws nothing, and says what each code reads as and how wide it is.

A code stands for a character of one width, so a line is one run of text in which every character lies exactly where it
is on the page. Codes are of this font's own making; what they read as, beyond the BMP too, stands in its ToUnicode.

Source: ISO 32000-1, 9.7.4 (CIDFonts), 9.10.3 (ToUnicode); OpenType 1.9 for the font program.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream

EM = 1000
ASCENT, DESCENT = 800, -200
"""Together one em: the height of a line's polygon."""
GLYPH_STEP, GLYPHS = 50, 40
"""Glyphs are this much wider than one another, thousandths of an em, and so many."""
MOST_CODES = 0xFFFF
HEAD_MAGIC, WHOLE_CHECKSUM = 0x5F0F3CF5, 0xB1B0AFBA
MADE_AT = 3_800_000_000
"""Seconds since 1904, always the same: the same result makes the same file."""
_MOST_IN_BLOCK = 100
_CMAP = """/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
{blocks}
endcmap
CMapName currentdict /CMap defineresource pop
end
end
"""


class GlyphlessFont:
    """The font of one file. It grows while text is encoded; `finish` writes it down."""

    def __init__(self, pdf: Pdf) -> None:
        self._pdf = pdf
        self._codes: dict[tuple[str, int], int] = {}
        self.object: Object = pdf.make_indirect(Dictionary())

    @property
    def is_nearly_full(self) -> bool:
        """Whether another page might not fit in."""
        return len(self._codes) > MOST_CODES // 2

    def encode(self, character: str, width: int) -> bytes:
        """Return the code of a character that is so many thousandths of an em wide."""
        code = self._codes.setdefault((character, width), len(self._codes) + 1)
        return struct.pack(">H", code)

    def finish(self) -> None:
        """Write down what was encoded. The font cannot grow after that."""
        pdf = self._pdf
        glyphs = b"".join(struct.pack(">H", glyph_of(width)) for width in [0, *(width for _, width in self._codes)])
        widths = Array([1, Array([width for _, width in self._codes])])
        descriptor = Dictionary(
            Type=Name.FontDescriptor, FontName=Name.Glyphless, Flags=4, FontBBox=Array([0, DESCENT, EM, ASCENT]),
            ItalicAngle=0, Ascent=ASCENT, Descent=DESCENT, CapHeight=ASCENT, StemV=80,
            FontFile2=Stream(pdf, program()),
        )  # fmt: skip
        cid_font = Dictionary(
            Type=Name.Font, Subtype=Name.CIDFontType2, BaseFont=Name.Glyphless,
            CIDSystemInfo=Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0),
            DW=EM, W=widths, CIDToGIDMap=Stream(pdf, glyphs),
            FontDescriptor=pdf.make_indirect(descriptor),
        )  # fmt: skip
        to_unicode = cmap((code, character) for (character, _), code in self._codes.items())
        font = self.object
        font.Type, font.Subtype, font.BaseFont = Name.Font, Name.Type0, Name.Glyphless
        font.Encoding = Name("/Identity-H")
        font.DescendantFonts = Array([pdf.make_indirect(cid_font)])
        font.ToUnicode = Stream(pdf, to_unicode)


def cmap(codes: Iterable[tuple[int, str]]) -> bytes:
    """The ToUnicode map of codes and what they read as."""
    blocks, left = [], list(codes)
    while left:
        some, left = left[:_MOST_IN_BLOCK], left[_MOST_IN_BLOCK:]
        lines = "".join(f"<{code:04X}> <{text.encode('utf-16-be').hex().upper()}>\n" for code, text in some)
        blocks.append(f"{len(some)} beginbfchar\n{lines}endbfchar")
    return _CMAP.format(blocks="\n".join(blocks)).encode()


def glyph_of(width: int) -> int:
    """The glyph of characters that are so many thousandths of an em wide: the one whose stroke is about as wide."""
    return min(max(1, round(width / GLYPH_STEP)), GLYPHS)


def program() -> bytes:
    """A TrueType font: an empty glyph, then those with a stroke of nothing from corner to corner of their character.

    A contour of two points has no inside, so it draws nothing. But readers that ask the font how large a character is
    find its height and about its width; some leave out what has none.
    """
    widths = [GLYPH_STEP * number for number in range(1, GLYPHS + 1)]
    glyphs = [b""] + [
        struct.pack(">h4hHH2B4h", 1, 0, DESCENT, width, ASCENT, 1, 0, 1, 1, 0, width, DESCENT, EM) for width in widths
    ]
    places = [sum(map(len, glyphs[:number])) // 2 for number in range(len(glyphs) + 1)]
    box = (0, DESCENT, widths[-1], ASCENT)
    head = struct.pack(">HHiIIHHqq4hHHhhh", 1, 0, 0x10000, 0, HEAD_MAGIC, 0, EM, MADE_AT, MADE_AT, *box, 0, 8, 2, 0, 0)
    tables = {
        b"glyf": b"".join(glyphs),
        b"head": head,
        b"hhea": struct.pack(">HHhhhH11hH", 1, 0, ASCENT, DESCENT, 0, box[2], 0, 0, box[2], 1, *[0] * 7, len(glyphs)),
        b"hmtx": b"".join(struct.pack(">Hh", width, 0) for width in [EM, *widths]),
        b"loca": struct.pack(f">{len(places)}H", *places),
        b"maxp": struct.pack(">IH13H", 0x10000, len(glyphs), 2, 1, 0, 0, 2, *[0] * 8),
    }
    offset = 12 + 16 * len(tables)
    directory, bodies = b"", b""
    for tag, body in tables.items():
        padded = body + b"\0" * (-len(body) % 4)
        directory += struct.pack(">4s3I", tag, _checksum(padded), offset + len(bodies), len(body))
        bodies += padded
    start = struct.pack(">I4H", 0x00010000, len(tables), 64, 2, 16 * len(tables) - 64)
    whole = bytearray(start + directory + bodies)
    adjustment = whole.index(struct.pack(">I", HEAD_MAGIC)) - 4
    struct.pack_into(">I", whole, adjustment, (WHOLE_CHECKSUM - _checksum(bytes(whole))) & 0xFFFFFFFF)
    return bytes(whole)


def _checksum(padded: bytes) -> int:
    words: tuple[int, ...] = struct.unpack(f">{len(padded) // 4}I", padded)
    return sum(words) & 0xFFFFFFFF
