"""A document of several pages in a worker: stored page by page, resumed, cancelled between pages, handed back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image, ImageDraw

import models
from shared import jobs
from shared.audit import trail
from shared.jobs import Job, State, Submission
from tests.actors import CLIENT
from tests.pdfs import PdfPage, pdf, scan, text
from tests.unit.worker.test_work import OWNER, Interrupting, found, place, recognizer
from worker.jobs.readers import Workplace
from worker.jobs.work import work

__all__ = ["place", "recognizer"]
PAGES = 5


def page(number: int) -> PdfPage:
    image = Image.new("L", (300, 40), 255)
    ImageDraw.Draw(image).text((10, 10), f"Total {number}2.50", fill=0)
    return scan(image, 72)


DOCUMENT = pdf([page(number) for number in range(1, PAGES + 1)])


def submit(place: Workplace, content: bytes = DOCUMENT, count: int = PAGES, **options: object) -> str:
    submission = Submission(
        sha256=place.blobs.put(content),
        media_type="application/pdf",
        size_bytes=len(content),
        page_count=count,
        width=300,
        height=40,
        options={"layout": "line", **options},
        client_ip="127.0.0.1",
    )
    with place.database.write() as connection:
        return jobs.submit(connection, submission, max_attempts=4).id


def events(place: Workplace, job_id: str) -> list[str]:
    with place.database.read() as connection:
        return [event.event.removeprefix("job.") for event in reversed(trail.list_events(connection, job_id=job_id))]


def at_page(number: int, happens: Callable[[], None], recognizer: models.Recognizer) -> tuple[Any, list[int]]:
    """A recogniser in which something happens at a page; and the pages that it has seen."""
    seen: list[int] = []

    def look() -> None:
        seen.append(len(seen) + 1)
        if len(seen) == number:
            happens()

    return Interrupting(recognizer, look), seen


def whole(place: Workplace, recognizer: models.Recognizer) -> dict[str, Any]:
    job_id = submit(place)
    work(job_id, recognizer, place, owner=OWNER)
    result = found(place, job_id).result
    assert result is not None
    return result


def test_each_page_is_stored_as_it_is_done(place: Workplace, recognizer: models.Recognizer) -> None:
    counts: list[int] = []
    job_id = submit(place)
    work(job_id, Interrupting(recognizer, lambda: counts.append(found(place, job_id).pages_done)), place, owner=OWNER)
    job = found(place, job_id)
    assert counts == [0, 1, 2, 3, 4]
    assert (job.state, job.pages_done, job.pages_total, job.attempt) == (State.SUCCEEDED, PAGES, PAGES, 1)
    assert [one["page_number"] for one in (job.result or {})["pages"]] == [1, 2, 3, 4, 5]
    assert (job.timings_ms or {})["decode"] > 0
    assert events(place, job_id) == ["submitted", "claimed", "succeeded"]


def crash() -> None:
    raise ZeroDivisionError


def test_an_attempt_that_breaks_off_loses_no_page_that_was_done(
    place: Workplace, recognizer: models.Recognizer
) -> None:
    job_id = submit(place)
    work(job_id, at_page(4, crash, recognizer)[0], place, owner=OWNER)
    assert (found(place, job_id).state, found(place, job_id).pages_done) == (State.QUEUED, 3)
    with place.database.write() as connection:
        jobs.cancel(connection, job_id, actor=CLIENT)
        jobs.retry(connection, job_id, attempts=2, is_published=False, actor=CLIENT)  # at once, without the pause
    reader, seen = at_page(0, crash, recognizer)
    work(job_id, reader, place, owner=OWNER)
    assert len(seen) == 2, "pages 4 and 5"
    assert found(place, job_id).result == whole(place, recognizer)


def test_a_lease_that_is_lost_in_the_middle_loses_no_page_that_was_done(
    place: Workplace, recognizer: models.Recognizer
) -> None:
    def lose() -> None:
        with place.database.write() as connection:
            jobs.release(connection, owner=OWNER, reason="crash")

    job_id = submit(place)
    work(job_id, at_page(3, lose, recognizer)[0], place, owner=OWNER)
    assert (found(place, job_id).state, found(place, job_id).pages_done) == (State.QUEUED, 2)
    reader, seen = at_page(0, crash, recognizer)
    work(job_id, reader, place, owner="node/other")
    assert len(seen) == 3
    assert found(place, job_id).result == whole(place, recognizer)
    assert events(place, job_id) == ["submitted", "claimed", "released", "claimed", "succeeded"]


def test_a_cancelled_job_is_left_before_the_next_page(place: Workplace, recognizer: models.Recognizer) -> None:
    def cancel() -> None:
        with place.database.write() as connection:
            jobs.cancel(connection, job_id, actor=CLIENT)

    job_id = submit(place)
    reader, seen = at_page(2, cancel, recognizer)
    work(job_id, reader, place, owner=OWNER)
    assert len(seen) == 2, "the page in hand, and no other"
    job = found(place, job_id)
    assert (job.state, job.pages_done, job.result) == (State.CANCELLED, 1, None)


def test_after_one_sitting_a_job_is_handed_back_and_goes_on(place: Workplace, recognizer: models.Recognizer) -> None:
    hasty = replace(place, sitting_seconds=0.0)
    job_id = submit(place)
    for done in range(1, PAGES):
        work(job_id, recognizer, hasty, owner=OWNER)
        job = found(place, job_id)
        assert (job.state, job.pages_done, job.attempt, job.published_at) == (State.QUEUED, done, 0, None)
    work(job_id, recognizer, hasty, owner=OWNER)
    assert found(place, job_id).result == whole(place, recognizer)
    assert events(place, job_id) == ["submitted", *["claimed", "released"] * 4, "claimed", "succeeded"]


def test_pages_that_another_reader_read_are_read_again(place: Workplace, recognizer: models.Recognizer) -> None:
    job_id = submit(place)
    work(job_id, recognizer, replace(place, sitting_seconds=0.0, reader_sha256="a" * 64), owner=OWNER)
    reader, seen = at_page(0, crash, recognizer)
    work(job_id, reader, replace(place, reader_sha256="b" * 64), owner=OWNER)
    assert len(seen) == PAGES
    assert found(place, job_id).state == State.SUCCEEDED


@pytest.mark.parametrize(("chosen", "numbers"), [("2,4-5", [2, 4, 5]), ("3", [3])])
def test_only_the_chosen_pages_are_read(
    place: Workplace, recognizer: models.Recognizer, chosen: str, numbers: list[int]
) -> None:
    job_id = submit(place, pages=chosen)
    work(job_id, recognizer, place, owner=OWNER)
    job: Job = found(place, job_id)
    assert [one["page_number"] for one in (job.result or {})["pages"]] == numbers
    assert (job.pages_done, job.pages_total) == (len(numbers), len(numbers))


def test_an_empty_document_is_refused_at_its_end_where_such_are(
    place: Workplace, recognizer: models.Recognizer
) -> None:
    content = pdf([PdfPage(b"")] * 2)
    job_id = submit(place, content, 2, layout="page")
    work(job_id, recognizer, replace(place, admission="refuse"), owner=OWNER)
    assert (found(place, job_id).error or {})["code"] == "quality_too_low"


def test_pages_from_their_text_layer_and_recognised_ones_come_together(
    place: Workplace, recognizer: models.Recognizer
) -> None:
    content = pdf([PdfPage(text("Invoice 4711", 72, 700)), page(2)])
    job_id = submit(place, content, 2, layout="auto")
    work(job_id, recognizer, place, owner=OWNER)
    result = found(place, job_id).result
    assert result is not None and result["text"].startswith("Invoice 4711")
    assert [one["source"] for one in result["pages"]] == ["text_layer", "recognition"]
