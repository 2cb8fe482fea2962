"""The pages' files: kept for ever under the hash of them all, and a page allows a browser no more than it needs."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from api.web import files, vendor


def base_of(client: FlaskClient) -> str:
    found = re.search(r'href="(/static/[0-9a-f]{16})/style.css"', client.get("/").get_data(as_text=True))
    assert found is not None
    return found[1]


@pytest.mark.parametrize("path", ["/", "/jobs", "/review", "/audit", "/status", "/jobs/job_no"])
def test_a_page_runs_nothing_inline_and_asks_nothing_of_others(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers={"Accept": "text/html"})
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy and "http" not in policy
    text = answer.get_data(as_text=True)
    assert not re.search(r"<style|<script(?![^>]*\ssrc=)|\son\w+=|\shx-on|\sstyle=|https?://", text)
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("style.css", "text/css"), ("page.js", "text/javascript"), ("vendor/htmx.js", "text/javascript")],
)
def test_a_file_is_kept_for_ever_under_its_own_generation_only(client: FlaskClient, name: str, media_type: str) -> None:
    with client.get(f"{base_of(client)}/{name}") as answer:
        assert (answer.status_code, answer.mimetype) == (200, media_type)
        assert answer.headers["Cache-Control"] == files.FOR_EVER
        plain = answer.get_data()
    with client.get(f"/static/{'0' * 16}/{name}") as answer:
        assert answer.headers["Cache-Control"] == files.ASK_AGAIN
    with client.get(f"{base_of(client)}/{name}", headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(answer.get_data()) == plain


@pytest.mark.parametrize("name", ["nothing.js", "../routes.py", "%2e%2e/routes.py"])
def test_nothing_else_of_the_disk_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"{base_of(client)}/{name}").status_code == 404


def test_the_hash_changes_with_any_file(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("1")
    first = files.generation(tmp_path)
    (tmp_path / "b.css").write_text("")
    second = files.generation(tmp_path)
    (tmp_path / "a.js").write_text("2")
    assert len({first, second, files.generation(tmp_path)}) == 3


def test_the_libraries_are_those_that_were_fetched() -> None:
    assert vendor.HASHES.read_text("utf-8") == vendor.sums()
    assert hashlib.sha256((vendor.FOLDER / "htmx.js").read_bytes()).hexdigest() in vendor.sums()


def test_what_the_first_page_needs_is_small(client: FlaskClient) -> None:
    text = client.get("/").get_data(as_text=True)
    named = re.findall(r'(?:src|href)="(/static/[^"]+)"', text)
    size = len(gzip.compress(text.encode()))
    for name in set(named):
        with client.get(name, headers={"Accept-Encoding": "gzip"}) as answer:
            size += len(answer.get_data())
    assert size < 100_000
