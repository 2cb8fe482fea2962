"""Who did it, on both databases: what a client orders names the client, what is done for a job names its submitter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Connection, select

from shared import errors, jobs, keys, tables
from shared.audit import actor, trail, verify
from shared.audit.actor import OPERATOR, SWEEPER
from shared.audit.chain import Sealer
from shared.database import Database
from shared.jobs import Submission
from shared.keys.record import Scope
from shared.webhooks import deliveries, endpoints
from shared.webhooks.record import Outcome
from tests.actors import BOX

ADMIN = actor.client("key_admin", "192.0.2.9")
BY_ADMIN = ("client", "key_admin", "192.0.2.9")
WORKER = "n/1"
MODEL = {"name": "m", "version": "1", "sha256": "cd" * 32}
RESULT = {"text": "", "confidence": 0.9, "min_confidence": 0.8, "model": MODEL, "pages": []}
MINE = ("key_mine", "127.0.0.1")


@pytest.fixture
def mine(submission: Submission) -> Submission:
    return replace(submission, key_id="key_mine")


def who(connection: Connection, event: str) -> list[tuple[str, str | None, str | None]]:
    """Actor, key and address of each event of this name, the oldest first."""
    found = [one for one in trail.list_events(connection) if one.event == event]
    return [(one.actor, one.key_id, one.client_ip) for one in reversed(found)]


def ended(connection: Connection, submission: Submission) -> str:
    job = jobs.submit(connection, submission, max_attempts=1)
    claimed = jobs.claim(connection, job.id, owner=WORKER, lease_seconds=30)
    assert claimed is not None
    assert jobs.fail(connection, job.id, str(claimed.lease_token), error=errors.CorruptImage())
    return job.id


ORDERS: dict[str, Callable[[Connection, str], object]] = {
    trail.Event.REQUEUED: lambda c, job_id: jobs.retry(c, job_id, attempts=1, is_published=True, actor=ADMIN),
    trail.Event.CANCELLED: lambda c, job_id: jobs.cancel(c, job_id, actor=ADMIN),
    trail.Event.DELETED: lambda c, job_id: jobs.erase(c, job_id, actor=ADMIN),
}


def test_an_order_names_who_gave_it_and_not_who_submitted_the_job(database: Database, mine: Submission) -> None:
    with database.write() as connection:
        job_id = ended(connection, mine)
        for order in ORDERS.values():
            assert order(connection, job_id) is not None
        for event in ORDERS:
            assert who(connection, event) == [BY_ADMIN], event
        assert who(connection, trail.Event.SUBMITTED) == [("client", *MINE)]


def test_who_asks_without_a_key_is_not_taken_for_the_submitter(database: Database, mine: Submission) -> None:
    with database.write() as connection:
        job = jobs.submit(connection, mine, max_attempts=1)
        jobs.cancel(connection, job.id, actor=actor.client(None, None))
        assert who(connection, trail.Event.CANCELLED) == [("client", None, None)]


def test_what_is_done_for_a_job_names_its_submitter(database: Database, mine: Submission) -> None:
    with database.write() as connection:
        job_id = ended(connection, mine)
        jobs.retry(connection, job_id, attempts=2, is_published=True, actor=ADMIN)
        jobs.claim(connection, job_id, owner=WORKER, lease_seconds=-1)
    with database.write() as connection:
        assert jobs.expire(connection) == [job_id]
        jobs.claim(connection, job_id, owner=WORKER, lease_seconds=30)
        assert jobs.release_node(connection, node="n", reason="shutdown") == [job_id]
        claimed = jobs.claim(connection, job_id, owner=WORKER, lease_seconds=30)
        assert claimed is not None
        assert jobs.succeed(connection, job_id, str(claimed.lease_token), result=RESULT, timings_ms={})
        copy = jobs.submit_copy(connection, replace(mine, key_id="key_other"), job_id, max_attempts=1)
        assert copy is not None
        jobs.erase(connection, job_id, actor=SWEEPER)
        assert set(who(connection, trail.Event.CLAIMED)) == {(WORKER, *MINE)}
        assert who(connection, trail.Event.FAILED) == [(WORKER, *MINE)]
        assert who(connection, trail.Event.EXPIRED) == [("sweeper", *MINE)]
        assert who(connection, trail.Event.RELEASED) == [("n", *MINE)]
        assert who(connection, trail.Event.SUCCEEDED) == [(WORKER, *MINE), (job_id, "key_other", "127.0.0.1")]
        assert who(connection, trail.Event.DELETED) == [("sweeper", *MINE)]


def test_each_change_of_an_endpoint_and_its_deliveries_names_who_made_it(database: Database, mine: Submission) -> None:
    with database.write() as connection:
        endpoint, _ = endpoints.create(connection, url="https://hooks.example/", actor=ADMIN, box=BOX)
        endpoints.change(connection, endpoint.id, description="ours", actor=ADMIN)
        endpoints.disable(connection, endpoint.id, reason="operator", actor=ADMIN)
        endpoints.enable(connection, endpoint.id, actor=ADMIN)
        endpoints.rotate_secret(connection, endpoint.id, overlap_seconds=0, actor=ADMIN, box=BOX)
        ended(connection, mine)
        planned = connection.execute(select(tables.deliveries.c.id)).scalar_one()
        (claimed,) = deliveries.claim(connection, [planned], lease_seconds=30)
        deliveries.finish(connection, claimed, Outcome(status=410))
        deliveries.redeliver(connection, planned, actor=ADMIN)
        endpoints.remove(connection, endpoint.id, actor=ADMIN)
        deliveries.cancel(connection, endpoint.id, actor=ADMIN)
        for event in ("endpoint.created", "endpoint.secret_rotated", "endpoint.deleted"):
            assert who(connection, event) == [BY_ADMIN], event
        assert who(connection, trail.Event.ENDPOINT_CHANGED) == [BY_ADMIN] * 2
        assert who(connection, trail.Event.ENDPOINT_DISABLED) == [BY_ADMIN, ("sweeper", None, None)]
        assert who(connection, trail.Event.REDELIVERED) == who(connection, trail.Event.DELIVERY_CANCELLED) == [BY_ADMIN]
        assert who(connection, trail.Event.DELIVERY_FAILED) == [("sweeper", None, None)]


def test_each_change_of_a_key_names_who_made_it(database: Database) -> None:
    with database.write() as connection:
        for somebody in (OPERATOR, ADMIN):
            key, _ = keys.create(connection, name="k", scopes=[Scope.READ], actor=somebody)
            keys.rotate(connection, key.id, grace_seconds=0, actor=somebody)
            keys.revoke(connection, key.id, actor=somebody)
        for event in (trail.Event.KEY_CREATED, trail.Event.KEY_ROTATED, trail.Event.KEY_REVOKED):
            assert who(connection, event) == [("operator", None, None), BY_ADMIN], event


def test_a_trail_with_actors_is_sealed_and_found_by_their_address(database: Database, mine: Submission) -> None:
    with database.write() as connection:
        job = jobs.submit(connection, mine, max_attempts=1)
        jobs.cancel(connection, job.id, actor=ADMIN)
        events = tables.audit_events.c
        found = connection.execute(select(events.event).where(events.client_ip == ADMIN.address, events.ip_key != ""))
        assert found.scalars().all() == [trail.Event.CANCELLED]
    Sealer(database).seal()
    report = verify.verify(database)
    assert (report.broken, report.event_count) == (None, 2)
