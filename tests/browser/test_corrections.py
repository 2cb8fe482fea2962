"""Correcting lines, as people do it."""

from __future__ import annotations

from playwright.sync_api import expect

from api.service.parts import Parts
from shared import jobs
from shared.audit.actor import OPERATOR
from shared.jobs import corrections
from tests.browser.conftest import Open
from tests.browser.test_result import TEXTS, job_id, line, read_as, result_of

__all__ = ["job_id"]


def test_enter_saves_a_line_and_goes_to_the_next_doubtful_one(open_page: Open, parts: Parts, job_id: str) -> None:
    page = open_page(f"/jobs/{job_id}")
    line(page, "T0tal").click()
    field = page.locator("#line-text")
    field.fill("Total <i>")
    field.press("Enter")
    expect(field).to_have_value("Thank y0u")
    field.fill("Thank you")
    field.press("Enter")
    expect(page.locator(".mended")).to_have_count(2)
    expect(page.locator("button.doubtful, polygon.doubtful")).to_have_count(0)
    page.reload()
    expect(line(page, "Total <i>").locator(".mended")).to_have_attribute("title", f"Read as: {TEXTS[1][0]}")
    with parts.database.read() as connection:
        made = corrections.list_of(connection, job_id)
    assert [(one.line_number, one.after) for one in made] == [(2, "Total <i>"), (4, "Thank you")]


def test_how_many_are_left_is_said_at_once(open_page: Open, parts: Parts) -> None:
    page = open_page(f"/jobs/{read_as(parts, result_of(pages=2))}")
    left, link = page.locator("#review"), page.locator("nav.pages a").first
    expect(left).to_have_text("▲ 4 uncertain lines")
    expect(link).to_have_accessible_name("Page 1, 2 uncertain lines")
    left.click()
    page.locator("#line-text").press("Enter")
    expect(left).to_have_text("▲ 3 uncertain lines")
    expect(link).to_have_accessible_name("Page 1, 1 uncertain line")
    page.locator("#line-text").press("Enter")
    page.wait_for_url("**page=2#first-doubt")
    expect(page.locator("nav.pages a").first).to_have_accessible_name("Page 1")
    expect(left).to_have_text("▲ 2 uncertain lines")
    for _ in range(2):
        page.locator("#line-text").press("Enter")
        expect(page.get_by_role("status")).to_have_text("Saved.")
        page.evaluate("document.getElementById('said').textContent = ''")
    expect(left).to_have_count(0)
    expect(page.locator("nav.pages a[aria-current]")).to_have_text("2")


def test_the_list_shows_the_corrected_text_and_finds_both(open_page: Open, parts: Parts, job_id: str) -> None:
    read_as(parts, result_of())
    page = open_page(f"/jobs/{job_id}")
    line(page, "Thank").click()
    page.locator("#line-text").fill("Thank YOU")
    page.locator("#line-text").press("Enter")
    expect(line(page, "Thank YOU").locator(".mended")).to_be_visible()
    page.goto("/jobs?text=thank+you")
    (row,) = page.locator("table.jobs tbody tr").all()
    expect(row.locator(".excerpt")).to_contain_text("Thank YOU")
    expect(row.locator(".mended")).to_have_text("✎ corrected")
    page.goto("/jobs?text=thank+y0u")
    expect(page.locator("table.jobs tbody tr")).to_have_count(2)
    expect(page.locator("table.jobs .mended")).to_have_count(1)


def test_who_was_slower_sees_the_others_text_and_decides(open_page: Open, parts: Parts, job_id: str) -> None:
    page = open_page(f"/jobs/{job_id}")
    line(page, "Thank").click()
    field = page.locator("#line-text")
    expect(field).to_have_value("Thank y0u")
    with parts.database.write() as connection:
        job = jobs.get(connection, job_id)
        assert job is not None
        where = {"page_number": 1, "line_number": 4}
        assert corrections.add(connection, job, **where, before="Thank y0u", after="Thanks", actor=OPERATOR)  # type: ignore[arg-type]
    field.fill("Thank you")
    field.press("Enter")
    expect(page.locator("#conflict")).to_contain_text("Thanks")
    expect(field).to_have_value("Thank you")
    field.press("Enter")
    expect(line(page, "Thank you")).to_be_visible()


def test_a_file_comes_with_or_without_corrections(open_page: Open, job_id: str) -> None:
    page = open_page(f"/jobs/{job_id}")
    line(page, "Thank").click()
    page.locator("#line-text").fill("Thank you")
    page.locator("#line-text").press("Enter")
    expect(page.locator(".mended")).to_have_count(1)
    page.get_by_label("Format").select_option("text")
    texts = []
    for wanted in (True, False):
        page.get_by_label("with corrections").set_checked(wanted)
        with page.expect_download() as found:
            page.get_by_role("button", name="Download").click()
        texts.append(found.value.path().read_text("utf-8"))
    assert ["Thank you" in text for text in texts] == [True, False]
    assert ["Thank y0u" in text for text in texts] == [False, True]


def test_from_the_review_queue_a_line_is_mended_at_once_by_the_keyboard(open_page: Open, job_id: str) -> None:
    page = open_page("/review")
    links = page.locator("tbody a")
    expect(links).to_have_text([TEXTS[1][0], "Thank y0u"])
    links.nth(1).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/jobs/{job_id}*")
    expect(page.locator("#line-text")).to_be_focused()
    expect(page.locator("#line-text")).to_have_value("Thank y0u")
    page.keyboard.press("End")
    page.keyboard.type("!")
    page.keyboard.press("Enter")
    expect(line(page, "Thank y0u!").locator(".mended")).to_be_visible()
    page.goto("/review")
    expect(links).to_have_count(1)


def test_enter_alone_says_that_a_doubtful_line_is_right(open_page: Open, job_id: str) -> None:
    page = open_page(f"/jobs/{job_id}")
    line(page, "Thank").click()
    page.locator("#line-text").press("Enter")
    expect(page.locator("button.doubtful")).to_have_count(1)
    page.goto("/review")
    expect(page.locator("tbody a")).to_have_text([TEXTS[1][0]])
