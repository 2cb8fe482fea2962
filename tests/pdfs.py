"""PDF files, written by hand so that a test says what is in them. Source: ISO 32000-1, sections 7 and 9."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image

from tests.images import saved

A4 = (595, 842)
FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"


@dataclass(frozen=True)
class PdfPage:
    """content: operators. images: by name. more: further entries of the page, such as /Rotate."""

    content: bytes = b""
    size: tuple[float, float] = A4
    images: dict[str, Image.Image] = field(default_factory=dict)
    more: bytes = b""


def text(words: str, x: float, y: float, size: float = 12, *, mode: int = 0, matrix: str | None = None) -> bytes:
    """Operators that show a text; mode 3 is invisible."""
    place = matrix or f"1 0 0 1 {x} {y}"
    escaped = words.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"BT /F1 {size} Tf {mode} Tr {place} Tm ({escaped}) Tj ET\n".encode("cp1252")


def picture(name: str, x: float, y: float, width: float, height: float) -> bytes:
    """Operators that draw an image."""
    return f"q {width} 0 0 {height} {x} {y} cm /{name} Do Q\n".encode()


def scan(image: Image.Image, dpi: float, under: bytes = b"") -> PdfPage:
    """A page that is one image, perhaps with an invisible text beneath it."""
    width, height = image.width * 72 / dpi, image.height * 72 / dpi
    return PdfPage(under + picture("Im", 0, 0, width, height), (width, height), {"Im": image})


def stream(body: bytes, entries: bytes = b"") -> bytes:
    """A stream object."""
    return b"<<" + entries + b"/Length %d>>stream\n" % len(body) + body + b"\nendstream"


def jpeg(image: Image.Image) -> bytes:
    """An image object."""
    entries = b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode"
    return stream(saved(image.convert("RGB"), "JPEG", quality=85), entries % image.size)


def pdf(
    pages: Sequence[PdfPage], *, catalog: bytes = b"", trailer: bytes = b"", objects: Sequence[bytes] = ()
) -> bytes:
    """A whole file. Objects 1 to 3 are catalog, tree of pages and font; `objects` are 4 and on."""
    bodies: list[bytes] = [b"", b"", FONT, *objects]
    kids = []
    for page in pages:
        images = b""
        for name, image in page.images.items():
            bodies.append(jpeg(image))
            images += b"/%s %d 0 R" % (name.encode(), len(bodies))
        bodies.append(stream(page.content))
        bodies.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %g %g]/Contents %d 0 R"
            b"/Resources<</Font<</F1 3 0 R>>/XObject<<%s>>>>%s>>" % (*page.size, len(bodies), images, page.more)
        )
        kids.append(b"%d 0 R" % len(bodies))
    bodies[0] = b"<</Type/Catalog/Pages 2 0 R" + catalog + b">>"
    bodies[1] = b"<</Type/Pages/Kids[%s]/Count %d>>" % (b" ".join(kids), len(kids))
    return written(bodies, trailer)


def written(bodies: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """The objects with their cross-reference table."""
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(bodies, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    for place in places:
        out += b"%010d 00000 n \n" % place
    return bytes(
        out + b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, trailer, start)
    )


def encrypted(pages: Sequence[PdfPage]) -> bytes:
    """A file that opens with a password that nobody knows."""
    trailer = b"/Encrypt<</Filter/Standard/V 1/R 2/Length 40/P -4/O<%s>/U<%s>>>/ID[<00><00>]" % (b"ab" * 32, b"cd" * 32)
    return pdf(pages, trailer=trailer)
