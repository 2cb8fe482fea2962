"""The first page: documents are sent, and their table follows them."""

from __future__ import annotations

import json
import threading
import zipfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route, expect

from api.service.parts import Parts
from shared import jobs
from shared.keys.record import Scope
from tests.browser.conftest import Open
from tests.browser.test_keys import key_of, sign_in
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
    count = page.locator("#sent-count")
    expect(count).to_have_text("0 of 3 done")
    first, *others = newest(parts)
    finish(parts, first)
    expect(count).to_have_text("1 of 3 done")
    for job_id in others:
        finish(parts, job_id)
    expect(page.locator("#rows tr[data-state=succeeded]")).to_have_count(3)
    expect(count).to_have_text("3 of 3 done")
    page.reload()
    expect(count).to_have_text("3 of 3 done")
    page.get_by_role("link", name="1.png").click()
    expect(page.locator(".words")).to_have_text("你好 world")


def test_what_is_chosen_before_the_script_has_come_is_sent(open_page: Open, photo: Path) -> None:
    page = open_page("/")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/read.js*", hold)
    page.goto(page.url, wait_until="commit")
    page.set_input_files("#files", str(photo))
    assert held
    expect(page.locator("#rows tr")).to_have_count(0)
    for route in held:
        route.continue_()
    expect(page.locator("#rows tr[data-state=queued]")).to_have_count(1)


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


KEPT = """() => new Promise((resolve) => {
  indexedDB.open("ocrelay").onsuccess = ({ target: { result: database } }) => {
    database.transaction("files").objectStore("files").count().onsuccess = (event) => resolve(event.target.result);
  };
})"""
"""So many files are in the browser's own keeping."""


def many(count: int) -> list[Any]:
    return [{"name": f"{n}.png", "mimeType": "image/png", "buffer": png(8, 8 + n)} for n in range(count)]


def names(page: Page) -> list[str]:
    return sorted(text.strip() for text in page.locator("#rows th").all_inner_texts())


def test_two_hundred_at_once_are_all_there_though_the_page_is_loaded_again_in_the_middle(
    open_page: Open, parts: Parts
) -> None:
    page = open_page("/")
    page.on("dialog", lambda dialog: dialog.accept())
    page.set_input_files("#files", many(200))
    expect(page.locator("#rows tr")).to_have_count(200)
    expect(page.locator("#rows tr[data-state=queued]").nth(40)).to_be_attached(timeout=60_000)
    while page.evaluate(KEPT) < page.locator("#rows tr:not([data-state])").count():
        page.wait_for_timeout(50)
    before, open_rows = names(page), page.locator("#rows tr:not([data-state])").count()
    assert open_rows > 20, "it is loaded again in the middle"
    page.reload()
    expect(page.locator("#rows tr").nth(199)).to_be_attached()
    assert set(names(page)) == set(before)  # one whose answer was lost stands there twice until it is sent again
    expect(page.locator("#rows tr[data-state=queued]")).to_have_count(200, timeout=60_000)
    expect(page.locator("#rows tr")).to_have_count(200)
    page.reload()
    expect(page.locator("#rows tr[data-state=queued]")).to_have_count(200)
    assert names(page) == before == sorted(f"{n}.png" for n in range(200))
    assert len(newest(parts)) == 200


BREAKS_OFF = """(() => {
  const { text } = Response.prototype;
  let left = 1;
  Response.prototype.text = function () {
    const breaks = this.headers.get("Content-Type").startsWith("text/html") && left-- > 0;
    return breaks ? Promise.reject(new TypeError("Failed to fetch")) : text.call(this);
  };
})()"""
"""The first answer breaks off after its headers, as where the page is loaded again at that moment."""


def test_a_file_whose_answer_broke_off_is_sent_again_and_is_one_document(open_page: Open, parts: Parts) -> None:
    page = open_page("/")
    page.evaluate(BREAKS_OFF)
    page.set_input_files("#files", many(1))
    expect(page.locator("#rows tr[data-state=queued]")).to_have_count(1, timeout=60_000)
    expect(page.locator("#rows tr")).to_have_count(1)
    assert len(newest(parts)) == 1


def test_while_many_are_sent_the_page_answers_at_once(open_page: Open) -> None:
    page = open_page("/")
    page.set_input_files("#files", many(200))
    slowest = page.evaluate(
        """async () => {
          let slowest = 0;
          for (let last = performance.now(), n = 0; n < 100; n += 1) {
            await new Promise((resolve) => setTimeout(resolve, 10));
            slowest = Math.max(slowest, performance.now() - last - 10);
            last = performance.now();
          }
          return slowest;
        }"""
    )
    assert slowest < 500
    page.get_by_text("What reads well").click()
    expect(page.get_by_text("Frontal")).to_be_hidden()
    expect(page.locator("#rows tr[data-state=queued]")).to_have_count(200, timeout=60_000)


