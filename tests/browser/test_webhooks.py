"""The pages of webhooks: endpoints made, changed, tried, deleted; deliveries with attempts whose answers are text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from api.service.parts import Parts
from shared.audit.actor import OPERATOR
from shared.keys.record import Scope
from shared.webhooks import deliveries, endpoints
from shared.webhooks.record import Outcome
from shared.webhooks.targets import Guard
from tests.browser.conftest import Open
from tests.browser.test_every_page import barriers
from tests.browser.test_keys import key_of, sign_in

HOSTILE = "</pre><script>alert(1)</script><img src=x onerror=alert(1)>"
URL = "https://hooks.example/a"


@pytest.fixture
def parts(parts: Parts) -> Iterator[Parts]:
    """Names of the example domain are public."""
    yield replace(parts, guard=Guard((), lambda host, _port: {"hooks.example": ["93.184.216.34"]}.get(host, [host])))


def attempted(parts: Parts, answer: str, status: int = 500) -> str:
    """A test message that was answered so."""
    with parts.database.write() as connection:
        endpoint, _ = endpoints.create(
            connection, url=URL, description=HOSTILE, event_types=[], actor=OPERATOR, box=parts.box
        )
        delivery = deliveries.plan_ping(connection, endpoint)
    with parts.database.write() as connection:
        (claimed,) = deliveries.claim(connection, [delivery.id], lease_seconds=30)
        outcome = Outcome(status=status, detail=HOSTILE, address="93.184.216.34", answer=answer, duration_ms=12)
        deliveries.finish(connection, claimed, outcome)
    return delivery.id


def add(page: Page, url: str) -> None:
    form = page.get_by_role("form", name="Add a webhook")
    form.get_by_label("URL").fill(url)
    form.get_by_label("a document failed").check()
    form.get_by_role("button", name="Add").click()


@pytest.mark.parametrize("has_scripts", [True, False])
def test_an_address_that_is_refused_is_said_at_its_field(open_page: Open, has_scripts: bool) -> None:
    page = open_page("/webhooks", java_script_enabled=has_scripts, bypass_csp=True)
    add(page, "http://127.0.0.1/a")
    form = page.get_by_role("form", name="Add a webhook")
    field = form.get_by_label("URL")
    expect(field).to_have_value("http://127.0.0.1/a")
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description(re.compile("address"))
    expect(form.get_by_label("a document failed")).to_be_checked()
    expect(form.get_by_label("a document was read")).not_to_be_checked()
    if has_scripts:
        assert barriers(page) == []
    add(page, URL)
    page.goto("/webhooks")
    card = page.get_by_role("region", name=URL)
    card.get_by_text("Change").click()
    card.get_by_label("URL").fill("http://[::1]/b")
    card.get_by_label("Send to it").uncheck()
    card.get_by_role("button", name="Save").click()
    expect(card.get_by_label("URL")).to_have_value("http://[::1]/b")
    expect(card.get_by_label("URL")).to_have_attribute("aria-invalid", "true")
    expect(card.get_by_label("Send to it")).not_to_be_checked()
    expect(card.locator(".state")).to_have_text("on")


@pytest.mark.parametrize("has_scripts", [True, False])
def test_an_endpoint_is_made_tried_changed_and_deleted(open_page: Open, has_scripts: bool) -> None:
    page = open_page("/webhooks", java_script_enabled=has_scripts)
    page.on("dialog", lambda dialog: dialog.accept())
    add(page, URL)
    expect(page.locator("#once")).to_contain_text("whsec_")
    page.goto("/webhooks")
    card = page.get_by_role("region", name=URL)
    expect(page.locator("#once")).to_have_count(0)
    card.get_by_text("Change").click()
    expect(card.get_by_label("a document failed")).to_be_checked()
    card.get_by_label("Description").fill("the archive")
    card.get_by_role("button", name="Save").click()
    expect(card).to_contain_text("the archive")
    card.get_by_role("button", name="Show the secret").click()
    expect(page.locator(".once")).to_have_count(1)
    card.get_by_role("button", name="New secret").click()
    expect(page.locator(".once")).to_have_count(2)
    card.get_by_role("button", name="Send a test").click()
    expect(page.get_by_role("heading", name="a test")).to_be_visible()
    expect(page.locator("#delivery")).to_contain_text("to be sent")
    page.goto("/webhooks")
    card.get_by_text("Change").click()
    card.get_by_label("Send to it").uncheck()
    card.get_by_role("button", name="Save").click()
    expect(card).to_contain_text("off")
    expect(card.get_by_role("button", name="Send a test")).to_have_count(0)
    card.get_by_role("button", name="Delete").click()
    expect(card).to_have_count(0)


def test_an_address_inside_is_refused_in_words(open_page: Open) -> None:
    page = open_page("/webhooks")
    add(page, "http://10.0.0.7/")
    expect(page.get_by_role("main")).to_contain_text("Webhooks may not go to this address")


def test_what_a_receiver_answers_is_text_and_is_sent_again(open_page: Open, parts: Parts) -> None:
    delivery_id = attempted(parts, HOSTILE)
    attempted(parts, "taken", 204)
    page = open_page("/deliveries")
    page.get_by_label("State").select_option("failed")
    rows = page.locator("#list tbody tr")
    expect(rows).to_have_count(1)
    rows.get_by_role("link", name="a test").click()
    expect(page.locator(".attempt pre")).to_have_text(HOSTILE)
    expect(page.locator(".attempt .error")).to_have_text(HOSTILE)
    assert page.locator("img[src=x], main script").count() == 0
    page.get_by_role("button", name="Send it again").click()
    expect(page.locator("#delivery")).to_contain_text("to be sent")
    with parts.database.write() as connection:
        (claimed,) = deliveries.claim(connection, [delivery_id], lease_seconds=30)
        deliveries.finish(connection, claimed, Outcome(status=200, answer="thanks", duration_ms=3))
    expect(page.get_by_role("region", name="Attempt 2")).to_contain_text("thanks")
    page.goto("/webhooks")
    expect(page.get_by_text(HOSTILE).first).to_be_visible()


def test_who_may_only_read_sees_no_endpoint_and_sends_nothing(open_page: Open, parts: Parts) -> None:
    delivery_id, text = attempted(parts, "no"), key_of(parts, Scope.AUDIT)
    page = open_page("/deliveries")
    sign_in(page, text)
    expect(page.get_by_label("Webhook", exact=True)).to_have_count(0)
    page.goto(f"/deliveries/{delivery_id}")
    expect(page.get_by_role("region", name="Attempt 1")).to_be_visible()
    expect(page.get_by_role("button", name="Send it again")).to_have_count(0)
    page.goto("/webhooks")
    expect(page.get_by_role("main")).to_contain_text("Your key may not do this")
