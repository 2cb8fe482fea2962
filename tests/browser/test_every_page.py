"""What holds for every page: no barrier that axe finds, no wider than its window, in both languages and colours."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from api.service.parts import Parts
from shared import keys
from shared.audit.actor import OPERATOR
from shared.keys.record import Scope
from tests.browser.conftest import Open
from tests.browser.test_result import job_id

__all__ = ["job_id"]

PAGES = (
    "/",
    "/jobs?state=succeeded",
    "/jobs",
    "/review",
    "/jobs/{job_id}",
    "/jobs/{job_id}?page=7",
    "/audit",
    "/audit/verify",
    "/status",
    "/nowhere",
)


def barriers(page: Page) -> list[str]:
    """What axe complains of."""
    found: dict[str, Any] = Axe().run(page).response
    return [f"{one['id']}: {[node['html'] for node in one['nodes']]}" for one in found["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("locale", "width"), [("en-GB", 1280), ("zh-CN", 390), ("zh-CN", 2560)])
def test_nobody_is_kept_out(open_page: Open, job_id: str, scheme: str, locale: str, width: int) -> None:
    options = {
        "locale": locale,
        "color_scheme": scheme,
        "viewport": {"width": width, "height": 800},
        "bypass_csp": True,
    }
    page = open_page("/", **options)
    for path in PAGES:
        page.goto(path.format(job_id=job_id))
        assert barriers(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.goto(f"/jobs/{job_id}")
    page.locator("button.line").first.click()
    assert barriers(page) == []


def test_the_door_keeps_nobody_out_but_strangers(open_page: Open, parts: Parts) -> None:
    with parts.database.write() as connection:
        text = keys.create(connection, name="<b>reader</b>", scopes=[Scope.READ], actor=OPERATOR)[1]
    page = open_page("/jobs", bypass_csp=True)
    assert barriers(page) == []
    page.get_by_label("API key").fill("nonsense")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    assert "not good here" in page.get_by_role("main").inner_text()
    assert barriers(page) == []
    page.get_by_label("API key").fill(text)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/jobs")
    assert page.get_by_role("navigation").get_by_role("link").all_inner_texts() == ["Jobs", "Batches", "Deliveries"]
    assert page.get_by_role("button", name="Delete").count() == 0
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")


@pytest.mark.parametrize("has_scripts", [True, False])
def test_on_a_phone_the_pages_are_in_a_menu_and_the_head_is_one_row(open_page: Open, has_scripts: bool) -> None:
    page = open_page("/jobs", java_script_enabled=has_scripts, viewport={"width": 390, "height": 800})
    box = page.locator("header").first.bounding_box()
    assert box is not None and box["height"] < 60
    expect(page.get_by_role("link", name="Batches")).to_be_hidden()
    page.get_by_text("Menu", exact=True).click()
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Batches").click()
    expect(page.locator("h1")).to_have_text("Batches")


def test_language_and_colours_are_chosen_by_hand(open_page: Open) -> None:
    page = open_page("/jobs")
    page.get_by_role("button", name="中文").click()
    assert page.locator("h1").inner_text() == "任务"
    page.get_by_role("button", name="颜色").click()
    assert page.locator("html").get_attribute("data-theme") == "light"
    page.get_by_role("button", name="颜色").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
