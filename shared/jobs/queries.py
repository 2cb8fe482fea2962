"""Questions about jobs. Reading only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, ScalarSelect, and_, bindparam, func, literal_column, or_, select

from shared.database import AnyRow, database_now
from shared.jobs.record import FINAL_STATES, Job, State
from shared.jobs.stored_result import from_stored
from shared.options import PRIORITIES
from shared.tables import api_keys, jobs, results

_GET = select(jobs, results.c.document).join_from(jobs, results, isouter=True).where(jobs.c.id == bindparam("of_job"))


def get(connection: Connection, job_id: str) -> Job | None:
    """Return the job with its result (once succeeded) and its queue position (while queued), or None."""
    row = connection.execute(_GET, {"of_job": job_id}).one_or_none()
    if row is None:
        return None
    result = None if row.document is None else from_stored(row.document).to_json()
    job = to_job(row, result=result)
    return with_position(connection, job) if job.state == State.QUEUED else job


def list_jobs(
    connection: Connection,
    *,
    state: State | str | None = None,
    reference: str | None = None,
    sha256: str | None = None,
    client_ip: str | None = None,
    batch_id: str | None = None,
    key_id: str | None = None,
    created_from: datetime | None = None,
    created_until: datetime | None = None,
    limit: int = 50,
    before: str | None = None,
) -> list[Job]:
    """Return jobs, newest first, without results.

    Args:
        connection: Reading is enough.
        state: Only those in this state.
        reference: Only those with this reference.
        sha256: Only those of this document.
        client_ip: Only those that this client submitted.
        batch_id: Only those of this batch.
        key_id: Only those that this API key submitted.
        created_from: Only those accepted then or later.
        created_until: Only those accepted before then.
        limit: At most so many.
        before: Only those older than the job with this id: the last id of the previous page.
    """
    wanted = {
        "state": state,
        "reference": reference,
        "sha256": sha256,
        "client_ip": client_ip,
        "batch_id": batch_id,
        "key_id": key_id,
    }
    query = select(jobs).order_by(jobs.c.id.desc()).limit(limit)
    query = query.where(*(jobs.c[name] == value for name, value in wanted.items() if value is not None))
    if created_from is not None:
        query = query.where(jobs.c.created_at >= created_from)
    if created_until is not None:
        query = query.where(jobs.c.created_at < created_until)
    if before is not None:
        query = query.where(jobs.c.id < before)
    return [to_job(row) for row in connection.execute(query)]


def counts(connection: Connection, *, batch_id: str | None = None) -> dict[str, int]:
    """Return the number of jobs in each state, of all or of one batch; every state is named, also with 0."""
    query = select(jobs.c.state, func.count()).group_by(jobs.c.state)
    if batch_id is not None:
        query = query.where(jobs.c.batch_id == batch_id)
    found = connection.execute(query).all()
    return {str(state): 0 for state in State} | {row[0]: row[1] for row in found}


def open_of_batch(connection: Connection, batch_id: str) -> list[str]:
    """Return the ids of the jobs of a batch that have not ended, the oldest first."""
    query = select(jobs.c.id).where(jobs.c.batch_id == batch_id, jobs.c.state.not_in(FINAL_STATES))
    return list(connection.execute(query.order_by(jobs.c.id)).scalars())


_OPEN_AMONG = select(jobs.c.id).where(
    jobs.c.id.in_(bindparam("ids", expanding=True)), jobs.c.state.in_([State.QUEUED, State.RUNNING])
)


def final_among(connection: Connection, ids: Collection[str]) -> list[str]:
    """Return those of the ids whose jobs have ended or do not exist: nobody needs to wait for them any longer."""
    open_ids = set(connection.execute(_OPEN_AMONG, {"ids": list(ids)}).scalars())
    return [job_id for job_id in ids if job_id not in open_ids]


def backlog(connection: Connection) -> int:
    """Return the number of jobs that wait to be claimed."""
    return connection.execute(_BACKLOG).scalar_one()


def waiting_count() -> ScalarSelect[int]:
    """The same as a part of another statement: always the same object, so that such a one can be built once."""
    return _WAITING_COUNT


def is_state(state: State) -> ColumnElement[bool]:
    """Compare with a literal, not a parameter: only so does SQLite use the partial indexes."""
    return jobs.c.state == literal_column(f"'{state}'")


def is_held(connection: Connection, job_id: str, lease_token: str) -> bool:
    """Return whether the job still runs under this lease: it was neither cancelled nor taken back."""
    return connection.execute(_HELD, {"of_job": job_id, "of_lease": lease_token}).first() is not None


def has_waited(connection: Connection, seconds: float) -> bool:
    """Return whether any job waits for longer than this since it was accepted, and is due."""
    due = or_(jobs.c.not_before.is_(None), jobs.c.not_before <= database_now())
    query = select(jobs.c.id).where(is_state(State.QUEUED), due, jobs.c.created_at < database_now(-seconds)).limit(1)
    return connection.execute(query).first() is not None


def open_count(connection: Connection, key_id: str) -> int:
    """Return the number of jobs of an API key that have not ended.

    The key's row is locked until the end of the transaction: of two submissions at once the later one counts both.
    """
    connection.execute(select(api_keys.c.id).where(api_keys.c.id == key_id).with_for_update())
    is_open = jobs.c.state.in_(bindparam("open", [State.QUEUED, State.RUNNING], expanding=True, literal_execute=True))
    query = select(func.count()).select_from(jobs).where(jobs.c.key_id == key_id, is_open)
    return connection.execute(query).scalar_one()


def equal_success(
    connection: Connection, *, sha256: str, options_sha256: str, reader_sha256: str, key_id: str | None
) -> str | None:
    """Return the newest job of the API key whose bytes were read with the same options by an equal reader, or None."""
    given = {"bytes_sha256": sha256, "wished_sha256": options_sha256, "by_reader": reader_sha256}
    if key_id is None:
        query = _EQUAL_OF_NOBODY
    else:
        query, given = _EQUAL_OF_KEY, {**given, "of_key": key_id}
    return connection.execute(query, given).scalar_one_or_none()


def to_job(row: AnyRow, *, result: dict[str, Any] | None = None, others_wait: bool = False) -> Job:
    """Build the record from a row that holds at least all columns of ``jobs``."""
    given = row._mapping
    values = {name: given[name] for name in _NAMES}
    values["state"] = State(values["state"])
    values["priority"] = PRIORITIES[values["priority"]]
    return Job(**values, result=result, others_wait=others_wait)


def with_position(connection: Connection, job: Job) -> Job:
    """Return the job with its place in the queue: 1 + the jobs that are served before it."""
    of_job = {"of_job": job.id, "of_priority": PRIORITIES.index(job.priority)}
    return replace(job, queue_position=1 + connection.execute(_EARLIER, of_job).scalar_one())


_EQUAL = (
    select(jobs.c.id)
    .join_from(jobs, results)
    .where(
        jobs.c.sha256 == bindparam("bytes_sha256"),
        jobs.c.options_sha256 == bindparam("wished_sha256"),
        is_state(State.SUCCEEDED),
        results.c.reader_sha256 == bindparam("by_reader"),
    )
    .order_by(jobs.c.id.desc())
    .limit(1)
)
_EQUAL_OF_NOBODY = _EQUAL.where(jobs.c.key_id.is_(None))
_EQUAL_OF_KEY = _EQUAL.where(jobs.c.key_id == bindparam("of_key"))
"""What another client has sent is no business of this one."""
_NAMES = tuple(column.name for column in jobs.c)
_HELD = select(jobs.c.id).where(
    jobs.c.id == bindparam("of_job"), is_state(State.RUNNING), jobs.c.lease_token == bindparam("of_lease")
)
_BACKLOG = select(func.count()).select_from(jobs).where(is_state(State.QUEUED))
_WAITING_COUNT: ScalarSelect[int] = _BACKLOG.scalar_subquery()
_EARLIER = _BACKLOG.where(
    or_(
        jobs.c.priority < bindparam("of_priority"),
        and_(jobs.c.priority == bindparam("of_priority"), jobs.c.id < bindparam("of_job")),
    )
)


def needed_uploads(connection: Connection, sha256s: Collection[str], *, age_seconds: float | None = None) -> set[str]:
    """Return those of the uploads that a job needs.

    Args:
        connection: Reading is enough.
        sha256s: The uploads in question.
        age_seconds: None: any job needs its upload. Else a job that ended longer ago does not need it any more.
    """
    query = select(jobs.c.sha256).where(jobs.c.sha256.in_(sha256s)).distinct()
    if age_seconds is not None:
        still_open = jobs.c.state.not_in(FINAL_STATES)
        query = query.where(or_(still_open, jobs.c.finished_at >= database_now(-age_seconds)))
    return set(connection.execute(query).scalars())
