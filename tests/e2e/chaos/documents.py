"""What the clients send: small images, each its own but for some that repeat; some slow or long, some poison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tests.images import END, chunk
from tests.pdfs import PdfPage, pdf
from tests.unit.api.conftest import png

Kind = Literal["plain", "slow", "poison", "repeated", "book"]
BOOK_PAGES = 40
BOOK = pdf([PdfPage(b"10 10 %d 20 re f\n" % (10 + 2 * number), (120, 40)) for number in range(BOOK_PAGES)])


@dataclass(frozen=True)
class Document:
    """One upload."""

    number: int
    kind: Kind
    has_webhook: bool

    @property
    def reference(self) -> str:
        return f"chaos {self.number}"

    @property
    def content(self) -> bytes:
        """A PNG with a remark in it that makes it what it is, or a PDF with a number behind it."""
        if self.kind == "book":
            return BOOK + b"%% %d\n" % self.number
        remark = "repeated" if self.kind == "repeated" else f"{self.number} tests:{self.kind}"
        body = b"Comment\0" + remark.encode()
        return png(120, 40).removesuffix(END) + chunk(b"tEXt", body) + END


def document(number: int) -> Document:
    """The document of a number."""
    kind: Kind = "plain"
    if number % 40 == 7:
        kind = "poison"
    elif number % 12 == 5:
        kind = "slow"
    elif number % 10 == 3:
        kind = "repeated"
    elif number % 9 == 4:
        kind = "book"
    return Document(number, kind, has_webhook=number % 3 == 0)
