"""What was typed for a line is never lost without a word, and its answer finds its line."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, Route, expect

from api.service.parts import Parts
from shared import jobs
from shared.audit.actor import OPERATOR
from shared.jobs import corrections
from shared.keys.record import Scope
from tests.browser.conftest import Open
from tests.browser.test_away import by_proxy
from tests.browser.test_keys import key_of, sign_in
from tests.browser.test_result import TEXTS, job_id, line

__all__ = ["job_id"]

SAVES = re.compile("/corrections$")


def made(parts: Parts, job_id: str) -> list[tuple[int, str]]:
    with parts.database.read() as connection:
        return [(one.line_number, one.after) for one in corrections.list_of(connection, job_id)]


def held_back(page: Page) -> list[Route]:
    """Saves that nobody answers until the test lets them go."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(SAVES, hold)
    return held


def press_enter(page: Page, held: list[Route], count: int = 1) -> None:
    page.locator("#line-text").press("Enter")
    for _ in range(100):
        if len(held) >= count:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{len(held)} saves were sent")


def test_the_answer_to_a_save_is_said_at_its_own_line(open_page: Open, parts: Parts, job_id: str) -> None:
    page = open_page(f"/jobs/{job_id}")
    held = held_back(page)
    field, conflict = page.locator("#line-text"), page.locator("#conflict")
    line(page, "T0tal").click()
    field.fill("Total")
    press_enter(page, held)
    with parts.database.write() as connection:
        job = jobs.get(connection, job_id)
        where: Any = {"page_number": 1, "line_number": 2, "before": TEXTS[1][0], "after": "Sum"}
        assert job is not None and corrections.add(connection, job, **where, actor=OPERATOR)
    line(page, "Thank").click()
    held[0].continue_()
    expect(page.locator("#unsaved")).to_have_text("Typed, but not saved: line 2")
    expect(conflict).to_be_empty()
    page.unroute(SAVES)
    expect(field).to_have_value("Thank y0u")
    field.fill("Thank you")
    field.press("Enter")
    expect(line(page, "Thank you").locator(".mended")).to_be_visible()
    line(page, "T0tal").click()
    expect(conflict).to_contain_text("Sum")
    expect(field).to_have_value("Total")
    field.press("Enter")
    expect(page.locator("#line-2 .words")).to_have_text("Total")
    assert made(parts, job_id) == [(2, "Sum"), (4, "Thank you"), (2, "Total")]


def test_what_is_typed_while_a_save_is_under_way_stays_and_pressing_twice_saves_once(
    open_page: Open, parts: Parts, job_id: str
) -> None:
    page = open_page(f"/jobs/{job_id}")
    held = held_back(page)
    field = page.locator("#line-text")
    line(page, "T0tal").click()
    field.fill("Total")
    press_enter(page, held)
    field.press("Enter")
    field.press("End")
    field.press("!")
    page.wait_for_timeout(300)
    assert len(held) == 1
    held[0].continue_()
    expect(page.locator("#line-2 .words")).to_have_text("Total")
    expect(field).to_have_value("Total!")
    expect(page.locator("#conflict")).to_be_empty()
    page.unroute(SAVES)
    field.press("Enter")
    expect(page.locator("#line-2 .words")).to_have_text("Total!")
    expect(field).to_have_value("Thank y0u")
    assert made(parts, job_id) == [(2, "Total"), (2, "Total!")]


def test_going_to_another_line_keeps_what_was_typed_and_leaving_asks(open_page: Open, job_id: str) -> None:
    page = open_page(f"/jobs/{job_id}")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    field = page.locator("#line-text")
    line(page, "T0tal").click()
    field.fill("Total")
    field.press("Tab")
    expect(field).to_have_value("Thank y0u")
    expect(page.locator("#unsaved")).to_have_text("Typed, but not saved: line 2")
    field.press("Shift+Tab")
    expect(field).to_have_value("Total")
    page.get_by_role("link", name="Jobs").first.click(no_wait_after=True)
    expect(field).to_have_value("Total")
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"] and f"/jobs/{job_id}" in page.url
    field.press("Enter")
    expect(page.locator("#line-2 .words")).to_have_text("Total")
    page.get_by_role("link", name="Jobs").first.click()
    page.wait_for_url("**/jobs")
    assert asked == ["beforeunload"]


def test_a_session_that_ends_loses_neither_the_text_nor_the_line(open_page: Open, parts: Parts, job_id: str) -> None:
    key, other = (key_of(parts, Scope.ADMIN, Scope.READ, Scope.SUBMIT, Scope.AUDIT) for _ in range(2))
    page = open_page(f"/jobs/{job_id}")
    page.on("dialog", lambda dialog: dialog.accept())
    sign_in(page, key)
    field = page.locator("#line-text")
    for who, text in ((key, "Thank you"), (other, "Thank y0u")):
        line(page, "Thank").click()
        field.fill("Thank you")
        page.context.clear_cookies()
        field.press("Enter")
        sign_in(page, who)
        page.wait_for_url(f"**/jobs/{job_id}*")
        if who == other:
            line(page, "Thank").click()
        expect(field).to_have_value(text)
    assert made(parts, job_id) == []


def test_a_save_that_nobody_answers_is_tried_again_by_itself(open_page: Open, parts: Parts, job_id: str) -> None:
    page = open_page(f"/jobs/{job_id}")
    page.route(SAVES, by_proxy)
    line(page, "Thank").click()
    page.locator("#line-text").fill("Thank you")
    page.locator("#line-text").press("Enter")
    expect(page.locator("#conflict")).to_contain_text("tries again by itself")
    page.unroute(SAVES)
    expect(line(page, "Thank you").locator(".mended")).to_be_visible(timeout=15_000)
    assert made(parts, job_id) == [(4, "Thank you")]


def test_a_save_whose_answer_was_lost_is_no_conflict_with_itself(open_page: Open, parts: Parts, job_id: str) -> None:
    page = open_page(f"/jobs/{job_id}")
    lost: list[int] = []

    def lose_one(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch().status)
            route.abort()

    page.route(SAVES, lose_one)
    line(page, "Thank").click()
    page.locator("#line-text").fill("Thank you ")
    page.locator("#line-text").press("Enter")
    expect(line(page, "Thank you").locator(".mended")).to_be_visible(timeout=15_000)
    assert lost == [201]
    expect(page.locator("#editor")).to_be_hidden()
