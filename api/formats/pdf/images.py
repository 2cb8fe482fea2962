"""Images as pages of a PDF: their bytes as they are where PDF knows them, else packed anew.

JPEG stays as it is, and so do the pixels of a PNG without transparency.
"""

from __future__ import annotations

import io

import pi_heif
from pikepdf import Dictionary, Matrix, Name, Pdf, Stream
from PIL import Image, UnidentifiedImageError

from api.formats.pdf.anew import packed_anew
from api.formats.pdf.background import SHORTEST_POINTS, Added, dots_per_inch, from_pixels
from api.formats.pdf.flat import orientation_of
from api.formats.pdf.packed import Packed, jpeg
from api.formats.pdf.png import is_plain, of_png, read_png
from shared import errors
from shared.result import Page

GROWTH = 1.1
"""Packed anew, a page may be this much larger than its share of the upload."""


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
