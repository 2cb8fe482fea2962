"""PDF files through pdfium: opened by one thread of a process at a time, for pdfium knows no threads."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pypdfium2 as pdfium
from pypdfium2 import raw

from shared import errors

MEDIA_TYPE = "application/pdf"
MAGIC = b"%PDF-"
LOOK_FOR_MAGIC_BYTES = 1024
"""So far behind the beginning the header may stand. Source: ISO 32000-1, annex H.3."""
POINTS_PER_INCH = 72.0
LEAST_DPI = 25.0
"""A page that has too many pixels even so is refused; all others are rendered as finely as the limits allow.

The largest page that PDF knows, 14,400 points, is within the limits by default. Source: ISO 32000-1, annex C.
"""
_ENCRYPTED = (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)
_pdfium = threading.RLock()
logging.getLogger("pikepdf").setLevel(logging.CRITICAL)  # a line for each fault: one upload could fill a disk with log


@contextmanager
def opened(content: bytes) -> Iterator[pdfium.PdfDocument]:
    """Open a document for as long as the block runs; other threads that want one wait. JavaScript is never run.

    Raises:
        EncryptedDocument: It opens with a password only, or by a method that pdfium does not know.
        BrokenDocument: Its structure cannot be read.
    """
    with _pdfium:
        handle = raw.FPDF_LoadMemDocument64(content, len(content), None)
        if not handle:
            raise errors.EncryptedDocument() if raw.FPDF_GetLastError() in _ENCRYPTED else errors.BrokenDocument()
        document = pdfium.PdfDocument(handle)
        try:
            yield document
        finally:
            document.close()


def page_count(document: pdfium.PdfDocument) -> int:
    """Return the number of pages; raises NoPages where there are none."""
    count = len(document)
    if count <= 0:
        raise errors.NoPages()
    return count


def sizes(document: pdfium.PdfDocument, page_numbers: Sequence[int]) -> Iterator[tuple[float, float]]:
    """Yield width and height of pages in points, turned as they are shown.

    Raises:
        BrokenDocument: A page cannot be found.
    """
    for number in page_numbers:
        try:
            width, height = document.get_page_size(number - 1)
        except pdfium.PdfiumError as error:
            raise errors.BrokenDocument(page_number=number) from error
        if not (math.isfinite(width) and math.isfinite(height)):
            raise errors.BrokenDocument(page_number=number)
        yield width, height


def pixels(points: float, dpi: float) -> int:
    """Return how many pixels a length has at a resolution."""
    return math.ceil(points * dpi / POINTS_PER_INCH)
