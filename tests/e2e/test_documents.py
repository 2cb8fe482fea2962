"""Documents of every format through the whole service, and long ones whose worker dies in the middle."""

from __future__ import annotations

import os
import signal
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shared.jobs import State, get
from shared.settings import Settings
from tests.e2e.test_service import System
from tests.images import END, header, png_of, saved, saved_together
from tests.malformed.jpeg import with_size
from tests.malformed.pictures import gif_of, jp2_of
from tests.pdfs import PdfPage, encrypted, pdf, picture, scan, stream, text
from tests.ports import free_port
from tests.services import peak_mib, wait_until

ROOT = Path(__file__).parents[2]
LINE = Image.open(ROOT / "docs" / "samples" / "line-english.png").convert("RGB")
FAX = LINE.convert("1")
MOST_MIB = 500
PAGE = Image.open(ROOT / "docs" / "samples" / "page.png").convert("RGB")


FORMATS = {
    "image/png": saved(LINE, "PNG"),
    "image/jpeg": saved(LINE, "JPEG"),
    "image/webp": saved(LINE, "WEBP"),
    "image/bmp": saved(LINE, "BMP"),
    "image/tiff": saved(LINE, "TIFF"),
    "image/gif": saved(LINE, "GIF"),
    "image/jp2": saved(LINE, "JPEG2000"),
    "image/avif": saved(LINE, "AVIF"),
    "image/heic": (ROOT / "tests" / "samples" / "line.heic").read_bytes(),
    "application/pdf": pdf([scan(LINE, 150)]),
}


