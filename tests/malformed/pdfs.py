"""PDF: cut, encrypted, empty, endless, with things that must not run."""

from __future__ import annotations

from collections.abc import Iterator

from tests.malformed.case import Case, cut, picture
from tests.pdfs import FONT, PdfPage, encrypted, pdf, scan, stream, text, written

WORDS = text("Invoice 4711", 72, 700)
PLAIN = pdf([PdfPage(WORDS), scan(picture(), 72)])
BROKEN = "broken_document"
TREE = b"<</Type/Catalog/Pages 2 0 R>>"
LEAF = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R/Resources<</Font<</F1 3 0 R>>>>>>"


def cases() -> Iterator[Case]:
    """Every one of them."""
    yield Case("pdf", PLAIN, "succeeded")
    yield Case("pdf behind a line", b"\r\n\r\n" + PLAIN, "succeeded")
    yield Case("pdf with bytes behind it", PLAIN + bytes(5000), "succeeded")
    yield Case("pdf with a wrong place of its table", PLAIN.replace(b"startxref\n", b"startxref\n9"), "succeeded")
    yield Case("pdf without its table", PLAIN[: PLAIN.rindex(b"xref\n0")], BROKEN)
    ends = {"in its header": 7, "behind its header": 9, "in its catalog": 40, "in its first page": 300}
    yield from cut("pdf", PLAIN, ends, {0: BROKEN})
    yield Case("pdf of a line", b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n%%EOF", BROKEN)
    yield Case("pdf with a password", encrypted([PdfPage(WORDS)]), "encrypted_document")
    yield Case("pdf of no page", pdf([]), "no_pages")
    yield Case("pdf of 10,000 pages", pdf([PdfPage(b"")] * 10_000), "too_many_pages")
    yield Case("pdf of a page of 14,400 points", pdf([PdfPage(WORDS, (14_400, 14_400))]), "succeeded")
    yield Case("pdf of a page of 20,000 points", pdf([PdfPage(WORDS, (20_000, 20_000))]), "too_many_pixels")
    yield Case(
        "pdf of a page of no points", pdf([PdfPage(WORDS, (0, 0))]), "succeeded"
    )  # a default size, as viewers do
    yield Case("pdf that counts more pages than it has", PLAIN.replace(b"/Count 2", b"/Count 3"), BROKEN)
    yield Case("pdf whose pages hold themselves", written([TREE, b"<</Type/Pages/Kids[2 0 R]/Count 3>>"]), BROKEN)
    for name, kids, more in (
        ("behind a page", b"[4 0 R 2 0 R]/Count 1", b""),
        ("in a branch", b"[6 0 R]/Count 2", b"/Kids[4 0 R 2 0 R]/Count 2"),
        ("in a branch that is met twice", b"[6 0 R 6 0 R]/Count 2", b"/Kids[4 0 R]/Count 1"),
    ):
        tree = [TREE, b"<</Type/Pages/Kids" + kids + b">>", FONT, LEAF, stream(WORDS), b"<</Type/Pages" + more + b">>"]
        yield Case(f"pdf whose pages hold themselves {name}", written(tree), BROKEN, is_late=True)
    twice = [TREE, b"<</Type/Pages/Kids[4 0 R 4 0 R]/Count 2>>", FONT, LEAF, stream(WORDS)]
    yield Case("pdf of the same page twice", written(twice), "succeeded")
    script = b"<</S/JavaScript/JS(while \\(true\\) {})>>"
    yield Case("pdf with a script", pdf([PdfPage(WORDS)], catalog=b"/OpenAction 4 0 R", objects=[script]), "succeeded")
    program = b"<</S/Launch/F(/bin/sh)>>"
    yield Case(
        "pdf that starts a program", pdf([PdfPage(WORDS)], catalog=b"/OpenAction 4 0 R", objects=[program]), "succeeded"
    )
    names = b"/Names<</EmbeddedFiles<</Names[(a.exe)<</Type/Filespec/F(a.exe)/EF<</F 4 0 R>>>>]>>>>"
    attachment = stream(b"MZ" + bytes(100), b"/Type/EmbeddedFile")
    yield Case("pdf with an attachment", pdf([PdfPage(WORDS)], catalog=names, objects=[attachment]), "succeeded")
    yield Case("pdf with garbage for its content", pdf([PdfPage(bytes(range(256)) * 20)]), "succeeded")
    yield Case("pdf of deep brackets", pdf([PdfPage(b"[" * 20_000)]), "succeeded")
    yield Case("pdf of deep states", pdf([PdfPage(b"q " * 50_000)]), "succeeded")
    form = stream(b"/F Do", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F 4 0 R>>>>")
    endless = PdfPage(b"/F Do", more=b"/Resources<</XObject<</F 4 0 R>>>>")
    yield Case("pdf of a form in itself", pdf([endless], objects=[form]), "succeeded")
