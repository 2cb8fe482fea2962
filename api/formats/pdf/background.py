"""What lies under the text: how a page of the upload becomes a page of the PDF.

This is the seam between uploads and PDFs: the text is laid over whatever page a background has added, by the way from
the pixels of the recognised page to the page's own points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pikepdf
from pikepdf import Matrix, Pdf

from api.formats.format import Source
from shared import errors
from shared.result import Page
from shared.uploads import pdf

POINTS_PER_INCH = 72
SHORTEST_POINTS, LONGEST_POINTS = 3, 14_400
"""Of a side of a page. Source: ISO 32000-1, annex C."""
LONG_SIDE_INCHES = 297 / 25.4
"""Of A4: how large a page is taken to be that says nothing of it."""
LEAST_DPI, MOST_DPI = 100, 1200
"""A stated resolution beyond these is that of a screen, or nonsense."""


@dataclass(frozen=True)
class Added:
    """A page in the PDF, and about how many bytes it holds.

    to_points: from pixels of the recognised page, y down, to the page's user space, y up.
    """

    page: pikepdf.Page
    to_points: Matrix
    bytes_added: int


class Background(Protocol):
    """The pages of one upload."""

    def add_page(self, pdf: Pdf, page: Page) -> Added:
        """Add a page to the end of the PDF that shows what was recognised as `page`."""


def background_of(source: Source) -> Background:
    """What shows the pages of an upload. A further kind of upload is chosen here, by `source.media_type`."""
    from api.formats.pdf.images import ImagePages
    from api.formats.pdf.originals import PdfPages

    if source.media_type == pdf.MEDIA_TYPE:
        if source.choices.pdfa:
            raise errors.InvalidOption(
                "pdfa: what a PDF that was uploaded holds is not made anew. Leave it out.", option="pdfa"
            )
        return PdfPages(source.upload())
    return ImagePages(source.upload(), len(source.result.pages), is_archival=source.choices.pdfa)


def dots_per_inch(page: Page, stated: float | None) -> float:
    """The resolution that a page is shown at: as stated, else so that it is as long as a sheet of A4, at least."""
    longest = max(page.width, page.height)
    if stated is None or not LEAST_DPI <= stated <= MOST_DPI:
        stated = max(float(LEAST_DPI), longest / LONG_SIDE_INCHES)
    stated = min(stated, min(page.width, page.height) * POINTS_PER_INCH / SHORTEST_POINTS)
    return max(stated, longest * POINTS_PER_INCH / LONGEST_POINTS)


def from_pixels(page: Page, dpi: float) -> Matrix:
    """From pixels, y down from the top, to points, y up from the bottom."""
    scale = POINTS_PER_INCH / dpi
    return Matrix(scale, 0, 0, -scale, 0, page.height * scale)
