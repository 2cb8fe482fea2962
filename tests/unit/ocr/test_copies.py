from __future__ import annotations

import numpy as np
import pytest

from worker.ocr.ink import copies
from worker.ocr.ink.copies import Copies


def test_every_copy_and_its_ink_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    page, searched = Copies(np.full((60, 80), 255, np.uint8)), []
    find_ink = copies.find_ink
    monkeypatch.setattr(copies, "find_ink", lambda gray: searched.append(gray.shape) or find_ink(gray))
    assert page.ink(1.0) is page.ink(1.0) and page.image(0.5) is page.image(0.5)
    page.main_ink(1.0), page.main_ink(0.5)
    assert searched == [(60, 80), (30, 40)]


def test_a_page_at_its_own_size_is_no_copy() -> None:
    gray = np.zeros((60, 80), np.uint8)
    assert Copies(gray).image(1.0) is gray and Copies(gray).usual_scale == 1.0


def test_a_large_page_is_usually_looked_at_on_a_smaller_copy() -> None:
    page = Copies(np.zeros((4000, 3000), np.uint8))
    assert page.image(page.usual_scale).size == pytest.approx(copies.MOST_PIXELS, rel=0.01)
