"""The list of jobs, as people use it."""

from __future__ import annotations

from flask.testing import FlaskClient
from playwright.sync_api import expect

from api.service.parts import Parts
from tests.browser.conftest import Open
from tests.browser.test_read import ids
from tests.unit.api import conftest as api

client = api.client
HOSTILE = "<script>alert(1)</script>"


def send(client: FlaskClient, count: int) -> list[str]:
    names = [f"scan {number}" for number in range(count)]
    sent = [client.post("/v1/jobs", data=api.png(), query_string={"reference": name}) for name in names]
    return [answer.get_json()["id"] for answer in sent]


def test_filters_are_in_the_address_and_survive_a_reload(open_page: Open, parts: Parts, client: FlaskClient) -> None:
    first, *_ = send(client, 3)
    client.post("/v1/jobs", data=api.png(), query_string={"reference": HOSTILE})
    api.finish(parts, first)
    page = open_page("/jobs")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(4)
    expect(page.get_by_role("link", name=HOSTILE)).to_be_visible()
    page.get_by_label("State").select_option("succeeded")
    expect(rows).to_have_count(1)
    assert "state=succeeded" in page.url
    page.reload()
    expect(rows).to_have_count(1)
    expect(rows.get_by_role("link", name="scan 0")).to_have_attribute("href", f"/read/{first}")
    page.go_back()
    expect(rows).to_have_count(4)


def test_pages_go_on_where_the_last_one_ended(open_page: Open, client: FlaskClient) -> None:
    send(client, 53)
    page = open_page("/jobs")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(50)
    page.get_by_role("button", name="Older").click()
    expect(rows).to_have_count(3)
    page.reload()
    expect(rows).to_have_count(3)
    page.get_by_role("button", name="Newest").click()
    expect(rows).to_have_count(50)


def test_many_jobs_are_stopped_retried_and_deleted(open_page: Open, parts: Parts, client: FlaskClient) -> None:
    send(client, 2)
    page = open_page("/jobs")
    expect(page.get_by_role("button", name="Delete")).to_be_disabled()
    page.get_by_label("Choose all on this page").check()
    page.get_by_role("button", name="Stop (2)").click()
    expect(page.locator("tr[data-state=cancelled]")).to_have_count(2)
    page.get_by_label("Choose scan 0").check()
    page.get_by_role("button", name="Retry (1)").click()
    expect(page.locator("tr[data-state=queued]")).to_have_count(1)
    page.get_by_label("Choose all on this page").check()
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Delete (2)").click()
    assert len(ids(parts)) == 2
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete (2)").click()
    expect(page.get_by_text("No job fits.")).to_be_visible()
    assert ids(parts) == []


def test_nothing_is_wider_than_a_phone(open_page: Open, client: FlaskClient) -> None:
    send(client, 2)
    page = open_page("/jobs", viewport={"width": 360, "height": 740})
    expect(page.locator("tbody tr")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
