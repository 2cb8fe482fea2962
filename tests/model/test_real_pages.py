"""The searchable PDF of real pages. They are not ours to ship: OCRELAY_EVAL_DATA names the folder that holds them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import models
from api.formats.pdf import format as pdf
from models import detector
from models.recognizer import Recognizer
from shared.result import DocumentResult
from tests.unit.api.formats.documents import source_of, written
from tests.unit.api.formats.poppler import lost, words_found
from worker.ocr.pipeline import recognize_document

SETS = ("sroie_pages", "taigi_hanji_pages", "omnidoc_pages", "zhphoto_hand_pages", "funsd_pages")
OF_EACH = 2
GROWTH = 1.2
MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}


def real_pages() -> Iterator[Path]:
    """The first pages of each set; none where there are no sets."""
    data = os.environ.get("OCRELAY_EVAL_DATA")
    for name in SETS if data else ():
        folder = Path(data or "") / "sets" / name
        rows = (json.loads(row) for row in (folder / "pages.jsonl").read_text("utf-8").splitlines())
        there = [folder / row["image"] for row in rows if (folder / row["image"]).is_file()]
        yield from there[:OF_EACH]


@pytest.fixture(scope="module")
def shipped() -> Recognizer:
    return models.load("", threads=1)


@pytest.mark.parametrize("path", [*real_pages()] or [None], ids=lambda path: path.name if path else "none")
def test_each_word_of_a_real_page_is_found_at_its_place(path: Path | None, shipped: Recognizer, tmp_path: Path) -> None:
    if path is None:
        pytest.skip("OCRELAY_EVAL_DATA names no folder with sets of pages")
    upload = path.read_bytes()
    read = recognize_document(upload, shipped, detector=detector.load(threads=1)).to_json()
    result = DocumentResult.from_json(json.loads(json.dumps(read)))
    made = written(pdf.FORMAT, source_of(result, upload, MEDIA_TYPES[path.suffix]))
    assert len(made) <= GROWTH * len(upload)
    (page,) = result.pages
    found = words_found(made, tmp_path, page)
    assert page.lines and [text for one in page.lines for text in lost(one, found)] == []
