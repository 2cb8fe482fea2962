"""The page of one job: image and text show each other."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from api.app import app_of
from api.formats.table import NAMES
from api.service.parts import Parts
from shared import jobs
from tests.browser.conftest import Open
from tests.unit.api.conftest import READER, RESULT, png

TEXTS = [("Invoice 2024", 0.99), ("<b onclick=alert(1)>T0tal</b>", 0.55), ("金额 12.50", 0.97), ("Thank y0u", 0.6)]


def result_of(pages: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = copy.deepcopy(RESULT)
    page = found["pages"][0] | {"width": 400, "height": 200, "lines": []}
    for number, (text, confidence) in enumerate(TEXTS):
        top = 10 + 45 * number
        polygon = [[20, top], [300, top], [300, top + 30], [20, top + 30]]
        line = {"text": text, "raw_text": text, "confidence": confidence, "polygon": polygon, "words": [], "edits": []}
        page["lines"].append(line)
    found["pages"] = [page | {"page_number": number + 1} for number in range(pages)]
    found["text"] = "\n\n".join("\n".join(text for text, _ in TEXTS) for _ in range(pages))
    return found


def read_as(parts: Parts, result: dict[str, Any]) -> str:
    """A job that has been read, with what came of it."""
    job = app_of(parts).test_client().post("/v1/jobs?reference=invoice", data=png(400, 200)).get_json()
    with parts.database.write() as connection:
        claimed = jobs.claim(connection, job["id"], owner="test/1", lease_seconds=30)
        assert claimed is not None and claimed.lease_token is not None
        assert jobs.succeed(
            connection, job["id"], claimed.lease_token, result=result, timings_ms={"total": 3.0}, reader_sha256=READER
        )  # fmt: skip
    return str(job["id"])


@pytest.fixture
def job_id(parts: Parts) -> str:
    """A job that has been read."""
    return read_as(parts, result_of())


def line(page: Page, text: str) -> Any:
    return page.locator("button.line").filter(has_text=text)


def test_text_and_image_show_each_other_by_pointing_and_by_clicking(open_page: Open, job_id: str) -> None:
    page = open_page(f"/jobs/{job_id}")
    shapes = page.locator("polygon")
    expect(shapes).to_have_count(4)
    line(page, "Invoice").hover()
    expect(shapes.nth(0)).to_have_class(re.compile("hovered"))
    shapes.nth(2).hover()
    expect(line(page, "金额")).to_have_class(re.compile("hovered"))
    shapes.nth(2).click()
    expect(line(page, "金额")).to_have_attribute("aria-current", "true")
    line(page, "Invoice").click()
    expect(shapes.nth(0)).to_have_class(re.compile("chosen"))
    expect(page.get_by_label("Line 1 of page 1")).to_have_value("Invoice 2024")


def test_recognised_text_stays_text(open_page: Open, job_id: str) -> None:
    page = open_page(f"/jobs/{job_id}")
    expect(page.get_by_text(TEXTS[1][0])).to_be_visible()
    assert page.locator("#text b").count() == 0
    assert not re.search(r"\bnull\b|undefined|\[object", page.locator("main").inner_text())


def test_tab_goes_from_one_doubtful_line_to_the_next_and_holds_nobody(open_page: Open, job_id: str) -> None:
    page = open_page(f"/jobs/{job_id}")
    expect(page.locator("button.doubtful")).to_have_count(2)
    expect(page.locator("polygon.doubtful")).to_have_count(2)
    line(page, "T0tal").click()
    field = page.locator("#line-text")
    field.press("Tab")
    expect(field).to_have_value("Thank y0u")
    field.press("Shift+Tab")
    expect(field).to_have_value(TEXTS[1][0])
    field.press("Tab")
    expect(field).to_have_value("Thank y0u")
    field.press("Tab")
    expect(field).not_to_be_focused()
    left, _, width, _ = str(page.locator("#cut-out").get_attribute("viewBox")).split()
    assert float(left) < 20 and float(width) > 250


def test_the_image_is_zoomed_and_moved_by_keys_and_wheel(open_page: Open, job_id: str) -> None:
    page = open_page(f"/jobs/{job_id}")
    window, sheet = page.locator("#window"), page.locator("#sheet")
    window.focus()
    window.press("+")
    expect(sheet).to_have_attribute("style", re.compile(r"scale\(1\.3"))
    window.press("0")
    expect(sheet).to_have_attribute("style", re.compile(r"scale\(1\) translate\(0px, 0px\)"))
    window.press("ArrowLeft")
    expect(sheet).to_have_attribute("style", re.compile(r"translate\(60px"))
    window.hover()
    page.mouse.wheel(0, -400)
    expect(sheet).not_to_have_attribute("style", re.compile(r"scale\(1\)"))


def test_all_text_and_one_line_can_be_copied(open_page: Open, job_id: str) -> None:
    page = open_page(f"/jobs/{job_id}", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy all").click()
    expect(page.get_by_role("status")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == "\n".join(text for text, _ in TEXTS)
    page.get_by_role("button", name="Copy this line").first.click()
    expect(page.get_by_role("status")).to_have_text("Copied.")


def test_what_stands_side_by_side_stays_so_where_that_is_wanted(open_page: Open, parts: Parts) -> None:
    result = result_of()
    result["pages"][0]["lines"][2]["polygon"] = [[320, 55], [390, 55], [390, 85], [320, 85]]
    page = open_page(f"/jobs/{read_as(parts, result)}", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_label("rows as on the page").check()
    page.get_by_role("button", name="Copy all").click()
    expect(page.get_by_role("status")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.search(r"T0tal</b> +金额 12.50\n", copied), copied
    with page.expect_download() as found:
        page.get_by_role("button", name="Download").click()
    assert re.search(r"T0tal</b> +金额 12.50\n", found.value.path().read_text("utf-8"))


def test_the_text_of_a_rectangle_is_copied(open_page: Open, job_id: str) -> None:
    page = open_page(f"/jobs/{job_id}", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the text of a rectangle").click()
    first, third = (page.locator("polygon").nth(number).bounding_box() for number in (0, 2))
    assert first is not None and third is not None
    page.mouse.move(first["x"] - 5, first["y"] - 5)
    page.mouse.down()
    page.mouse.move(third["x"] + third["width"], third["y"] - 5, steps=4)
    page.mouse.up()
    expect(page.get_by_role("status")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == "\n".join(text for text, _ in TEXTS[:2])
    expect(page.get_by_role("button", name="Copy the text of a rectangle")).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize("name", NAMES)
def test_every_format_can_be_downloaded(open_page: Open, job_id: str, name: str) -> None:
    page = open_page(f"/jobs/{job_id}")
    page.get_by_label("Format").select_option(name)
    with page.expect_download() as found:
        page.get_by_role("button", name="Download").click()
    assert found.value.suggested_filename.startswith(job_id)


def test_on_a_phone_the_line_that_is_tapped_is_corrected_in_view(open_page: Open, parts: Parts) -> None:
    result = result_of()
    result["pages"][0]["lines"] *= 15
    job_id = read_as(parts, result)
    for size, moves in (((390, 844), True), ((1280, 800), False)):
        page = open_page(f"/jobs/{job_id}", viewport={"width": size[0], "height": size[1]})
        line(page, "金额").nth(12 if moves else 3).scroll_into_view_if_needed()
        before = page.evaluate("scrollY")
        line(page, "金额").nth(12 if moves else 3).click()
        expect(page.locator("#line-text")).to_be_in_viewport(ratio=1)
        expect(page.locator("#editor")).to_be_in_viewport(ratio=1)
        assert (page.evaluate("scrollY") != before) is moves


def test_what_was_done_is_seen_and_goes(open_page: Open, job_id: str) -> None:
    page = open_page(f"/jobs/{job_id}", bypass_csp=True)
    said = page.get_by_role("status")
    page.get_by_role("button", name="Copy all").click()
    expect(said).to_have_text("Copied.")
    expect(said).to_be_in_viewport(ratio=1)
    box = said.bounding_box()
    assert box is not None and box["width"] > 40 and box["height"] > 20
    assert Axe().run(page).response["violations"] == []
    expect(said).not_to_have_class("seen", timeout=10_000)


def test_nothing_is_wider_than_a_phone(open_page: Open, job_id: str) -> None:
    page = open_page(f"/jobs/{job_id}", viewport={"width": 360, "height": 740})
    line(page, "T0tal").click()
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_without_a_script_nothing_is_offered_that_needs_one(open_page: Open, job_id: str) -> None:
    page = open_page(f"/jobs/{job_id}", java_script_enabled=False)
    expect(page.get_by_role("button", name="Download")).to_be_visible()
    for needs_one in ("Copy all", "Copy this line", "Zoom in", "uncertain lines"):
        expect(page.get_by_role("button", name=needs_one)).to_have_count(0)
