"""The list of jobs: filters, pages, and orders for many at once."""

from __future__ import annotations

import zipfile

import pytest
from playwright.sync_api import expect

from api.app import app_of
from api.service.parts import Parts
from shared import jobs
from shared.keys.record import Scope
from tests.browser.conftest import Open
from tests.browser.test_keys import key_of, sign_in
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


def test_the_sign_of_what_is_being_read_turns_about_its_middle(
    open_page: Open, parts: Parts, job_ids: list[str]
) -> None:
    with parts.database.write() as connection:
        assert jobs.claim(connection, job_ids[59], owner="test/1", lease_seconds=30)
    page = open_page("/jobs?state=running")
    sign = page.locator(".state.running").evaluate(
        """(state) => {
          const { width, height, content } = getComputedStyle(state, "::before");
          return [width, height, content];
        }"""
    )
    assert sign[0] == sign[1] != "auto" and sign[2] == '""', "a letter has its middle elsewhere"


def test_who_sent_a_name_of_a_file_finds_it_by_that(open_page: Open, parts: Parts) -> None:
    client = app_of(parts).test_client()
    named = client.post("/v1/jobs?filename=Scan%20of%20March.png", data=png(8, 99)).get_json()["id"]
    page = open_page("/jobs?reference=march")
    expect(page.locator(f"th a[href$='{named}']")).to_have_text("Scan of March.png")


def test_without_a_script_an_order_for_nothing_says_so(open_page: Open, job_ids: list[str]) -> None:
    page = open_page("/jobs?reference=doc-0", java_script_enabled=False)
    for name in ("Delete", "Download as zip"):
        page.get_by_role("button", name=name).click()
        expect(page.get_by_role("alert").filter(has_text="Choose documents first.")).to_be_visible()
        expect(page.get_by_role("link", name="doc-0")).to_be_visible()
    assert job_ids


def test_a_list_that_is_empty_says_why(open_page: Open, parts: Parts) -> None:
    app_of(parts).test_client().post("/v1/jobs", data=png())
    reader = key_of(parts, Scope.READ)
    page = open_page("/jobs")
    sign_in(page, reader)
    expect(page.get_by_text("There are no documents of this key yet.")).to_be_visible()
    page.goto("/jobs?state=failed")
    expect(page.get_by_text("No job fits.")).to_be_visible()


def test_a_list_without_any_document_says_so(open_page: Open) -> None:
    expect(open_page("/jobs").get_by_text("There are no documents yet.")).to_be_visible()


def test_many_are_stopped_deleted_and_downloaded_at_once(open_page: Open, job_ids: list[str]) -> None:
    page = open_page("/jobs?reference=doc-0")
    for name in ("Try again", "Stop", "Delete", "Download as zip"):
        expect(page.get_by_role("button", name=name)).to_be_disabled()
    page.get_by_label("Choose all").check()
    expect(page.get_by_role("button", name="Delete")).to_be_enabled()
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
