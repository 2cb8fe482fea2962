"""The pages of batches: progress as it goes, the results as one file in every format, the end by order."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from playwright.sync_api import expect

from api.app import app_of
from api.formats.table import NAMES
from api.service.parts import Parts
from shared.keys.record import Scope
from tests.browser.conftest import Open
from tests.browser.test_keys import key_of, sign_in
from tests.unit.api.conftest import finish, png

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def batch(parts: Parts) -> dict[str, Any]:
    """Three documents that wait."""
    files = [(io.BytesIO(png(8, 8 + number)), f"{number}.png") for number in range(3)]
    answer = app_of(parts).test_client().post("/v1/batches", data={"file": files, "reference": HOSTILE})
    return dict(answer.get_json())


def test_progress_is_seen_and_the_results_come_in_every_format(
    open_page: Open, parts: Parts, batch: dict[str, Any]
) -> None:
    page = open_page("/batches")
    row = page.locator(f"tr[data-batch={batch['id']}]")
    expect(row).to_contain_text("waiting: 3")
    finish(parts, batch["jobs"][0]["id"])
    expect(row).to_contain_text("done: 1")
    row.get_by_role("link", name=HOSTILE).click()
    assert page.request.get(f"/batches/{batch['id']}/results?format=text").status == 409
    for job in batch["jobs"][1:]:
        finish(parts, job["id"])
    expect(page.get_by_role("button", name="Download as zip")).to_be_visible()
    for name in NAMES:
        page.get_by_label("Format").select_option(name)
        with page.expect_download() as found:
            page.get_by_role("button", name="Download as zip").click()
        with zipfile.ZipFile(found.value.path()) as archive:
            told = json.loads(archive.read("batch.json"))
            assert (told["format"], told["counts"]["succeeded"]) == (name, 3)
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize("has_scripts", [True, False])
def test_a_whole_batch_is_stopped(open_page: Open, parts: Parts, batch: dict[str, Any], has_scripts: bool) -> None:
    finish(parts, batch["jobs"][0]["id"])
    page = open_page(f"/batches/{batch['id']}", java_script_enabled=has_scripts)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Stop the whole batch").click()
    expect(page.locator("#batch")).to_contain_text("cancelled: 2")
    expect(page.locator("#batch")).to_contain_text("done: 1")
    expect(page.get_by_role("button", name="Stop the whole batch")).to_have_count(0)


def test_who_may_only_read_stops_nothing_and_sees_no_batch_of_others(
    open_page: Open, parts: Parts, batch: dict[str, Any]
) -> None:
    reader, auditor = key_of(parts, Scope.READ), key_of(parts, Scope.AUDIT)
    page = open_page("/batches")
    sign_in(page, reader)
    expect(page.get_by_text("No batch was sent.")).to_be_visible()
    page.goto(f"/batches/{batch['id']}")
    expect(page.get_by_role("main")).to_contain_text("There is no such batch")
    other = open_page(f"/batches/{batch['id']}")
    sign_in(other, auditor)
    expect(other.locator("#batch")).to_contain_text("waiting: 3")
    expect(other.get_by_role("button", name="Stop the whole batch")).to_have_count(0)
