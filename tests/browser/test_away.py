"""The API goes away under an open page, behind a proxy that says so or with no answer at all, and comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import delete

from api.app import app_of
from api.service.parts import Parts
from shared import tables
from shared.keys.record import Scope
from tests.browser.conftest import Open
from tests.browser.test_batches import batch
from tests.browser.test_keys import key_of, sign_in
from tests.unit.api.conftest import finish, png

__all__ = ["batch"]

BAD_GATEWAY = '{"type":"about:blank","title":"Bad Gateway","status":502,"code":"bad_gateway","retryable":true}\n'


def by_proxy(route: Route) -> None:
    """Answer as nginx does that reaches no API."""
    route.fulfill(status=502, content_type="application/problem+json", body=BAD_GATEWAY)


def as_hanging(route: Route) -> None:
    """Answer never."""


def away(page: Page, how: Any) -> None:
    page.route("**/*", lambda route: how(route) if route.request.header_value("HX-Request") else route.continue_())


@pytest.mark.parametrize("how", [by_proxy, lambda route: route.abort()], ids=["proxy", "nothing"])
@pytest.mark.parametrize("path", ["/batches", "/batches/ID", "/models", "/status", "/jobs/JOB"])
def test_a_page_that_follows_something_says_that_nothing_answers_and_goes_on(
    open_page: Open, parts: Parts, batch: dict[str, Any], path: str, how: Any
) -> None:
    job_id = batch["jobs"][0]["id"]
    page = open_page(path.replace("ID", batch["id"]).replace("JOB", job_id))
    polled = page.locator("main [hx-trigger^=every]")
    before = polled.inner_text()
    away(page, how)
    expect(page.locator("#problem")).to_contain_text("The server does not answer", timeout=20_000)
    page.wait_for_timeout(2500)
    expect(page.locator("#problem")).to_contain_text("The server does not answer")
    expect(polled).to_have_count(1)
    assert "Bad Gateway" not in page.locator("main").inner_text() and polled.inner_text() == before
    page.unroute_all()
    expect(page.locator("#problem")).to_be_empty(timeout=15_000)
    finish(parts, job_id)
    if "/jobs/" in path:
        expect(page.locator("#result, #text").first).to_be_visible()
    elif "/batches" in path:
        expect(polled).to_contain_text("done: 1")


def test_what_hangs_is_said_too(open_page: Open, batch: dict[str, Any]) -> None:
    page = open_page(f"/batches/{batch['id']}")
    away(page, as_hanging)
    expect(page.locator("#problem")).to_contain_text("The server does not answer", timeout=20_000)


def test_the_list_of_jobs_stays_while_its_filter_is_not_answered(open_page: Open, parts: Parts) -> None:
    app_of(parts).test_client().post("/v1/jobs?reference=one", data=png())
    page = open_page("/jobs")
    away(page, by_proxy)
    page.get_by_label("Name").fill("other")
    expect(page.locator("#problem")).to_contain_text("The server does not answer")
    expect(page.locator("#list")).to_contain_text("one")
    page.unroute_all()
    page.get_by_label("Name").fill("others")
    expect(page.locator("#list")).to_contain_text("No job fits")
    expect(page.locator("#problem")).to_be_empty()


def test_who_is_signed_out_under_a_page_comes_back_to_it(
    open_page: Open, parts: Parts, batch: dict[str, Any], photo: Path
) -> None:
    key = key_of(parts, Scope.READ, Scope.SUBMIT, Scope.AUDIT)
    page = open_page("/")
    sign_in(page, key)
    page.set_input_files("#files", str(photo))
    expect(page.locator("#rows tr[data-state=queued]")).to_have_count(1)
    for path in ("/", "/batches", f"/batches/{batch['id']}"):
        if path != "/":
            page.goto(path)
        with parts.database.write() as connection:
            connection.execute(delete(tables.sessions))
        expect(page.get_by_label("API key")).to_be_visible(timeout=15_000)
        sign_in(page, key)
        page.wait_for_url(f"**{path}")
