"""Pages of a PDF as pages of a PDF: they look as they did.

Where a page was recognised, what an old OCR has laid beneath it goes, and text that is seen is marked as standing for a
space: readers that search and copy then find one text, the one that was recognised.
"""

from __future__ import annotations

import io

import pikepdf
from pikepdf import Matrix, PasswordError, Pdf, PdfError

from api.formats.pdf.background import Added
from shared import errors
from shared.result import Page

INVISIBLE = 3
UNREAD = b"/Span <</ActualText ( )>> BDC\n", b"EMC\n"
"""Around what readers shall not take for text. Source: ISO 32000-1, 14.9.4. pdfium passes over an empty one."""
SHOWS_TEXT = {"Tj", "TJ", "'", '"'}


class PdfPages:
    """The pages of the upload."""

    def __init__(self, content: bytes) -> None:
        try:
            self._pdf = Pdf.open(io.BytesIO(content))
            self._bytes_of_page = len(content) // max(1, len(self._pdf.pages))
        except (PdfError, PasswordError) as error:
            raise errors.BrokenDocument() from error

    def add_page(self, pdf: Pdf, page: Page) -> Added:
        """Add the page of this number; one that was recognised loses invisible text, for it gets other."""
        try:
            original = self._pdf.pages[page.page_number - 1]
            box, turn = [float(side) for side in original.cropbox], _turn(original)
            pdf.pages.append(original)
            added = pdf.pages[-1]
            if page.source == "recognition":
                added.Contents = pdf.make_stream(UNREAD[0] + _without_invisible_text(added) + b"\n" + UNREAD[1])
            added.contents_add(b"q\n", prepend=True)
            added.contents_add(b"\nQ\n")
        except (PdfError, IndexError, ValueError, TypeError) as error:
            raise errors.BrokenDocument(page_number=page.page_number) from error
        return Added(added, to_user_space(box, turn, page), self._bytes_of_page)


def to_user_space(box: list[float], turn: int, page: Page) -> Matrix:
    """From pixels of the page as it is seen to its user space; turn: degrees clockwise by which it is shown."""
    left, bottom, right, top = min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3])
    wide, high = (right - left, top - bottom) if turn in (0, 180) else (top - bottom, right - left)
    x, y = wide / page.width, high / page.height
    return {
        0: Matrix(x, 0, 0, -y, left, top),
        90: Matrix(0, x, y, 0, left, bottom),
        180: Matrix(-x, 0, 0, y, right, bottom),
        270: Matrix(0, -x, -y, 0, right, top),
    }[turn]


def _turn(page: pikepdf.Page) -> int:
    node: pikepdf.Object = page.obj
    for _ in range(50):  # deeper trees are damaged
        if "/Rotate" in node:
            return int(node.Rotate) % 360 // 90 * 90
        if "/Parent" not in node:
            break
        node = node.Parent
    return 0


def _without_invisible_text(page: pikepdf.Page) -> bytes:
    """The content of a page without text in the invisible mode, as OCR programs lay it beneath scans."""
    kept, mode, modes = [], 0, []
    for instruction in pikepdf.parse_content_stream(page):
        operator = str(instruction.operator)
        if operator == "q":
            modes.append(mode)
        elif operator == "Q":
            mode = modes.pop() if modes else 0
        elif operator == "Tr":
            mode = int(instruction.operands[0])
        if not (operator in SHOWS_TEXT and mode == INVISIBLE):
            kept.append(instruction)
    return pikepdf.unparse_content_stream(kept)
