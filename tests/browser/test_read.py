"""The page "Read", as people use it."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from api.service.parts import Parts
from shared import jobs, keys
from shared.audit.actor import OPERATOR
from shared.keys.record import Scope
from tests.browser.conftest import Open
from tests.services import wait_until
from tests.unit.api.conftest import finish, png

HOSTILE = "<img src=x onerror=alert(1)>.png"


def ids(parts: Parts) -> list[str]:
    with parts.database.read() as connection:
        return [job.id for job in reversed(jobs.list_jobs(connection))]


def sent(parts: Parts, count: int) -> list[str]:
    wait_until(lambda: len(ids(parts)) == count, what=f"the {count}. job")
    return ids(parts)


def drop(page: Page, *files: tuple[str, bytes]) -> None:
    expect(page.locator("#drop")).to_be_visible()
    named = [[name, base64.b64encode(content).decode()] for name, content in files]
    page.evaluate(
        """files => {
            const data = new DataTransfer();
            for (const [name, text] of files) {
                const content = Uint8Array.from(atob(text), c => c.charCodeAt(0));
                data.items.add(new File([content], name, {type: "image/png"}));
            }
            for (const kind of ["dragenter", "drop"])
                document.getElementById("drop").dispatchEvent(
                    new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        named,
    )


def test_chosen_files_are_followed_to_their_end_while_others_still_wait(
    open_page: Open, parts: Parts, photo: Path
) -> None:
    page = open_page("/")
    page.set_input_files("#files", [photo, photo])
    first, _second = sent(parts, 2)
    rows = page.locator("tbody tr")
    expect(rows.nth(1)).to_contain_text("waiting, place")
    finish(parts, first)
    done = page.locator("tr[data-state=succeeded]")
    expect(done).to_contain_text("90.0 %")
    expect(done.get_by_role("link")).to_have_attribute("href", f"/read/{first}")
    expect(page.locator("tr[data-state=queued]")).to_have_count(1)
    expect(page.get_by_role("status")).to_have_text("note.png: done")


def test_dropped_files_with_hostile_names_stay_text(open_page: Open, parts: Parts) -> None:
    page = open_page("/")
    drop(page, (HOSTILE, png()), ("b.png", png(9, 9)), ("c.png", png(10, 10)))
    sent(parts, 3)
    expect(page.get_by_text(HOSTILE)).to_be_visible()
    assert page.locator("tbody img").count() == 0


def test_a_pasted_screenshot_is_sent(open_page: Open, parts: Parts) -> None:
    page = open_page("/")
    expect(page.locator("#drop")).to_be_visible()
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            const content = Uint8Array.from(atob(text), c => c.charCodeAt(0));
            data.items.add(new File([content], "image.png", {type: "image/png"}));
            dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, cancelable: true}));
        }""",
        base64.b64encode(png()).decode(),
    )
    sent(parts, 1)
    expect(page.get_by_text("Pasted image 1")).to_be_visible()


def test_the_table_is_the_same_after_a_reload(open_page: Open, parts: Parts, photo: Path) -> None:
    page = open_page("/")
    page.set_input_files("#files", photo)
    (job_id,) = sent(parts, 1)
    expect(page.locator("tr[data-state=queued]")).to_have_count(1)
    page.reload()
    expect(page.locator("tr[data-state=queued]")).to_contain_text("note.png")
    finish(parts, job_id)
    expect(page.locator("tr[data-state=succeeded]")).to_have_count(1)


def test_what_the_server_refuses_is_said_in_its_row_and_can_be_tried_again(open_page: Open, tmp_path: Path) -> None:
    broken = tmp_path / "letter.txt"
    broken.write_text("no image")
    page = open_page("/")
    page.set_input_files("#files", broken)
    row = page.locator("tr[data-state=failed]")
    expect(row).to_contain_text("not sent")
    expect(row.get_by_role("button", name="Try again")).to_be_visible()


def test_where_keys_are_needed_one_is_asked_for_once_and_kept_out_of_addresses(
    open_page: Open, parts: Parts, photo: Path
) -> None:
    with parts.database.write() as connection:
        _, made = keys.create(connection, name="people", scopes=[Scope.SUBMIT, Scope.READ], actor=OPERATOR)
    page = open_page("/")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("API key").fill("ocr_wrong")
    dialog.get_by_role("button", name="Use this key").click()
    expect(page.get_by_role("alert")).to_contain_text("refused")
    field = page.get_by_role("dialog").get_by_label("API key")
    field.fill(made)
    field.press("Enter")
    page.set_input_files("#files", photo)
    (job_id,) = sent(parts, 1)
    finish(parts, job_id)
    expect(page.locator("tr[data-state=succeeded]")).to_have_count(1)
    assert page.evaluate("sessionStorage['ocrelay-key']") == made
    assert page.evaluate("JSON.stringify(localStorage) + document.cookie") == "{}"
    page.get_by_role("button", name="Forget the key").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_language_follows_the_browser_and_can_be_chosen(open_page: Open) -> None:
    page = open_page("/", locale="zh-CN")
    expect(page.get_by_role("heading", level=1)).to_have_text("从图片读取文字")
    page.get_by_label("语言").select_option("en")
    expect(page.get_by_role("heading", level=1)).to_have_text("Text from images")
    assert page.evaluate("document.documentElement.lang") == "en"


def test_each_text_is_there_in_both_languages(open_page: Open) -> None:
    page = open_page("/")
    base = page.locator("script[type=module]").get_attribute("src")
    assert base is not None
    english, chinese = page.evaluate(
        """async base => [
            Object.keys((await import(base + "/words/en.js")).EN), Object.keys((await import(base + "/words/zh.js")).ZH)
        ]""",
        re.sub("/start.js$", "", base),
    )
    assert english == chinese


def test_a_page_that_lost_its_styles_says_so(open_page: Open) -> None:
    page = open_page("/")
    assert not page.locator(".unstyled").is_visible()
    page.evaluate("document.querySelector('link[rel=stylesheet]').remove()")
    expect(page.locator(".unstyled")).to_be_visible()


def test_nothing_is_wider_than_a_phone(open_page: Open, parts: Parts, photo: Path) -> None:
    page = open_page("/", viewport={"width": 360, "height": 740})
    page.set_input_files("#files", photo)
    finish(parts, sent(parts, 1)[0])
    expect(page.locator("tr[data-state=succeeded]")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
