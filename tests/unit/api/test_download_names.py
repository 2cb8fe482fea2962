"""What people download is called as they call it, in names that every system takes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from flask import Response

from api.http.result_files import named
from api.service.results import called


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("receipt.jpg", "receipt"),
        ("2026-11 收据 (1).png", "2026-11 收据 (1)"),
        ("..\\..\\etc/passwd", "passwd"),
        ('a"b<c>\r\nd:e.pdf', "a_b_c_d_e"),
        (".pdf", "pdf"),
        ("...", "job_1"),
        (None, "job_1"),
        ("x" * 300 + ".png", "x" * 100),
    ],
)
def test_a_file_is_called_as_its_document(filename: str | None, name: str) -> None:
    job: Any = SimpleNamespace(id="job_1", filename=filename)
    assert called(job) == name


def test_a_name_beyond_ascii_is_told_as_browsers_read_it() -> None:
    told = named(Response(), "收据.txt", "attachment").headers["Content-Disposition"]
    assert "filename*=UTF-8''%E6%94%B6%E6%8D%AE.txt" in told
    assert named(Response(), "a b.txt", "inline").headers["Content-Disposition"] == 'inline; filename="a b.txt"'
