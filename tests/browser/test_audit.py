"""The audit trail and the state of the service, as people look at them."""

from __future__ import annotations

import csv
import io
import json
import re

from playwright.sync_api import Page, expect
from sqlalchemy import text

from api.app import app_of
from api.service.parts import Parts
from shared import jobs, keys, workers
from shared.audit.actor import OPERATOR
from shared.audit.chain import Sealer
from shared.keys.record import Scope
from tests.browser.conftest import Open
from tests.browser.test_keys import key_of, sign_in
from tests.browser.test_result import job_id
from tests.unit.api.conftest import png

__all__ = ["job_id"]


def rows(page: Page) -> list[str]:
    return page.locator("table.events tbody th").all_inner_texts()


def kinds(page: Page) -> list[str]:
    """What happened, each kind once: looking at a result counts its images, too."""
    return list(dict.fromkeys(rows(page)))


def saved(page: Page, name: str) -> str:
    with page.expect_download() as found:
        page.get_by_role("link", name=name).click()
    return found.value.path().read_text("utf-8")


def test_the_trail_is_narrowed_and_taken_away_as_a_file(open_page: Open, parts: Parts, job_id: str) -> None:
    app_of(parts).test_client().post("/v1/jobs?reference=other", data=png(9, 9))
    page = open_page("/audit")
    assert rows(page) == ["document sent", "document read", "reading begun", "document sent"]
    page.get_by_label("Document", exact=True).fill(job_id)
    expect(page.locator("table.events tbody tr")).to_have_count(3)
    page.get_by_label("What", exact=True).select_option("job.succeeded")
    expect(page.locator("table.events tbody tr")).to_have_count(1)
    page.reload()
    assert rows(page) == ["document read"]
    (row,) = csv.DictReader(io.StringIO(saved(page, "CSV")))
    assert (row["event"], row["job_id"], row["actor"]) == ("job.succeeded", job_id, "test/1")
    assert json.loads(saved(page, "JSON lines"))["sha256"] == row["sha256"]
    for query, count in {
        f"sha256={row['sha256'][:8]}": 3,
        "actor=test/1": 2,
        "ip=127.0.0.0/8": 4,
        "until=2020-01-01": 0,
    }.items():
        page.goto(f"/audit?{query}")
        assert len(rows(page)) == count, query
    page.goto("/audit?ip=nonsense")
    expect(page.get_by_role("main")).to_contain_text("192.0.2.0/24")


def test_keys_and_documents_are_found_by_name_and_end_and_lead_to_their_own_events(
    open_page: Open, parts: Parts, job_id: str
) -> None:
    app_of(parts).test_client().post("/v1/jobs?filename=Scan_1.png", data=png(9, 9))
    chief = key_of(parts, Scope.ADMIN, name="chief of office")
    page = open_page(f"/jobs/{job_id}")
    sign_in(page, chief)
    page.get_by_role("link", name="Its audit trail").click()
    own = ["result shown to another key", "document read", "reading begun", "document sent"]
    expect(page.get_by_text("document read").last).to_be_visible()
    assert kinds(page) == own
    for query in (f"job={job_id[-6:]}", f"job=…{job_id[-6:].lower()}", "job=INVOICE"):
        page.goto(f"/audit?{query}")
        assert kinds(page) == own, query
    page.goto("/audit?job=scan_1")
    assert kinds(page) == ["document sent"]
    page.goto("/audit?job=sca__1")
    expect(page.get_by_text("No event fits.")).to_be_visible()
    expect(page.get_by_text("all events of these days")).to_be_visible()
    key_id = chief.split("_")[1]
    for query in ("key=OFFICE", f"key={key_id[-5:]}", f"key=key_{key_id}"):
        page.goto(f"/audit?{query}")
        assert kinds(page) == ["result shown to another key", "signed in"], query
    page.goto("/audit?event=job.read")
    page.locator("td.who").get_by_role("link").first.click()
    page.wait_for_url(f"**/audit?key=key_{key_id}")
    page.locator("td.about code").first.click()
    page.wait_for_url(f"**/audit?job={job_id}")
    page.get_by_role("link", name="Open the document").first.click()
    page.wait_for_url(f"**/jobs/{job_id}")
    reader = open_page("/jobs")
    sign_in(reader, key_of(parts, Scope.READ))
    expect(reader.get_by_role("link", name="Its audit trail")).to_have_count(0)


def test_several_keys_of_one_name_are_one_filter(open_page: Open, parts: Parts) -> None:
    for secret in [key_of(parts, Scope.ADMIN, name=name) for name in ("clerk one", "clerk two", "other")]:
        page = open_page("/jobs")
        sign_in(page, secret)
        expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
    page.goto("/audit?key=clerk&event=session.opened")
    assert rows(page) == ["signed in", "signed in"]


