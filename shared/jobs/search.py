"""Jobs as people look for them: by state, time, name, text and confidence, with what was read of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, func, or_, select

from shared.jobs.queries import to_job
from shared.jobs.record import Job, State
from shared.tables import corrections, jobs, results

ESCAPE = "\\"


@dataclass(frozen=True)
class Wanted:
    """What is looked for; every filter narrows. key_id: of the key that submitted it."""

    state: str | None = None
    reference: str | None = None
    """A part of it, or of the name of the file, in any case of letters."""
    text: str | None = None
    """A part of the text as it was read, or of a line as somebody corrected it, in any case of letters."""
    confidence_below: float | None = None
    created_from: datetime | None = None
    created_until: datetime | None = None
    batch_id: str | None = None
    key_id: str | None = None


def newest(connection: Connection, wanted: Wanted, *, limit: int, before: str | None = None) -> list[Job]:
    """Return jobs with their results, the newest first; `before`: only those older than the job with this id."""
    query = _found(wanted).order_by(jobs.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(jobs.c.id < before)
    return [to_job(row, result=row.document) for row in connection.execute(query)]


def least_sure(connection: Connection, wanted: Wanted, *, limit: int) -> list[Job]:
    """Return jobs that were read, with their results, the one with the least confident line first."""
    least = _number("min_confidence")
    query = _found(wanted).where(jobs.c.state == State.SUCCEEDED, least.is_not(None)).order_by(least, jobs.c.id)
    return [to_job(row, result=row.document) for row in connection.execute(query.limit(limit))]


def called(connection: Connection, text: str, *, limit: int) -> list[str]:
    """Return the ids of jobs whose id ends with a text, or whose name holds it, the newest first."""
    by_name = [_holds(one, text) for one in (jobs.c.reference, jobs.c.filename)]
    query = select(jobs.c.id).where(or_(_like(jobs.c.id, f"%{_escaped(text)}"), *by_name))
    return list(connection.execute(query.order_by(jobs.c.id.desc()).limit(limit)).scalars())


def _found(wanted: Wanted) -> Select[Any]:
    query = select(jobs, results.c.document).join_from(jobs, results, isouter=True)
    for name in ("state", "batch_id", "key_id"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(jobs.c[name] == value)
    if wanted.reference is not None:
        query = query.where(or_(*(_holds(one, wanted.reference) for one in (jobs.c.reference, jobs.c.filename))))
    if wanted.text is not None:
        is_said = exists().where(corrections.c.job_id == jobs.c.id, _holds(corrections.c.after, wanted.text))
        query = query.where(or_(_holds(results.c.document["text"].as_string(), wanted.text), is_said))
    if wanted.confidence_below is not None:
        query = query.where(_number("confidence") < wanted.confidence_below)
    if wanted.created_from is not None:
        query = query.where(jobs.c.created_at >= wanted.created_from)
    if wanted.created_until is not None:
        query = query.where(jobs.c.created_at < wanted.created_until)
    return query


def _number(name: str) -> ColumnElement[float]:
    found: ColumnElement[float] = results.c.document[name].as_float()
    return found


def _holds(column: ColumnElement[Any], part: str) -> ColumnElement[bool]:
    return _like(column, f"%{_escaped(part)}%")


def _like(column: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    return func.lower(column).like(pattern, escape=ESCAPE)


def _escaped(part: str) -> str:
    return "".join(ESCAPE + sign if sign in (ESCAPE, "%", "_") else sign for sign in part.lower())
