"""Lines that a worker reads in company: each ends as it would alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image, ImageDraw
from sqlalchemy import event, update

import models
from shared import jobs, registry
from shared.audit import trail
from shared.audit.actor import OPERATOR
from shared.database import Database, database_now
from shared.jobs import State, company
from shared.registry.record import Role
from shared.tables import jobs as table
from tests.actors import CLIENT
from tests.images import saved
from tests.unit.worker.test_work import OWNER, Interrupting, found, place, recognizer, submit
from worker.jobs import work as working
from worker.jobs.readers import Workplace
from worker.jobs.work import ModelsChanged, work
from worker.ocr.text import looks

__all__ = ["place", "recognizer"]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, what a test submits lies near together."""
    monkeypatch.setattr(company, "LATER_MILLISECONDS", 600_000)


@pytest.fixture(autouse=True)
def one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line is looked at once, so that the tests can count lines."""
    monkeypatch.setattr(looks, "SHAPES", ())


def line(number: int) -> bytes:
    image = Image.new("L", (260 + 20 * number, 40), 255)
    ImageDraw.Draw(image).text((10, 10), f"Total {number}2.50", fill=0)
    return saved(image)


def at_line(number: int, happens: Callable[[], None], recognizer: models.Recognizer) -> Any:
    """A recogniser in which something happens as the line of this number is read."""
    seen: list[int] = []

    def look() -> None:
        seen.append(len(seen) + 1)
        if len(seen) == number:
            happens()

    return Interrupting(recognizer, look)


def states(place: Workplace, job_ids: list[str]) -> list[State]:
    return [found(place, job_id).state for job_id in job_ids]


def commits(database: Database) -> list[None]:
    counted: list[None] = []
    event.listen(database._writer, "commit", lambda _: counted.append(None))
    return counted


def test_one_message_is_the_end_of_all_that_wait(
    place: Workplace, recognizer: models.Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "TOGETHER_SECONDS", math.inf)
    monkeypatch.setattr(working, "STAY_SECONDS", 0.0)  # nor does it look whether more has come
    job_ids = [submit(place, line(number)) for number in range(5)]
    before = commits(place.database)
    job = work(job_ids[0], recognizer, place, owner=OWNER)
    assert job is not None and job.id == job_ids[0]
    assert len(before) == 2, "all are claimed in one transaction, and end in one"
    assert states(place, job_ids) == [State.SUCCEEDED] * 5
    for job_id in job_ids:
        with place.database.read() as connection:
            told = [one.event for one in reversed(trail.list_events(connection, job_id=job_id))]
        assert told == [trail.Event.SUBMITTED, trail.Event.CLAIMED, trail.Event.SUCCEEDED]
        assert work(job_id, recognizer, place, owner=OWNER) is None, "its own message finds nothing to do"


class Telling:
    """Remembers what was told, message by message."""

    def __init__(self) -> None:
        self.told: list[list[str]] = []

    def tell(self, job_ids: Sequence[str]) -> None:
        self.told.append(list(job_ids))


def test_the_ends_of_a_company_are_told_in_one_message(
    place: Workplace, recognizer: models.Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "TOGETHER_SECONDS", math.inf)
    news = Telling()
    job_ids = [submit(place, line(number)) for number in range(4)]
    work(job_ids[0], recognizer, replace(place, news=news), owner=OWNER)  # type: ignore[arg-type]
    assert news.told == [job_ids]


def test_what_is_read_does_not_depend_on_the_company(place: Workplace, recognizer: models.Recognizer) -> None:
    alone = []
    for number in range(6):
        alone.append(submit(place, line(number)))
        work(alone[-1], recognizer, place, owner=OWNER)
    together = [submit(place, line(number)) for number in (5, 2, 0, 4, 1, 3)]
    work(together[0], recognizer, place, owner=OWNER)
    for job_id, number in zip(together, (5, 2, 0, 4, 1, 3), strict=True):
        assert found(place, job_id).result == found(place, alone[number]).result


def test_one_broken_image_fails_its_own_job_alone(place: Workplace, recognizer: models.Recognizer) -> None:
    job_ids = [submit(place, line(0)), submit(place, line(1)[:200]), submit(place, line(2))]
    work(job_ids[0], recognizer, place, owner=OWNER)
    assert states(place, job_ids) == [State.SUCCEEDED, State.FAILED, State.SUCCEEDED]
    assert (found(place, job_ids[1]).error or {})["code"] == "truncated_image"


def test_a_recognition_that_breaks_off_is_tried_again_alone(place: Workplace, recognizer: models.Recognizer) -> None:
    def crash() -> None:
        raise ZeroDivisionError("somewhere deep")

    job_ids = [submit(place, line(number)) for number in range(3)]
    work(job_ids[0], at_line(2, crash, recognizer), place, owner=OWNER)
    assert states(place, job_ids) == [State.SUCCEEDED, State.QUEUED, State.SUCCEEDED]
    assert found(place, job_ids[1]).attempt == 1


def test_a_job_that_is_cancelled_in_company_stays_cancelled(place: Workplace, recognizer: models.Recognizer) -> None:
    def cancel() -> None:
        with place.database.write() as connection:
            jobs.cancel(connection, job_ids[2], actor=CLIENT)

    job_ids = [submit(place, line(number)) for number in range(4)]
    work(job_ids[0], at_line(2, cancel, recognizer), place, owner=OWNER)
    assert states(place, job_ids) == [State.SUCCEEDED, State.SUCCEEDED, State.CANCELLED, State.SUCCEEDED]
    assert found(place, job_ids[2]).result is None


def test_what_is_read_waits_only_so_long_for_its_company(
    place: Workplace, recognizer: models.Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first is on record while the third is read."""
    seen: list[list[State]] = []
    monkeypatch.setattr(working, "TOGETHER_SECONDS", 0.0)
    job_ids = [submit(place, line(number)) for number in range(3)]
    look = at_line(3, lambda: seen.append(states(place, job_ids)), recognizer)
    work(job_ids[0], look, place, owner=OWNER)
    assert seen == [[State.SUCCEEDED, State.SUCCEEDED, State.RUNNING]]


