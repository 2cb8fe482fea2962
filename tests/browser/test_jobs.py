"""The list of jobs: filters, pages, and orders for many at once."""

from __future__ import annotations

import zipfile

import pytest
from playwright.sync_api import expect

from api.app import app_of
from api.service.parts import Parts
from tests.browser.conftest import Open
from tests.unit.api.conftest import finish, png


@pytest.fixture
def job_ids(parts: Parts) -> list[str]:
    client = app_of(parts).test_client()
    found = [str(client.post(f"/v1/jobs?reference=doc-{n}", data=png(8, 8 + n)).get_json()["id"]) for n in range(60)]
    finish(parts, found[0])
    return found


def test_filters_narrow_and_the_address_keeps_them(open_page: Open, job_ids: list[str]) -> None:
    page = open_page("/jobs")
    rows = page.locator("table.jobs tbody tr")
    expect(rows).to_have_count(50)
    page.get_by_role("link", name="Older").click()
    expect(rows).to_have_count(10)
    page.goto("/jobs")
    page.get_by_label("State").select_option("succeeded")
    expect(rows).to_have_count(1)
    page.reload()
    expect(rows).to_have_count(1)
    page.get_by_label("Text").fill("WORLD")
    expect(rows).to_have_count(1)
    page.get_by_label("Text").fill("nothing like it")
    expect(page.get_by_text("No job fits.")).to_be_visible()
    page.goto("/jobs?below=95&reference=DOC-0")
    expect(rows).to_have_count(1)
    page.goto("/jobs?below=50")
    expect(page.get_by_text("No job fits.")).to_be_visible()
    assert job_ids


def test_who_sent_a_name_of_a_file_finds_it_by_that(open_page: Open, parts: Parts) -> None:
    client = app_of(parts).test_client()
    named = client.post("/v1/jobs?filename=Scan%20of%20March.png", data=png(8, 99)).get_json()["id"]
    page = open_page("/jobs?reference=march")
    expect(page.locator(f"th a[href$='{named}']")).to_have_text("Scan of March.png")


def test_many_are_stopped_deleted_and_downloaded_at_once(open_page: Open, job_ids: list[str]) -> None:
    page = open_page("/jobs?reference=doc-0")
    page.get_by_label("Choose all").check()
    with page.expect_download() as found:
        page.get_by_role("button", name="Download as zip").click()
    with zipfile.ZipFile(found.value.path()) as archive:
        assert archive.namelist() == [f"0001-{job_ids[0]}.txt"]
        assert archive.read(archive.namelist()[0]).decode().strip() == "你好 world"
    page.goto("/jobs?reference=doc-5")
    page.get_by_label("Choose doc-59").check()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("tr", has_text="doc-59").locator(".state")).to_have_text("cancelled")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_label("Choose doc-59").check()
    page.get_by_role("button", name="Delete").click()
    expect(page.locator("tr", has_text="doc-59")).to_have_count(0)
