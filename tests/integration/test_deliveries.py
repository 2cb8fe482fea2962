"""The life of a delivery, on SQLite and PostgreSQL alike: each transition, and each that is refused."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select, update

from shared import errors, jobs, tables
from shared.audit import trail
from shared.database import Database, database_now
from shared.jobs import Job, Submission
from shared.migrations import migrate
from shared.webhooks import deliveries, endpoints
from shared.webhooks.record import JOB_URLS, SCHEDULE_SECONDS, Delivery, DeliveryState, Endpoint, Outcome
from tests.actors import BOX, CLIENT

MODEL = {"name": "m", "version": "1", "sha256": "cd" * 32}
RESULT = {"text": "发票", "confidence": 0.9, "min_confidence": 0.8, "model": MODEL, "pages": []}
OWNER = "node/1"
URL = "https://hooks.example/a"
TAKEN = Outcome(status=204, address="192.0.2.1", answer="", duration_ms=12)
BROKEN = Outcome(status=500, answer="后端出错", duration_ms=3)


def create(database: Database, *event_types: str, url: str = URL) -> Endpoint:
    with database.write() as connection:
        return endpoints.create(connection, url=url, event_types=event_types, actor=CLIENT, box=BOX)[0]


def claimed_job(database: Database, submission: Submission, *, max_attempts: int = 4) -> Job:
    with database.write() as connection:
        job = jobs.submit(connection, submission, max_attempts=max_attempts)
        claimed = jobs.claim(connection, job.id, owner=OWNER, lease_seconds=30)
    assert claimed is not None
    return claimed


def succeed(database: Database, job: Job) -> None:
    with database.write() as connection:
        assert jobs.succeed(connection, job.id, str(job.lease_token), result=RESULT, timings_ms={})


def of_job(database: Database, job: Job) -> list[Delivery]:
    with database.read() as connection:
        return deliveries.list_deliveries(connection, job_id=job.id)


def planned(database: Database, submission: Submission) -> Delivery:
    """A delivery that is due, to an endpoint of its own."""
    create(database)
    job = claimed_job(database, submission)
    succeed(database, job)
    (delivery,) = of_job(database, job)
    return delivery


def claim(database: Database, delivery: Delivery, *, lease_seconds: float = 60) -> Delivery | None:
    with database.write() as connection:
        found = deliveries.claim(connection, [delivery.id], lease_seconds=lease_seconds)
    return found[0] if found else None


def claimed(database: Database, delivery: Delivery, *, lease_seconds: float = 60) -> Delivery:
    found = claim(database, delivery, lease_seconds=lease_seconds)
    assert found is not None
    return found


def finish(database: Database, delivery: Delivery, outcome: Outcome) -> DeliveryState | None:
    with database.write() as connection:
        return deliveries.finish(connection, delivery, outcome)


def again(database: Database, delivery: Delivery) -> Delivery:
    with database.read() as connection:
        found = deliveries.get(connection, delivery.id)
    assert found is not None
    return found


def make_due(database: Database, delivery: Delivery) -> None:
    with database.write() as connection:
        which = tables.deliveries.c.id == delivery.id
        connection.execute(update(tables.deliveries).where(which).values(due_at=database_now(-1)))


def due(database: Database, **given: Any) -> list[str]:
    with database.read() as connection:
        return [delivery_id for delivery_id, _ in deliveries.due(connection, limit=100, **given)]


def attempts(database: Database, delivery: Delivery) -> list[tuple[int, int | None, str | None]]:
    with database.read() as connection:
        found = deliveries.list_attempts(connection, delivery.id)
    return [(attempt.number, attempt.status, attempt.error) for attempt in found]


def events_of(database: Database, delivery: Delivery) -> list[str]:
    with database.read() as connection:
        events = trail.list_events(connection, limit=200)
    return [event.event for event in reversed(events) if event.subject == delivery.id]


def test_the_end_of_a_job_plans_one_delivery_for_each_endpoint_that_wants_it(
    database: Database, submission: Submission
) -> None:
    every, only_good = create(database), create(database, "job.succeeded")
    create(database, "job.failed")
    job = claimed_job(database, replace(submission, reference="发票 7"))
    succeed(database, job)
    found = of_job(database, job)
    assert {delivery.endpoint_id for delivery in found} == {every.id, only_good.id}
    assert {(d.event_type, d.state, d.attempt, d.url) for d in found} == {("job.succeeded", "queued", 0, URL)}
    payload = found[0].payload
    assert payload["type"] == "job.succeeded"
    assert (payload["data"]["id"], payload["data"]["state"]) == (job.id, "succeeded")
    assert payload["data"]["reference"] == "发票 7"
    assert payload["data"]["result"] is None, "the text is fetched, not sent"


def test_a_job_that_fails_for_good_is_told_and_one_that_is_tried_again_is_not(
    database: Database, submission: Submission
) -> None:
    create(database)
    job = claimed_job(database, submission)
    with database.write() as connection:
        assert jobs.fail(connection, job.id, str(job.lease_token), error=errors.RecognitionFailed())
    assert of_job(database, job) == []
    job = claimed_job(database, submission)
    with database.write() as connection:
        assert jobs.fail(connection, job.id, str(job.lease_token), error=errors.CorruptImage())
    (delivery,) = of_job(database, job)
    assert (delivery.event_type, delivery.payload["data"]["error"]["code"]) == ("job.failed", "corrupt_image")


def test_a_job_whose_workers_all_died_is_told_as_failed(database: Database, submission: Submission) -> None:
    create(database)
    job = claimed_job(database, submission, max_attempts=1)
    with database.write() as connection:
        assert jobs.release(connection, owner=OWNER, reason="crash") == [job.id]
    (delivery,) = of_job(database, job)
    assert delivery.payload["data"]["error"]["code"] == "poison_job"


def test_the_plan_is_made_with_the_end_or_not_at_all(database: Database, submission: Submission) -> None:
    create(database)
    job = claimed_job(database, submission)
    with pytest.raises(RuntimeError), database.write() as connection:
        jobs.succeed(connection, job.id, str(job.lease_token), result=RESULT, timings_ms={})
        raise RuntimeError
    assert of_job(database, job) == []
    with database.write() as connection:
        assert not jobs.succeed(connection, job.id, "an old token", result=RESULT, timings_ms={})
    assert of_job(database, job) == []


def test_the_url_of_a_job_is_told_beside_the_endpoints(database: Database, submission: Submission) -> None:
    endpoint = create(database)
    job = claimed_job(database, replace(submission, webhook="http://mine.example:8080/x"))
    assert job.webhook == "http://mine.example:8080/x"
    succeed(database, job)
    by_endpoint = {delivery.endpoint_id: delivery for delivery in of_job(database, job)}
    assert by_endpoint.keys() == {endpoint.id, JOB_URLS}
    own = by_endpoint[JOB_URLS]
    assert (own.url, own.lane) == ("http://mine.example:8080/x", "mine.example:8080")
    assert by_endpoint[endpoint.id].lane == endpoint.id


def test_a_cancelled_job_and_a_copied_result_are_told_too(database: Database, submission: Submission) -> None:
    create(database)
    job = claimed_job(database, submission)
    succeed(database, job)
    with database.write() as connection:
        copy = jobs.submit_copy(connection, submission, job.id, max_attempts=4)
        cancelled = jobs.submit(connection, submission, max_attempts=4)
        assert jobs.cancel(connection, cancelled.id, actor=CLIENT) is not None
    assert copy is not None
    (of_copy,), (of_cancelled,) = of_job(database, copy), of_job(database, cancelled)
    assert (of_copy.event_type, of_copy.payload["data"]["copied_from"]) == ("job.succeeded", job.id)
    assert of_cancelled.event_type == "job.cancelled"
    assert of_cancelled.payload["data"]["error"]["code"] == "job_cancelled"


def test_without_endpoints_nothing_is_planned(database: Database, submission: Submission) -> None:
    job = claimed_job(database, submission)
    succeed(database, job)
    assert of_job(database, job) == []


def test_an_attempt_is_on_record_before_it_is_made(database: Database, submission: Submission) -> None:
    delivery = claimed(database, planned(database, submission))
    assert (delivery.state, delivery.attempt, delivery.url) == ("running", 1, URL)
    with database.read() as connection:
        (attempt,) = deliveries.list_attempts(connection, delivery.id)
    assert (attempt.number, attempt.finished_at, attempt.status) == (1, None, None)


def test_a_delivery_that_is_taken_ends_succeeded(database: Database, submission: Submission) -> None:
    delivery = claimed(database, planned(database, submission))
    assert finish(database, delivery, TAKEN) is DeliveryState.SUCCEEDED
    assert due(database) == []
    ended = again(database, delivery)
    assert (ended.state, ended.reason, ended.lease_token) == ("succeeded", None, None)
    assert ended.finished_at is not None
    with database.read() as connection:
        (attempt,) = deliveries.list_attempts(connection, delivery.id)
    assert (attempt.status, attempt.address, attempt.duration_ms) == (204, "192.0.2.1", 12)
    assert events_of(database, delivery) == ["delivery.succeeded"]


def test_a_delivery_that_is_not_taken_waits_by_the_schedule(database: Database, submission: Submission) -> None:
    delivery = planned(database, submission)
    for step, pause_seconds in enumerate(SCHEDULE_SECONDS[1:], start=1):
        running = claimed(database, delivery)
        assert finish(database, running, BROKEN) is DeliveryState.QUEUED
        waiting = again(database, delivery)
        assert (waiting.state, waiting.step, waiting.attempt) == ("queued", step, step)
        with database.read() as connection:
            now = connection.execute(select(database_now())).scalar_one()
        assert pause_seconds - 5 < (waiting.due_at - now).total_seconds() < pause_seconds * 1.1 + 0.1
        assert due(database) == []
        make_due(database, delivery)
    assert finish(database, claimed(database, delivery), BROKEN) is DeliveryState.FAILED
    assert again(database, delivery).reason == "schedule_over"
    assert attempts(database, delivery) == [(number, 500, None) for number in range(1, 11)]
    assert events_of(database, delivery) == ["delivery.failed"]


def test_retry_after_moves_the_next_attempt_but_not_beyond_a_day(database: Database, submission: Submission) -> None:
    for asked, expected in ((600, 600), (1, 5), (10**9, 24 * 3600)):
        delivery = claimed(database, planned(database, submission))
        finish(database, delivery, Outcome(status=503, retry_after_seconds=asked))
        with database.read() as connection:
            now = connection.execute(select(database_now())).scalar_one()
        assert expected - 5 < (again(database, delivery).due_at - now).total_seconds() < expected * 1.1 + 1
        with database.write() as connection:
            deliveries.cancel(connection, delivery.endpoint_id, actor=CLIENT)
            endpoints.remove(connection, delivery.endpoint_id, actor=CLIENT)


def test_410_ends_the_delivery_and_disables_the_endpoint(database: Database, submission: Submission) -> None:
    delivery = claimed(database, planned(database, submission))
    other = claimed_job(database, submission)
    succeed(database, other)
    assert finish(database, delivery, Outcome(status=410)) is DeliveryState.FAILED
    assert again(database, delivery).reason == "gone"
    with database.read() as connection:
        endpoint = endpoints.get(connection, delivery.endpoint_id)
    assert endpoint is not None
    assert (endpoint.is_enabled, endpoint.disabled_reason) == (False, "gone")
    assert due(database) == [], "what is queued for it waits"
    job = claimed_job(database, submission)
    succeed(database, job)
    assert of_job(database, job) == [], "and nothing more is planned"
    with database.write() as connection:
        endpoints.enable(connection, endpoint.id, actor=CLIENT)
    assert due(database) == [of_job(database, other)[0].id], "until it is enabled again"


def test_410_from_the_url_of_a_job_ends_that_delivery_alone(database: Database, submission: Submission) -> None:
    job = claimed_job(database, replace(submission, webhook=URL))
    succeed(database, job)
    delivery = claimed(database, of_job(database, job)[0])
    assert finish(database, delivery, Outcome(status=410)) is DeliveryState.FAILED
    with database.read() as connection:
        built_in = endpoints.get(connection, JOB_URLS)
    assert built_in is not None
    assert built_in.is_enabled


def test_of_two_sweepers_one_gets_each_delivery(database: Database, submission: Submission) -> None:
    create(database)
    for _ in range(20):
        succeed(database, claimed_job(database, submission))
    ids = due(database)
    won: list[str] = []

    def sweep() -> None:
        other = Database(database.url.render_as_string(hide_password=False))
        for start in range(0, len(ids), 5):
            with other.write() as connection:
                won.extend(d.id for d in deliveries.claim(connection, ids[start : start + 5], lease_seconds=60))
        other.close()

    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == sorted(ids)
    with database.read() as connection:
        count = connection.execute(select(func.count()).select_from(tables.delivery_attempts)).scalar_one()
    assert count == len(ids), "one attempt for each, asserted in SQL"


def test_a_claim_is_refused_while_it_is_not_due_and_when_it_has_ended(
    database: Database, submission: Submission
) -> None:
    delivery = claimed(database, planned(database, submission))
    assert claim(database, delivery) is None
    finish(database, delivery, BROKEN)
    assert claim(database, delivery) is None
    make_due(database, delivery)
    finish(database, claimed(database, delivery), TAKEN)
    make_due(database, delivery)
    assert claim(database, delivery) is None


def test_the_delivery_of_a_sweeper_that_died_is_due_at_once_at_the_same_step(
    database: Database, submission: Submission
) -> None:
    lost = claimed(database, planned(database, submission), lease_seconds=-1)
    with database.write() as connection:
        assert deliveries.has_expired(connection)
        assert deliveries.expire(connection) == [lost.id]
        assert deliveries.expire(connection) == []
    assert due(database) == [lost.id]
    second = claimed(database, lost)
    assert (second.attempt, second.step) == (2, 0)
    assert finish(database, lost, TAKEN) is None, "its late outcome is refused"
    assert finish(database, second, TAKEN) is DeliveryState.SUCCEEDED
    assert attempts(database, lost) == [(1, None, "interrupted"), (2, 204, None)]


def test_a_sweeper_that_stops_gives_back_what_it_holds(database: Database, submission: Submission) -> None:
    delivery = claimed(database, planned(database, submission))
    with database.write() as connection:
        assert deliveries.release(connection, [delivery]) == [delivery.id]
        assert deliveries.release(connection, []) == []
    assert due(database) == [delivery.id]


def test_a_deleted_endpoint_cancels_what_is_left_to_do(database: Database, submission: Submission) -> None:
    delivery = claimed(database, planned(database, submission))
    job = claimed_job(database, submission)
    succeed(database, job)
    with database.write() as connection:
        assert endpoints.remove(connection, delivery.endpoint_id, actor=CLIENT)
        assert len(deliveries.cancel(connection, delivery.endpoint_id, actor=CLIENT)) == 2
    assert finish(database, delivery, BROKEN) is None
    ended = again(database, delivery)
    assert (ended.state, ended.reason) == ("cancelled", "endpoint_deleted")
    assert events_of(database, delivery) == ["delivery.cancelled"]
    assert due(database) == []


def test_a_delivery_that_ended_can_be_sent_again_under_its_old_id(database: Database, submission: Submission) -> None:
    delivery = claimed(database, planned(database, submission))
    with database.write() as connection:
        assert deliveries.redeliver(connection, delivery.id, actor=CLIENT) is None, "an attempt is under way"
    finish(database, delivery, TAKEN)
    with database.write() as connection:
        queued = deliveries.redeliver(connection, delivery.id, actor=CLIENT)
    assert queued is not None
    assert (queued.id, queued.state, queued.step, queued.finished_at) == (delivery.id, "queued", 0, None)
    second = claimed(database, queued)
    assert second.attempt == 2
    assert finish(database, second, BROKEN) is DeliveryState.QUEUED
    assert events_of(database, delivery) == ["delivery.succeeded", "delivery.redelivered"]


def test_a_change_of_the_url_also_counts_for_what_is_queued(database: Database, submission: Submission) -> None:
    delivery = planned(database, submission)
    with database.write() as connection:
        endpoints.change(connection, delivery.endpoint_id, url="https://new.example/", actor=CLIENT)
    assert claimed(database, delivery).url == "https://new.example/"


def test_a_ping_is_attempted_once(database: Database) -> None:
    endpoint = create(database, "job.failed")
    with database.write() as connection:
        ping = deliveries.plan_ping(connection, endpoint)
    assert (ping.event_type, ping.job_id, ping.payload["data"]) == ("ping", None, {"endpoint_id": endpoint.id})
    assert finish(database, claimed(database, ping), BROKEN) is DeliveryState.FAILED


def test_busy_lanes_are_passed_over(database: Database, submission: Submission) -> None:
    first, second = create(database), create(database)
    succeed(database, claimed_job(database, submission))
    with database.read() as connection:
        found = deliveries.due(connection, limit=10, busy_lanes={first.id})
    assert [lane for _, lane in found] == [second.id]


def test_old_deliveries_leave_the_log_with_their_attempts(database: Database, submission: Submission) -> None:
    delivery = claimed(database, planned(database, submission))
    succeed(database, claimed_job(database, submission))
    finish(database, delivery, TAKEN)
    with database.write() as connection:
        assert deliveries.purge(connection, older_than_seconds=3600) == 0
        connection.execute(update(tables.deliveries).values(finished_at=None))
        which = tables.deliveries.c.id == delivery.id
        connection.execute(update(tables.deliveries).where(which).values(finished_at=database_now(-7200)))
        assert deliveries.purge(connection, older_than_seconds=3600) == 1
    assert attempts(database, delivery) == []
    assert len(due(database)) == 1, "what is still to be delivered stays, however old it is"


def test_secrets_overlap_while_they_are_rotated(database: Database) -> None:
    with database.write() as connection:
        endpoint, first = endpoints.create(connection, url=URL, actor=CLIENT, box=BOX)
        second = endpoints.rotate_secret(connection, endpoint.id, overlap_seconds=3600, actor=CLIENT, box=BOX)
        assert endpoints.secrets_of(connection, [endpoint.id], box=BOX) == {endpoint.id: [second, first]}
        third = endpoints.rotate_secret(connection, endpoint.id, overlap_seconds=0, actor=CLIENT, box=BOX)
        assert endpoints.secrets_of(connection, [endpoint.id], box=BOX) == {endpoint.id: [third, first]}
        many = [
            endpoints.rotate_secret(connection, endpoint.id, overlap_seconds=60, actor=CLIENT, box=BOX)
            for _ in range(9)
        ]
        assert endpoints.secrets_of(connection, [endpoint.id], box=BOX)[endpoint.id] == many[:-6:-1], (
            "no more than five"
        )


def test_each_installation_has_a_secret_of_its_own_for_the_urls_of_jobs(tmp_path: Any) -> None:
    found = []
    for name in ("one", "two"):
        database = Database(f"sqlite:///{tmp_path / name}.sqlite3")
        migrate(database)
        with database.read() as connection:
            found += endpoints.secrets_of(connection, [JOB_URLS], box=BOX)[JOB_URLS]
        database.close()
    assert len(set(found)) == 2