def test_what_the_browser_could_not_keep_is_said_to_be_not_sent(open_page: Open, parts: Parts, photo: Path) -> None:
    page = open_page("/")
    page.on("dialog", lambda dialog: dialog.accept())
    page.route("**/", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    page.set_input_files("#files", many(2))
    expect(page.locator("#rows")).to_contain_text("does not answer")
    page.evaluate(
        """() => new Promise((resolve) => {
          indexedDB.open("ocrelay").onsuccess = ({ target: { result: database } }) => {
            const change = database.transaction("files", "readwrite");
            change.objectStore("files").clear();
            change.oncomplete = resolve;
          };
        })"""
    )
    page.reload()
    rows = page.locator("#rows tr")
    expect(rows.filter(has_text="Choose it once more")).to_have_count(2)
    page.unroute("**/")
    page.set_input_files("#files", many(1))
    expect(page.locator("#rows tr[data-state=queued]")).to_have_count(1)
    expect(rows).to_have_count(2)
    rows.get_by_role("button", name="Remove").click()
    page.reload()
    assert names(page) == ["0.png"]
    assert len(newest(parts)) == 1


def test_what_was_refused_is_still_said_after_a_reload_until_it_is_removed(open_page: Open, tmp_path: Path) -> None:
    page = open_page("/")
    wrong = tmp_path / "notes.txt"
    wrong.write_text("no image")
    page.set_input_files("#files", str(wrong))
    expect(page.locator("#rows")).to_contain_text("This is no image and no PDF")
    page.reload()
    expect(page.locator("#rows")).to_contain_text("This is no image and no PDF")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#rows")).to_contain_text("This is no image and no PDF")
    page.get_by_role("button", name="Remove").click()
    page.reload()
    expect(page.locator("#sent")).to_be_hidden()


def test_nobody_sends_what_was_chosen_by_who_signed_in_before(open_page: Open, parts: Parts, photo: Path) -> None:
    first, second = key_of(parts, Scope.SUBMIT, Scope.READ), key_of(parts, Scope.SUBMIT, Scope.READ)
    page = open_page("/")
    page.on("dialog", lambda dialog: dialog.accept())
    sign_in(page, first)
    page.goto("/")
    page.route("**/", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    page.set_input_files("#files", str(photo))
    expect(page.locator("#rows")).to_contain_text("does not answer")
    page.context.clear_cookies()
    page.unroute("**/")
    page.goto("/")
    sign_in(page, second)
    page.goto("/")
    expect(page.locator("#rows")).to_contain_text("Choose it once more")
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, second)
    page.goto("/")
    expect(page.locator("#sent")).to_be_hidden()
    assert newest(parts) == []


SLOW_DISK = """
const put = IDBObjectStore.prototype.put;
IDBObjectStore.prototype.put = function (...given) {
  const request = put.apply(this, given);
  const until = performance.now() + 1000;
  const wait = () => performance.now() < until && this.count().addEventListener("success", wait);
  request.addEventListener("success", wait);
  return request;
};
"""
"""A browser that takes its time before a file is kept; the answer of the server comes sooner."""


def test_what_was_dropped_after_the_session_ended_goes_on_when_the_same_key_signs_in(
    open_page: Open, parts: Parts
) -> None:
    key = key_of(parts, Scope.SUBMIT, Scope.READ)
    page = open_page("/")
    page.add_init_script(SLOW_DISK)
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.type), dialog.accept()))
    sign_in(page, key)
    page.locator("#together").wait_for()
    assert key not in page.content() and key.split("_")[1] not in page.content()
    page.context.clear_cookies()
    page.set_input_files("#files", many(5))
    sign_in(page, key)
    expect(page.locator("#rows tr[data-state=queued]")).to_have_count(5)
    assert sorted(names(page)) == [f"{n}.png" for n in range(5)] and len(newest(parts)) == 5
    assert dialogs == []


def test_many_together_become_one_batch_if_wanted_and_go_on_in_it_after_a_reload(open_page: Open, parts: Parts) -> None:
    page = open_page("/")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_label("one batch").check()
    page.route("**/", lambda route: route.abort() if is_late(route) else route.continue_())
    page.set_input_files("#files", many(9))
    expect(page.locator("#rows tr[data-batch]")).to_have_count(4)
    page.unroute("**/")
    page.reload()
    expect(page.locator("#rows tr[data-batch]")).to_have_count(9, timeout=15_000)
    page.set_input_files("#files", many(1))
    expect(page.locator("#rows tr:not([data-batch])")).to_have_count(1)
    for job_id in newest(parts):
        finish(parts, job_id)
    page.get_by_role("list", name="Batches").get_by_role("link", name="0.png +8").click()
    expect(page.locator("#batch")).to_contain_text("done: 9")
    with page.expect_download() as found:
        page.get_by_role("button", name="Download as zip").click()
    with zipfile.ZipFile(found.value.path()) as archive:
        assert json.loads(archive.read("batch.json"))["document_count"] == 9


def is_late(route: Route) -> bool:
    """Whether a file comes that is not one of the first four."""
    sent = route.request.post_data_buffer or b""
    return route.request.method == "POST" and not any(f'filename="{n}.png"'.encode() in sent for n in range(4))


def test_without_a_script_many_become_a_batch_too(open_page: Open, tmp_path: Path) -> None:
    page = open_page("/", java_script_enabled=False)
    page.set_input_files("#files", many(3))
    page.get_by_label("one batch").check()
    page.get_by_role("button", name="Send").click()
    expect(page.locator("h1")).to_have_text("0.png +2")
    expect(page.locator("#batch")).to_contain_text("waiting: 3")


def test_without_a_script_what_was_taken_and_what_was_not_is_said(open_page: Open, parts: Parts) -> None:
    page = open_page("/", java_script_enabled=False)
    wrong = {"name": "<b>notes.txt", "mimeType": "text/plain", "buffer": b"no image"}
    page.set_input_files("#files", [*many(2), wrong])
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        page.get_by_role("button", name="Send").click()
    assert answered.value.status == 207
    said = page.get_by_role("alert").filter(has_text="taken")
    expect(said).to_contain_text("2 of 3 files were taken")
    expect(said).to_contain_text("<b>notes.txt: This is no image and no PDF")
    expect(said.get_by_role("link")).to_have_text(["0.png", "1.png"])
    page.set_input_files("#files", wrong)  # type: ignore[arg-type]
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        page.get_by_role("button", name="Send").click()
    assert answered.value.status == 415
    expect(page.get_by_role("alert").filter(has_text="taken")).to_contain_text("0 of 1 files were taken")
    assert len(newest(parts)) == 2


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