@pytest.mark.parametrize(("seconds", "done"), [(math.inf, 20), (0.0, company.MOST)])
def test_a_worker_stays_with_lines_for_a_while(
    place: Workplace, recognizer: models.Recognizer, monkeypatch: pytest.MonkeyPatch, seconds: float, done: int
) -> None:
    monkeypatch.setattr(working, "STAY_SECONDS", seconds)
    job_ids = [submit(place, line(number % 3)) for number in range(20)]
    work(job_ids[0], recognizer, place, owner=OWNER)
    assert states(place, job_ids) == [State.SUCCEEDED] * done + [State.QUEUED] * (20 - done)


def test_what_cannot_be_written_together_is_written_one_by_one(
    place: Workplace, recognizer: models.Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, refused = jobs.succeed, submit(place, line(1))

    def succeed(connection: Any, job_id: str, *token: str, **given: Any) -> bool:
        if job_id == refused:
            raise ValueError("no database takes this")
        return real(connection, job_id, *token, **given)

    monkeypatch.setattr(jobs, "succeed", succeed)
    others = [submit(place, line(number)) for number in (0, 2)]
    with pytest.raises(ValueError, match="no database"):
        work(others[0], recognizer, place, owner=OWNER)
    assert states(place, [*others, refused]) == [State.SUCCEEDED, State.SUCCEEDED, State.RUNNING]


def test_a_charset_of_one_job_does_not_hold_for_its_neighbours(place: Workplace, recognizer: models.Recognizer) -> None:
    job_ids = [submit(place, line(1)), submit(place, line(1), charset="digits"), submit(place, line(1))]
    work(job_ids[0], recognizer, place, owner=OWNER)
    assert states(place, job_ids) == [State.SUCCEEDED, State.QUEUED, State.SUCCEEDED]


def test_the_deadline_of_one_ends_it_alone(place: Workplace, recognizer: models.Recognizer) -> None:
    def lapse() -> None:
        with place.database.write() as connection:
            connection.execute(update(table).where(table.c.id == job_ids[1]).values(deadline_at=database_now(-1)))
            jobs.lapse(connection)

    job_ids = [submit(place, line(number)) for number in range(3)]
    work(job_ids[0], at_line(2, lapse, recognizer), place, owner=OWNER)
    assert states(place, job_ids) == [State.SUCCEEDED, State.FAILED, State.SUCCEEDED]
    assert (found(place, job_ids[1]).error or {})["code"] == "deadline_exceeded"


def activate(place: Workplace) -> int:
    with place.database.write() as connection:
        told = {"kind": "recogniser", "version": "1", "card": {}, "path": "/models/own"}
        registry.note(connection, name="own", sha256="5" * 64, actor=OPERATOR, **told)  # type: ignore[arg-type]
        model = registry.find(connection, "own")
        assert model is not None
        return registry.activate(connection, model, Role.RECOGNISER, actor=OPERATOR).number


def test_nothing_is_claimed_for_a_model_of_before(place: Workplace, recognizer: models.Recognizer) -> None:
    """However late the order came: a job that was sent after it is never read by what was active before."""
    job_ids = [submit(place, line(number)) for number in range(2)]
    number = activate(place)
    with pytest.raises(ModelsChanged):
        work(job_ids[0], recognizer, place, owner=OWNER)
    assert states(place, job_ids) == [State.QUEUED, State.QUEUED]
    assert found(place, job_ids[0]).attempt == 0
    work(job_ids[0], recognizer, replace(place, generation=number), owner=OWNER)
    assert states(place, job_ids) == [State.SUCCEEDED, State.SUCCEEDED]


def test_a_worker_stays_no_longer_with_lines_once_another_model_is_active(
    place: Workplace, recognizer: models.Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "STAY_SECONDS", math.inf)
    job_ids = [submit(place, line(number % 3)) for number in range(20)]
    work(job_ids[0], at_line(3, lambda: activate(place), recognizer), place, owner=OWNER)
    assert states(place, job_ids) == [State.SUCCEEDED] * company.MOST + [State.QUEUED] * (20 - company.MOST)
