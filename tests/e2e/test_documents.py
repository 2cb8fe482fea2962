"""Documents of every format through the whole service, and long ones whose worker dies in the middle."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from shared.jobs import State, get
from shared.settings import Settings
from tests.e2e.test_service import System
from tests.pdfs import PdfPage, pdf, scan, text
from tests.ports import free_port
from tests.services import wait_until

ROOT = Path(__file__).parents[2]
LINE = Image.open(ROOT / "docs" / "samples" / "line-english.png").convert("RGB")
PAGE = Image.open(ROOT / "docs" / "samples" / "page.png").convert("RGB")


def saved(image_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    LINE.save(buffer, image_format, **options)
    return buffer.getvalue()


FORMATS = {
    "image/png": saved("PNG"),
    "image/jpeg": saved("JPEG"),
    "image/webp": saved("WEBP"),
    "image/bmp": saved("BMP"),
    "image/tiff": saved("TIFF"),
    "image/gif": saved("GIF"),
    "image/jp2": saved("JPEG2000"),
    "image/avif": saved("AVIF"),
    "image/heic": (ROOT / "tests" / "samples" / "line.heic").read_bytes(),
    "application/pdf": pdf([scan(LINE, 150)]),
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
