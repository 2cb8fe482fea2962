"""What can be said about an uploaded document before any pixel of it is decoded."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, replace

import filetype
import imagesize

from shared import errors
from shared.limits import Limits
from shared.options import select_pages
from shared.uploads import jpeg, pdf, pictures, reduced

MEDIA_TYPES = (
    "image/png", "image/jpeg", "image/webp", "image/bmp", "image/tiff",
    "image/gif", "image/jp2", "image/heic", "image/avif", pdf.MEDIA_TYPE,
)  # fmt: skip
_ALIASES = {"image/x-ms-bmp": "image/bmp", "image/apng": "image/png"}
MOST_SAMPLE_BITS = 16
MOST_SAMPLES = 4
TOTAL_PAGES = 100
"""So many of the largest allowed pages may all pages of a TIFF hold together: a bound for the work of one job."""
SIDE_TOO_LONG = "A side of it is too long. Cut it in two, scale it down, or raise OCRELAY_MAX_SIDE on the server."
_TIFF_OFFSETS = {b"II*\x00": "<", b"MM\x00*": ">"}


@dataclass(frozen=True)
class DocumentHeader:
    """What the header of a document says. The first page stands for the size."""

    media_type: str
    """One of MEDIA_TYPES, found from the content, never from a file name."""
    width: int
    """Pixels of the first page as stored, before any EXIF orientation; of a PDF, points."""
    height: int
    """Pixels of the first page as stored, before any EXIF orientation; of a PDF, points."""
    page_count: int
    """1 but for multi-page TIFF and PDF; of what moves, the first frame is the page."""


def inspect(content: bytes, limits: Limits, pages: str | None = None) -> DocumentHeader:
    """Read type, size and page count of a document from its header and check them against the limits.

    Args:
        content: The whole upload.
        limits: What is allowed.
        pages: Which shall be read, as in the option; None: all.

    Raises:
        EmptyDocument: No byte at all.
        DocumentTooLarge: More bytes than allowed.
        UnsupportedMediaType: None of MEDIA_TYPES.
        UnreadableHeader: The right magic, but the size cannot be read.
        ZeroSizeImage: No width or no height.
        TooManyPixels: Too wide, too high, or too many pixels.
        TooManyPages: More pages than allowed, or a TIFF with a chain of pages that never ends.
        EncryptedDocument, BrokenDocument, NoPages: A PDF that cannot be read.
        InvalidOption: A page is chosen that is not there.
    """
    if not content:
        raise errors.EmptyDocument()
    if len(content) > limits.max_bytes:
        raise errors.DocumentTooLarge(size_bytes=len(content), max_bytes=limits.max_bytes)
    media_type = sniff(content)
    if media_type == pdf.MEDIA_TYPE:
        return _inspect_pdf(content, limits, pages)
    header = (
        _inspect_tiff(content, limits) if media_type == "image/tiff" else _inspect_image(content, media_type, limits)
    )
    select_pages(pages, header.page_count)
    return header


def _inspect_image(content: bytes, media_type: str, limits: Limits) -> DocumentHeader:
    try:
        width, height = _SIZES.get(media_type, _header_size)(content)
        factor = reduced.factor(content, media_type, (width, height), limits.max_pixels)
    except errors.DocumentError:
        raise
    except Exception as error:  # parsers of foreign bytes: whatever they trip over means the same to the sender
        raise errors.UnreadableHeader() from error
    check_size(width, height, replace(limits, max_pixels=limits.max_pixels * factor**2))
    return DocumentHeader(media_type, width, height, page_count=1)


def sniff(content: bytes) -> str:
    """Return the media type that the first bytes show.

    Raises:
        UnsupportedMediaType: The bytes are none of MEDIA_TYPES.
    """
    guess = pictures.kind(content[:64]) or filetype.guess_mime(content[:261])
    if guess is None and pdf.MAGIC in content[: pdf.LOOK_FOR_MAGIC_BYTES]:
        guess = pdf.MEDIA_TYPE
    media_type = _ALIASES.get(guess or "", guess or "")
    if media_type not in MEDIA_TYPES:
        raise errors.UnsupportedMediaType(found=media_type or None)
    return media_type


def check_size(width: int, height: int, limits: Limits) -> None:
    """Refuse a page that is empty, too wide, too high, or too large.

    Raises:
        ZeroSizeImage: No width or no height.
        TooManyPixels: Too wide, too high, or too many pixels.
    """
    if width <= 0 or height <= 0:
        raise errors.ZeroSizeImage(width=width, height=height)
    if max(width, height) > limits.max_side:
        raise errors.TooManyPixels(SIDE_TOO_LONG, width=width, height=height, max_side=limits.max_side)
    if width * height > limits.max_pixels:
        raise errors.TooManyPixels(width=width, height=height, max_pixels=limits.max_pixels)


def _header_size(content: bytes) -> tuple[int, int]:
    width, height = imagesize.get(io.BytesIO(content))
    if width < 0 or height < 0:
        raise errors.UnreadableHeader()
    return int(width), int(height)


def _bmp_size(content: bytes) -> tuple[int, int]:
    """Read the size from a BMP header; a negative height means rows from top to bottom."""
    (header_bytes,) = struct.unpack_from("<I", content, 14)
    width, height = struct.unpack_from("<HH" if header_bytes == 12 else "<ii", content, 18)
    return int(width), abs(int(height))


def _jpeg_size(content: bytes) -> tuple[int, int]:
    found = jpeg.size(content)
    if found is None:
        raise errors.UnreadableHeader()
    return found


_SIZES = {
    "image/bmp": _bmp_size,
    "image/jpeg": _jpeg_size,
    "image/gif": pictures.gif_size,
    "image/jp2": pictures.jp2_size,
    "image/heic": pictures.heic_size,
    "image/avif": pictures.avif_size,
}


def _inspect_pdf(content: bytes, limits: Limits, pages: str | None) -> DocumentHeader:
    with pdf.opened(content) as document:
        count = pdf.page_count(document)
        if pages is None and count > limits.max_pages:
            raise errors.TooManyPages(pages=count, max_pages=limits.max_pages)
        chosen = select_pages(pages, count)
        if len(chosen) > limits.max_pages:
            raise errors.TooManyPages(pages=len(chosen), max_pages=limits.max_pages)
        first = None
        for width, height in pdf.sizes(document, chosen):
            check_size(pdf.pixels(width, pdf.LEAST_DPI), pdf.pixels(height, pdf.LEAST_DPI), limits)
            first = first or (width, height)
    assert first is not None, "at least one page is chosen"
    return DocumentHeader(pdf.MEDIA_TYPE, round(first[0]), round(first[1]), page_count=count)


def _inspect_tiff(content: bytes, limits: Limits) -> DocumentHeader:
    order = _TIFF_OFFSETS.get(content[:4])
    if order is None:  # BigTIFF and raw camera files start alike
        raise errors.UnsupportedMediaType(found="image/tiff variant")
    sizes: list[tuple[int, int]] = []
    try:
        (offset,) = struct.unpack_from(order + "I", content, 4)
        while offset:
            if len(sizes) >= limits.max_pages:
                raise errors.TooManyPages(max_pages=limits.max_pages)
            size, offset = _tiff_page(content, order, offset)
            check_size(*size, limits)
            sizes.append(size)
            if sum(width * height for width, height in sizes) > TOTAL_PAGES * limits.max_pixels:
                raise errors.TooManyPixels(pages=len(sizes), max_pixels_together=TOTAL_PAGES * limits.max_pixels)
    except struct.error as error:
        raise errors.UnreadableHeader() from error
    if not sizes:
        raise errors.UnreadableHeader()
    return DocumentHeader("image/tiff", *sizes[0], page_count=len(sizes))


def _tiff_page(content: bytes, order: str, offset: int) -> tuple[tuple[int, int], int]:
    """Read one image file directory: (width, height) and the offset of the next one (0 = last).

    Source: TIFF 6.0, section 2; tags 256 ImageWidth, 257 ImageLength, 258 BitsPerSample, 277 SamplesPerPixel.

    Raises:
        UnsupportedMediaType: Samples of more than 16 bits, or more than four a pixel: no scan, and huge decoded.
    """
    (count,) = struct.unpack_from(order + "H", content, offset)
    found: dict[int, int] = {}
    for index in range(count):
        entry = offset + 2 + 12 * index
        tag, kind = struct.unpack_from(order + "HH", content, entry)
        if tag in (256, 257, 277):
            (found[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), content, entry + 8)
        elif tag == 258:
            found[tag] = max(_shorts(content, order, entry))
    (following,) = struct.unpack_from(order + "I", content, offset + 2 + 12 * count)
    if not {256, 257} <= found.keys():
        raise errors.UnreadableHeader()
    if found.get(258, 1) > MOST_SAMPLE_BITS or found.get(277, 1) > MOST_SAMPLES:
        raise errors.UnsupportedMediaType(
            "The TIFF holds floating-point or other unusual pixels. Save it with 8 or 16 bits a sample, in grey or RGB."
        )
    return (found[256], found[257]), int(following)


def _shorts(content: bytes, order: str, entry: int) -> tuple[int, ...]:
    """Read the values of a directory entry of type SHORT: up to two lie in the entry, more where it points to."""
    (count,) = struct.unpack_from(order + "I", content, entry + 4)
    count = min(count, MOST_SAMPLES + 1)
    start = entry + 8
    if count > 2:
        (start,) = struct.unpack_from(order + "I", content, start)
    return struct.unpack_from(f"{order}{max(count, 1)}H", content, start)
