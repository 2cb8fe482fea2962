"""Whether a file is all there. Decoders differ: some fail on a cut file, some return half an image without a word.

OpenCV 5.0 refuses most cut files, OpenCV 4 fills the rest of a JPEG with grey. What the container says about its own
length is therefore checked here, for every decoder alike.
"""

from __future__ import annotations

import struct

from shared.errors import CorruptImage, TruncatedImage
from shared.uploads import jpeg
from worker.ocr.decode import chunks, tiff_strips

PNG_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
JPEG_MOST_PIXELS_A_BYTE = 8 * 8 * 8 * 8
TIFF_TAGS = {*tiff_strips.TAGS, *tiff_strips.EXTENTS, *tiff_strips.EXTENTS.values()}
TIFF_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}  # by kind of value
TIFF_WHOLE_NUMBERS = {1: "B", 3: "H", 4: "I"}  # kinds BYTE, SHORT, LONG


def require_complete(content: bytes, media_type: str) -> None:
    """Check that the file reaches as far as its container says.

    Raises:
        TruncatedImage: The file ends early.
        CorruptImage: It is all there, but nobody can unpack it.
    """
    if media_type not in _CHECKS:  # Pillow, which decodes the others, says so itself
        return
    try:
        complete = _CHECKS[media_type](content)
    except struct.error:  # a length or an offset lies beyond the end
        complete = False
    if not complete:
        raise TruncatedImage(size_bytes=len(content))


def _png(content: bytes) -> bool:
    """Walk the chunks up to IEND."""
    return all(end <= len(content) for _, _, end in chunks.of_png(content))


def pixels_of_png(content: bytes) -> bytes:
    """Return a PNG without what is not needed for its pixels.

    Texts and colour profiles may inflate to anything, and libpng writes a line about each that it does not like: one
    upload could fill a disk with log.
    """
    kept, seen = [content[: chunks.PNG_START]], set()
    for kind, start, end in chunks.of_png(content):
        if kind in PNG_PIXELS and (kind == b"IDAT" or kind not in seen):
            seen.add(kind)
            kept.append(content[start:end])
    return b"".join(kept)


def _jpeg(content: bytes) -> bool:
    """Find the end marker behind the first scan: one inside an embedded preview does not count.

    The scans must also be long enough for the size that the header claims: a block of 8 x 8 pixels takes a bit at
    least, or an eighth of one for a channel of less resolution. Source: ITU-T T.81, annexes A, B and F.
    """
    scan = jpeg.scan_offset(content)
    end = content.find(b"\xff\xd9", scan)
    frames = [(marker, payload) for marker, payload, _ in jpeg.segments(content) if marker in jpeg.HUFFMAN_FRAMES]
    if end < 0 or not frames:
        return end >= 0
    height, width = struct.unpack_from(">HH", content, frames[0][1] + 1)
    return bool((end - scan) * JPEG_MOST_PIXELS_A_BYTE >= width * height)


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
    """All fields, strips and tiles of all pages must lie within the file, and unpack to whole pages.

    Source: TIFF 6.0, sections 2, 7 and 15.
    """
    order = "<" if content[:2] == b"II" else ">"
    (offset,) = struct.unpack_from(order + "I", content, 4)
    while offset:
        (count,) = struct.unpack_from(order + "H", content, offset)
        fields: dict[int, tuple[int, ...]] = {}
        for index in range(count):
            tag, kind, start, end = _tiff_field(content, order, offset + 2 + 12 * index)
            if end > len(content):
                return False
            if tag not in fields and tag in TIFF_TAGS and kind in TIFF_WHOLE_NUMBERS and end > start:
                layout = f"{order}{(end - start) // TIFF_BYTES[kind]}{TIFF_WHOLE_NUMBERS[kind]}"
                fields[tag] = struct.unpack_from(layout, content, start)
        for starts, lengths in tiff_strips.EXTENTS.items():
            extents = zip(fields.get(starts, ()), fields.get(lengths, ()), strict=False)
            if any(begin + length > len(content) for begin, length in extents):
                return False
        if not tiff_strips.are_sound(content, fields):
            raise CorruptImage()
        if not tiff_strips.are_enough(content, fields):
            return False
        (offset,) = struct.unpack_from(order + "I", content, offset + 2 + 12 * count)
    return True


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