def large_jpeg() -> bytes:
    """A progressive photograph of a line."""
    page = Image.new("RGB", (8064, 6048), "white")
    page.paste(LINE.resize((6000, LINE.height * 6000 // LINE.width)), (1000, 3000))
    return saved(page, "JPEG", progressive=True)


def turned(image: Image.Image, orientation: int) -> bytes:
    """A JPEG that lies on its side, and says so."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(image.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif)


def deep(image: Image.Image) -> Image.Image:
    """16 bits a pixel."""
    return Image.fromarray(np.asarray(image.convert("L"), np.uint16) * 257)


OTHER = PAGE.resize(LINE.size)
KINDS = {
    "JPEG in CMYK": (saved(LINE.convert("CMYK"), "JPEG"), 1, []),
    "JPEG in gray": (saved(LINE.convert("L"), "JPEG"), 1, []),
    "progressive JPEG": (saved(LINE, "JPEG", progressive=True), 1, []),
    "JPEG turned by EXIF": (turned(LINE, 6), 1, []),
    "PNG of 16 bits": (saved(deep(LINE)), 1, []),
    "PNG with a palette": (saved(LINE.quantize(16)), 1, []),
    "TIFF of 16 bits": (saved(deep(LINE), "TIFF"), 1, []),
    "TIFF of three pages": (saved_together(LINE, LINE, LINE), 3, []),
    "TIFF of three pages in LZW": (saved_together(LINE, LINE, LINE, compression="tiff_lzw"), 3, []),
    "fax G3": (saved(FAX, "TIFF", compression="group3"), 1, []),
    "fax G4 of two pages": (saved_together(FAX, FAX, compression="group4"), 2, []),
    "GIF that moves": (saved_together(LINE, OTHER, kind="GIF"), 1, ["first_frame_only"]),
    "WebP that moves": (saved_together(LINE, OTHER, kind="WEBP"), 1, ["first_frame_only"]),
    "PNG that moves": (saved_together(LINE, OTHER, kind="PNG"), 1, ["first_frame_only"]),
    "AVIF that moves": (saved_together(LINE, OTHER, kind="AVIF"), 1, ["first_frame_only"]),
    "PDF of three scans": (pdf([scan(LINE, 150)] * 3), 3, []),
    "PDF of text and a scan": (pdf([PdfPage(text("The quick brown fox", 72, 700)), scan(LINE, 150)]), 2, []),
}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("documents")
    system = System(Settings.load(data_dir=folder / "data", port=free_port(), workers=1, api_processes=1), folder)
    yield system
    system.end()


@pytest.mark.parametrize("media_type", FORMATS)
def test_a_line_of_text_is_read_in_every_format(system: System, media_type: str) -> None:
    job = system.submit(FORMATS[media_type])
    assert (job["state"], job["document"]["media_type"], job["pages_done"]) == ("succeeded", media_type, 1)
    assert "quick brown fox" in job["result"]["text"]


@pytest.mark.parametrize("name", ["progressive JPEG", "HEIC"])
def test_a_photograph_of_48_million_pixels_is_read_and_the_worker_stays_small(system: System, name: str) -> None:
    content = (ROOT / "tests" / "samples" / "large.heic").read_bytes() if name == "HEIC" else large_jpeg()
    job = system.submit(content)
    assert "quick brown fox" in job["result"]["text"]
    assert [(page["width"], page["height"]) for page in job["result"]["pages"]] == [(8064, 6048)]
    assert all(0 < peak_mib(child.pid) < MOST_MIB for child in system.children())


@pytest.mark.parametrize("kind", KINDS)
def test_each_page_of_each_kind_is_read_upright(system: System, kind: str) -> None:
    content, count, warnings = KINDS[kind]
    job = system.submit(content)
    assert (job["state"], job["pages_done"], job["pages_total"]) == ("succeeded", count, count)
    pages = job["result"]["pages"]
    assert [page["page_number"] for page in pages] == list(range(1, count + 1))
    assert all("quick brown fox" in " ".join(line["text"] for line in page["lines"]) for page in pages)
    assert [warning["code"] for page in pages for warning in page["warnings"]] == warnings


WORDS = text("Invoice 4711", 72, 700)
GIGA = 32_768  # squared, a billion pixels
REFUSED = {
    "a PDF with a password": (encrypted([PdfPage(WORDS)]), 422, "encrypted_document"),
    "a PDF of no page": (pdf([]), 422, "no_pages"),
    "a PDF of 10,000 pages": (pdf([PdfPage()] * 10_000), 413, "too_many_pages"),
    "a page of 20,000 points": (pdf([PdfPage(WORDS, (20_000, 20_000))]), 413, "too_many_pixels"),
    "a PNG of a billion pixels": (png_of(header(GIGA, GIGA), END), 413, "too_many_pixels"),
    "a JPEG of a billion pixels": (with_size(saved(LINE, "JPEG"), GIGA, GIGA), 413, "too_many_pixels"),
    "a GIF of a billion pixels": (gif_of(GIGA, GIGA), 413, "too_many_pixels"),
    "a JPEG 2000 of a billion pixels": (jp2_of(GIGA, GIGA), 413, "too_many_pixels"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_too_much_or_locked_is_refused_at_the_door(system: System, name: str) -> None:
    content, status, code = REFUSED[name]
    answered, problem = system.call("/v1/jobs", content)
    assert (answered, problem["code"], problem["retryable"]) == (status, code, False)


def large_picture() -> bytes:
    """A PDF with a picture of a billion white pixels, in 130 kB."""
    packed = zlib.compress(bytes([255]) * (GIGA // 8 * GIGA), 9)
    entries = (
        b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 1/Filter/FlateDecode"
    )
    page = PdfPage(
        WORDS + picture("Big", 300, 300, 90, 90), more=b"/Resources<</Font<</F1 3 0 R>>/XObject<</Big 4 0 R>>>>"
    )
    return pdf([page], objects=[stream(packed, entries + b"/BitsPerComponent 1/Filter/FlateDecode")])


def harmless(action: bytes) -> bytes:
    return pdf([PdfPage(WORDS)], catalog=b"/OpenAction 4 0 R", objects=[action])


ATTACHED = b"/Names<</EmbeddedFiles<</Names[(a.exe)<</Type/Filespec/F(a.exe)/EF<</F 4 0 R>>>>]>>>>"
HARMLESS = {
    "a script": harmless(b"<</S/JavaScript/JS(while \\(true\\) {})>>"),
    "a program to start": harmless(b"<</S/Launch/F(/bin/sh)>>"),
    "an attachment": pdf(
        [PdfPage(WORDS)], catalog=ATTACHED, objects=[stream(b"MZ" + bytes(99), b"/Type/EmbeddedFile")]
    ),
    "a picture of a billion pixels": large_picture(),
    "a page of 14,400 points": pdf([PdfPage(text("Invoice 4711", 1000, 9000, size=500), (14_400, 14_400))]),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_pdf_is_read_whatever_else_is_in_it_and_the_worker_stays_small(system: System, name: str) -> None:
    for layer, source in (("auto", "text_layer"), ("ignore", "recognition")):
        job = system.submit(HARMLESS[name], f"text_layer={layer}")
        assert (job["state"], job["result"]["text"]) == ("succeeded", "Invoice 4711")
        assert [(page["source"], page["warnings"]) for page in job["result"]["pages"]] == [(source, [])]
    assert all(0 < peak_mib(child.pid) < MOST_MIB for child in system.children())


def test_pages_of_a_pdf_come_from_its_layer_or_are_recognised_each_by_itself(system: System) -> None:
    content = pdf(
        [PdfPage(text("Invoice 4711 of November", 72, 700)), scan(PAGE, 100), PdfPage(text("The end", 72, 700))]
    )
    job = system.submit(content, "layout=auto")
    assert [page["source"] for page in job["result"]["pages"]] == ["text_layer", "recognition", "text_layer"]
    assert job["result"]["text"].startswith("Invoice 4711 of November\n\n")
    assert job["result"]["text"].endswith("\n\nThe end")
    chosen = system.submit(content, "layout=auto&pages=3,1")
    assert (chosen["result"]["text"], chosen["pages_total"]) == ("Invoice 4711 of November\n\nThe end", 2)
    ignored = system.submit(content, "layout=auto&pages=1&text_layer=ignore")
    assert [page["source"] for page in ignored["result"]["pages"]] == ["recognition"]
    assert "Invoice 4711" in ignored["result"]["text"]


def test_a_worker_that_is_killed_in_a_long_document_loses_no_page_that_was_done(system: System) -> None:
    content = pdf([scan(PAGE, 100 + number) for number in range(12)])
    job_id = system.submit(content, "layout=page", wait=0)["id"]

    def now() -> Any:
        with system.database.read() as connection:
            return get(connection, job_id)

    wait_until(lambda: now().pages_done >= 3, what="three pages")
    for child in system.children():
        os.kill(child.pid, signal.SIGKILL)
    wait_until(lambda: now().attempt == 2, what="the next attempt")
    assert now().pages_done >= 3
    wait_until(lambda: now().is_final, seconds=120, what="the end")
    job = now()
    assert (job.state, job.pages_done, job.attempt) == (State.SUCCEEDED, 12, 2)
    assert [page["page_number"] for page in job.result["pages"]] == list(range(1, 13))
    assert all(page["lines"] for page in job.result["pages"])
