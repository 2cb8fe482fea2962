"""Two people at once, and people who mean no good."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from api.app import app_of
from api.service.parts import Parts
from shared import jobs
from shared.jobs import corrections
from tests.browser.conftest import Open
from tests.browser.test_result import job_id, line, result_of
from tests.unit.api.conftest import READER, png

__all__ = ["job_id"]

TRICKS = (
    "<script>window.caught = 1</script>",
    "\"><img src=x onerror='window.caught = 1'>",
    "</textarea></title><svg onload=window.caught=1>",
    "javascript:window.caught=1",
    "{{ 7 * 7 }} {% raw %} ${7 * 7}",
    "' hx-on:click='window.caught=1' hx-get='/jobs",
    "\u202egnp.exe",
)


def write(page: Page, text: str) -> None:
    page.locator("#line-text").fill(text)
    page.locator("#line-text").press("Enter")


def test_two_browsers_correct_one_line_and_nothing_is_overwritten_unseen(
    open_page: Open, parts: Parts, job_id: str
) -> None:
    first, second = (open_page(f"/jobs/{job_id}") for _ in range(2))
    for page in (first, second):
        line(page, "Thank").click()
        expect(page.locator("#line-text")).to_have_value("Thank y0u")
    write(first, "Thank you")
    expect(line(first, "Thank you").locator(".mended")).to_be_visible()
    write(second, "Thanks a lot")
    expect(second.locator("#conflict")).to_contain_text("Thank you")
    expect(second.locator("#line-text")).to_have_value("Thanks a lot")
    first.reload()
    expect(line(first, "Thank you")).to_be_visible()
    with parts.database.read() as connection:
        assert [one.after for one in corrections.list_of(connection, job_id)] == ["Thank you"]
    second.locator("#line-text").press("Enter")
    expect(line(second, "Thanks a lot")).to_be_visible()
    with parts.database.read() as connection:
        made = corrections.list_of(connection, job_id)
    assert [(one.before, one.after) for one in made] == [("Thank y0u", "Thank you"), ("Thank you", "Thanks a lot")]


def test_nothing_that_is_sent_or_read_ever_runs(open_page: Open, parts: Parts) -> None:
    client = app_of(parts).test_client()
    ids = []
    for number, trick in enumerate(TRICKS):
        answer = client.post("/v1/jobs", query_string={"reference": trick}, data=png(400, 200 + number))
        ids.append(answer.get_json()["id"])
        result = result_of()
        for one in result["pages"][0]["lines"]:
            one |= {"text": trick, "raw_text": trick, "confidence": 0.4}
        result["text"] = "\n".join([trick] * 4)
        with parts.database.write() as connection:
            job = jobs.claim(connection, ids[-1], owner="test/1", lease_seconds=30)
            assert job is not None and job.lease_token is not None
            timings = {"total": 3.0}
            assert jobs.succeed(
                connection, job.id, job.lease_token, result=result, timings_ms=timings, reader_sha256=READER
            )
    page = open_page("/")
    files = [
        {"name": f"{trick.replace('/', '_')}.png", "mimeType": "image/png", "buffer": png(8, 300 + n)}
        for n, trick in enumerate(TRICKS)
    ]
    page.set_input_files("#files", files)  # type: ignore[arg-type]
    expect(page.locator("#rows tr[data-state=queued]")).to_have_count(len(TRICKS))
    for path in ("/", "/jobs", "/review", "/audit", "/status", *(f"/jobs/{one_id}" for one_id in ids)):
        page.goto(path)
        assert page.evaluate("window.caught") is None, path
        assert page.locator("main script, main img[src=x], main [onload], main [onerror]").count() == 0, path
    for one_id, trick in zip(ids, TRICKS, strict=True):
        page.goto(f"/jobs/{one_id}")
        assert page.locator(".words").all_inner_texts() == [trick] * 4
        page.locator("button.line").first.click()
        expect(page.locator("#line-text")).to_have_value(trick)
        write(page, f"{trick}!")
        expect(page.locator(".mended")).to_have_count(1)
        assert page.evaluate("window.caught") is None
