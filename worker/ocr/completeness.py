"""Whether a file is all there. Decoders differ: some fail on a cut file, some return half an image without a word.

OpenCV 5.0 refuses most cut files, OpenCV 4 fills the rest of a JPEG with grey. What the container says about its own
length is therefore checked here, for every decoder alike.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from shared.errors import TruncatedImage

PNG_SIGNATURE_BYTES = 8
TIFF_EXTENTS = {273: 279, 324: 325}  # StripOffsets: StripByteCounts, TileOffsets: TileByteCounts
TIFF_EXTENT_TAGS = {*TIFF_EXTENTS, *TIFF_EXTENTS.values()}
TIFF_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}  # by kind of value
TIFF_WHOLE_NUMBERS = {1: "B", 3: "H", 4: "I"}  # kinds BYTE, SHORT, LONG


def require_complete(content: bytes, media_type: str) -> None:
    """Check that the file reaches as far as its container says.

    Raises:
        TruncatedImage: The file ends early.
    """
    try:
        complete = _CHECKS[media_type](content)
    except struct.error:  # a length or an offset lies beyond the end
        complete = False
    if not complete:
        raise TruncatedImage(size_bytes=len(content))


def _png(content: bytes) -> bool:
    """Walk the chunks up to IEND. Source: PNG specification, section 5.3."""
    offset = PNG_SIGNATURE_BYTES
    while True:
        length, kind = struct.unpack_from(">I4s", content, offset)
        offset += 12 + length
        if offset > len(content):
            return False
        if kind == b"IEND":
            return True


def _jpeg(content: bytes) -> bool:
    """Find the end marker behind the first scan: one inside an embedded preview does not count.

    Source: ITU-T T.81, annex B.
    """
    return content.find(b"\xff\xd9", jpeg_scan_offset(content)) >= 0


def jpeg_segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, offset of the payload and its length, for each segment before the first scan ends the list."""
    offset = 2
    while True:
        marker, length = struct.unpack_from(">HH", content, offset)
        if marker >> 8 != 0xFF:
            return
        if marker == 0xFFFF:  # fill byte
            offset += 1
            continue
        yield marker, offset + 4, length - 2
        if marker == 0xFFDA:  # start of scan
            return
        offset += 2 + length


def jpeg_scan_offset(content: bytes) -> int:
    """Return the offset of the first scan's data; raises struct.error where the file ends before it."""
    end = 2
    for _, payload, length in jpeg_segments(content):
        end = payload + length
    return end


def _webp(content: bytes) -> bool:
    """Compare with the size in the RIFF header. Source: WebP container specification."""
    (riff_bytes,) = struct.unpack_from("<I", content, 4)
    return bool(riff_bytes + 8 <= len(content))


def _bmp(content: bytes) -> bool:
    """Uncompressed rows must fit; of compressed ones the decoder itself notices the end."""
    data, header_bytes = struct.unpack_from("<II", content, 10)
    if header_bytes == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", content, 18)
        compression = 0
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", content, 18)
    if compression not in (0, 3, 6):  # BI_RGB, BI_BITFIELDS, BI_ALPHABITFIELDS
        return True
    row_bytes = (width * bits + 31) // 32 * 4
    return bool(data + row_bytes * abs(height) <= len(content))


def _tiff(content: bytes) -> bool:
    """All fields, strips and tiles of all pages must lie within the file. Source: TIFF 6.0, sections 2, 7 and 15."""
    return all(end <= len(content) for end in _tiff_ends(content))


def _tiff_ends(content: bytes) -> Iterator[int]:
    """Yield the end of everything that the directories point to."""
    order = "<" if content[:2] == b"II" else ">"
    (offset,) = struct.unpack_from(order + "I", content, 4)
    while offset:
        (count,) = struct.unpack_from(order + "H", content, offset)
        fields: dict[int, tuple[int, ...]] = {}
        for index in range(count):
            tag, kind, start, end = _tiff_field(content, order, offset + 2 + 12 * index)
            yield end
            if tag not in fields and tag in TIFF_EXTENT_TAGS and kind in TIFF_WHOLE_NUMBERS and end <= len(content):
                layout = f"{order}{(end - start) // TIFF_BYTES[kind]}{TIFF_WHOLE_NUMBERS[kind]}"
                fields[tag] = struct.unpack_from(layout, content, start)
        for starts, lengths in TIFF_EXTENTS.items():
            yield from (a + b for a, b in zip(fields.get(starts, ()), fields.get(lengths, ()), strict=False))
        (offset,) = struct.unpack_from(order + "I", content, offset + 2 + 12 * count)


def _tiff_field(content: bytes, order: str, entry: int) -> tuple[int, int, int, int]:
    """Return tag and kind of one directory entry, and where its values start and end: in the entry or elsewhere."""
    tag, kind, count = struct.unpack_from(order + "HHI", content, entry)
    length, start = count * TIFF_BYTES.get(kind, 1), entry + 8
    if length > 4:
        (start,) = struct.unpack_from(order + "I", content, start)
    return tag, kind, start, start + length


_CHECKS = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/webp": _webp,
    "image/bmp": _bmp,
    "image/tiff": _tiff,
}