def test_the_charts_are_drawn_and_stand_there_as_tables_too(open_page: Open, job_id: str) -> None:
    page = open_page("/audit")
    expect(page.locator(".plot canvas")).to_have_count(3)
    page.get_by_text("As a table").first.click()
    assert page.locator("figure[data-chart=confidence] tr", has_text="90–100").inner_text().split() == [
        "90–100",
        "%",
        "1",
    ]
    assert page.locator("figure", has_text="The slowest").get_by_role("link").all_inner_texts() == [job_id]
    plain = open_page("/audit", java_script_enabled=False)
    assert plain.locator("figure[data-chart=hours] table").count() == 1 and len(rows(plain)) == 3


def test_the_charts_come_first_and_can_be_folded_away(open_page: Open, job_id: str) -> None:
    page = open_page("/audit", viewport={"width": 1280, "height": 800})
    boxes = [page.locator(one).bounding_box() for one in (".numbers", "table.events")]
    assert boxes[0] and boxes[1] and boxes[0]["y"] < boxes[1]["y"] < 640, "in the first window"
    page.get_by_text("In numbers").click()
    expect(page.locator(".plot").first).to_be_hidden()
    narrow = open_page("/audit", viewport={"width": 390, "height": 800})
    expect(narrow.locator(".plot").first).to_be_hidden()
    narrow.get_by_text("In numbers").click()
    expect(narrow.locator(".plot canvas").first).to_be_visible()


def test_rows_are_low_and_an_id_in_them_is_copied_whole(open_page: Open, job_id: str) -> None:
    page = open_page("/audit", viewport={"width": 1280, "height": 800}, permissions=["clipboard-read"])
    row = page.locator("table.events tbody tr", has_text="document read")
    box, short = row.bounding_box(), row.locator("td.about code.id")
    assert box is not None and box["height"] < 48, "one line"
    width = short.evaluate("(code) => [code.clientWidth, code.scrollWidth]")
    assert width[0] < width[1]
    expect(short).to_have_attribute("title", job_id)
    assert short.evaluate("(code) => (getSelection().selectAllChildren(code), String(getSelection()))") == job_id
    assert re.search(r":\d\d:\d\d", row.locator("time").inner_text()), "with seconds"


def test_a_changed_event_is_found(open_page: Open, parts: Parts, job_id: str) -> None:
    page = open_page("/audit")
    page.get_by_role("button", name="Check now").click()
    expect(page.locator("#verdict")).to_contain_text("Nothing is sealed yet")
    Sealer(parts.database).seal()
    page.get_by_role("button", name="Check now").click()
    expect(page.locator("#verdict")).to_contain_text("All are as they were sealed")
    with parts.database.write() as connection:
        connection.execute(text("drop trigger if exists audit_events_no_update"))
        connection.execute(text("update audit_events set client_ip = '192.0.2.9' where event = 'job.claimed'"))
    page.get_by_role("button", name="Check now").click()
    expect(page.locator("#verdict")).to_contain_text("somebody changed it")


def test_the_status_tells_who_reads_what(open_page: Open, parts: Parts) -> None:
    client = app_of(parts).test_client()
    ids = [client.post(f"/v1/jobs?reference=doc-{n}", data=png(8, 8 + n)).get_json()["id"] for n in range(3)]
    page = open_page("/status")
    expect(page.get_by_text("No worker is there.")).to_be_visible()
    with parts.database.write() as connection:
        workers.register(
            connection, node="reader-1", host="h", pid=7, model={"name": "crnn", "version": "3", "sha256": "0" * 64}
        )
        assert jobs.claim(connection, ids[0], owner="reader-1/task", lease_seconds=30)
    expect(page.get_by_role("row", name="doc-0")).to_contain_text("reader-1")  # by itself
    expect(page.get_by_role("row", name="reader-1/7")).to_contain_text("crnn 3")
    expect(page.locator(".figures")).to_contain_text("Waiting\n2", use_inner_text=True)


def test_a_key_that_may_not_audit_is_offered_neither(open_page: Open, parts: Parts) -> None:
    with parts.database.write() as connection:
        key = keys.create(connection, name="reader", scopes=[Scope.READ], actor=OPERATOR)[1]
    page = open_page("/audit")
    page.get_by_label("API key").fill(key)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("main")).to_contain_text("Your key may not do this")
    assert page.get_by_role("link", name="Audit").count() == page.get_by_role("link", name="Status").count() == 0
