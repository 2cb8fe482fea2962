"""The first page: documents are sent, and their table follows them."""

from __future__ import annotations

import threading
from pathlib import Path

from playwright.sync_api import expect

from api.service.parts import Parts
from shared import jobs
from tests.browser.conftest import Open
from tests.unit.api.conftest import finish, png


def newest(parts: Parts) -> list[str]:
    with parts.database.read() as connection:
        return [job.id for job in jobs.list_jobs(connection, limit=300)]


def test_chosen_files_are_sent_followed_and_opened(open_page: Open, parts: Parts, tmp_path: Path) -> None:
    page = open_page("/")
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for number, path in enumerate(paths):
        path.write_bytes(png(8, 8 + number))
    page.set_input_files("#files", [str(path) for path in paths])
    rows = page.locator("#rows tr")
    expect(page.locator("#rows tr[data-state=queued]")).to_have_count(3)
    expect(rows.filter(has_text="place 1")).to_have_count(1)
    for job_id in newest(parts):
        finish(parts, job_id)
    expect(page.locator("#rows tr[data-state=succeeded]")).to_have_count(3)
    page.get_by_role("link", name="1.png").click()
    expect(page.locator(".words")).to_have_text("你好 world")


def test_a_name_stays_text(open_page: Open, tmp_path: Path) -> None:
    page = open_page("/")
    name = "<img src=x onerror=alert(1)>.png"
    path = tmp_path / name
    path.write_bytes(png())
    page.set_input_files("#files", str(path))
    expect(page.get_by_role("link", name=name)).to_be_visible()
    page.goto("/jobs")
    expect(page.get_by_role("link", name=name)).to_be_visible()
    assert page.locator("table img").count() == 0


def test_what_is_no_image_says_so_and_the_others_go_on(open_page: Open, photo: Path, tmp_path: Path) -> None:
    page = open_page("/")
    wrong = tmp_path / "notes.txt"
    wrong.write_text("no image")
    page.set_input_files("#files", [str(wrong), str(photo)])
    expect(page.locator("#rows")).to_contain_text("This is no image and no PDF")
    expect(page.locator("#rows tr[data-state=queued]")).to_have_count(1)


def test_two_hundred_at_once_are_all_there_and_stay_after_a_reload(open_page: Open, parts: Parts) -> None:
    page = open_page("/")
    files = [{"name": f"{n}.png", "mimeType": "image/png", "buffer": png(8, 8 + n % 50)} for n in range(200)]
    page.set_input_files("#files", files)  # type: ignore[arg-type]
    expect(page.locator("#rows tr[data-state=queued]")).to_have_count(200, timeout=60_000)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.locator("#rows tr")).to_have_count(200)
    assert len(newest(parts)) == 200


def test_a_pasted_image_is_sent(open_page: Open) -> None:
    page = open_page("/")
    page.evaluate(
        """(bytes) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], "image.png", { type: "image/png" }));
          dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
        }""",
        list(png()),
    )
    expect(page.get_by_role("link", name="Pasted image 1")).to_be_visible()


def test_it_works_without_a_script(open_page: Open, parts: Parts, photo: Path) -> None:
    page = open_page("/", java_script_enabled=False)
    page.set_input_files("#files", str(photo))
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#rows tr[data-state=queued]")).to_have_count(1)
    assert page.locator("noscript meta, meta[http-equiv=refresh]").count() == 1
    finish(parts, newest(parts)[0])
    page.goto("/")
    page.get_by_role("link", name="note.png").click()
    expect(page.locator(".words")).to_have_text("你好 world")


def test_a_server_that_comes_back_gets_what_waited(open_page: Open, photo: Path) -> None:
    page = open_page("/")
    gone = threading.Event()
    page.route("**/*", lambda route: route.continue_() if gone.is_set() else route.abort())
    page.set_input_files("#files", str(photo))
    expect(page.locator("#rows")).to_contain_text("does not answer")
    gone.set()
    expect(page.locator("#rows tr[data-state=queued]")).to_have_count(1, timeout=15_000)
