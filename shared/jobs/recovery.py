"""Taking jobs back from workers that crashed, stopped or fell silent. Called as ``jobs.release``, ``jobs.expire``."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from shared import errors
from shared.audit import trail
from shared.audit.actor import SWEEPER, Actor, worker
from shared.database import AnyRow, database_now
from shared.jobs.moves import NO_LEASE, held, move, queued_again, record
from shared.jobs.queries import is_state
from shared.jobs.record import State
from shared.tables import jobs

TIME_LIMIT: Literal["time limit"] = "time limit"
"""Why a job was given back: it would only take as long again, so it ends failed at once."""

_LIMIT = 500


def release(connection: Connection, *, owner: str, reason: Literal["crash", "shutdown", "time limit"]) -> list[str]:
    """Give back what an owner holds: it crashed, or it shuts down before it could finish.

    After a crash the attempt counts, and the last one ends as ``poison_job``; after an orderly shutdown the attempt
    is given back, since the job is not to blame. After the time limit it ends failed: it would only take as long again;
    but of a company nobody knows which job took so long, so it counts as a crash, and each is tried again, alone.

    Returns:
        Ids of the jobs that were moved.
    """
    return _restore(connection, jobs.c.owner == owner, "release", actor=worker(owner), reason=reason)


def release_node(connection: Connection, *, node: str, reason: Literal["crash", "shutdown"]) -> list[str]:
    """Give back what all workers of a node hold. Only for who knows that none of them is alive. See ``release``."""
    mine = jobs.c.owner.startswith(node + "/", autoescape=True)
    return _restore(connection, mine, "release", actor=worker(node), reason=reason)


def has_expired(connection: Connection) -> bool:
    """Return whether any lease has run out. Reading only, so that a sweeper with nothing to do locks nothing."""
    query = select(jobs.c.id).where(is_state(State.RUNNING), jobs.c.lease_until < database_now()).limit(1)
    return connection.execute(query).first() is not None


def expire(connection: Connection) -> list[str]:
    """Take back every lease that has run out: queued again, or ended as ``poison_job`` at the last attempt.

    Returns:
        Ids of the jobs that were moved.
    """
    silent = jobs.c.lease_until < database_now()
    return _restore(connection, silent, "expire", actor=SWEEPER, reason="lease expired")


def has_lapsed(connection: Connection) -> bool:
    """Return whether any open job is past its deadline. Reading only, as ``has_expired``."""
    return connection.execute(select(jobs.c.id).where(_is_late()).limit(1)).first() is not None


def lapse(connection: Connection) -> list[str]:
    """End every open job whose deadline has passed: nobody claims it, and a worker that has it loses it.

    Returns:
        Ids of the jobs that were moved.
    """
    found = connection.execute(select(jobs.c.id).where(_is_late()).limit(_LIMIT)).scalars().all()
    moved = []
    for job_id in found:
        error = errors.DeadlineExceeded()
        values = {"finished_at": database_now(), "error": error.to_json(), **NO_LEASE}
        row = move(connection, "lapse", State.FAILED, and_(jobs.c.id == job_id, _is_late()), **values)
        if row is not None:
            record(connection, row, trail.Event.FAILED, actor=SWEEPER, code=error.code)
            moved.append(str(row.id))
    return moved


def _is_late() -> ColumnElement[bool]:
    return and_(or_(is_state(State.QUEUED), is_state(State.RUNNING)), jobs.c.deadline_at < database_now())


def _restore(
    connection: Connection, condition: ColumnElement[bool], name: str, *, actor: Actor, reason: str
) -> list[str]:
    found = connection.execute(
        select(jobs.c.id, jobs.c.lease_token, jobs.c.attempt, jobs.c.max_attempts)
        .where(is_state(State.RUNNING), condition)
        .limit(_LIMIT)
        .with_for_update(skip_locked=True)
    ).all()
    if reason == TIME_LIMIT and len(found) > 1:
        reason = "crash"
    moved = [_restore_one(connection, row, name, actor=actor, reason=reason) for row in found]
    return [job_id for job_id in moved if job_id is not None]


def _restore_one(connection: Connection, found: AnyRow, name: str, *, actor: Actor, reason: str) -> str | None:
    mine = held(found.id, found.lease_token)
    given_back = 1 if reason == "shutdown" else 0
    final: errors.JobError = errors.PoisonJob(attempts=found.attempt, last=reason)
    if reason == TIME_LIMIT:
        final = errors.TimeLimitExceeded()
    if reason != TIME_LIMIT and found.attempt - given_back < found.max_attempts:
        attempt = jobs.c.attempt - given_back
        row = move(connection, name, State.QUEUED, mine, **queued_again(None), attempt=attempt)
        event, code = (trail.Event.EXPIRED if name == "expire" else trail.Event.RELEASED), None
    else:
        values = {"finished_at": database_now(), "error": final.to_json(), **NO_LEASE}
        row = move(connection, name, State.FAILED, mine, **values)
        event, code = trail.Event.FAILED, final.code
    if row is None:
        return None
    record(connection, row, event, actor=actor, code=code)
    return str(row.id)
