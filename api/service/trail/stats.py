"""What the audit trail says in numbers about a span of time. Reading only."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Date, Label, Select, String, cast, func, literal_column, select

from shared.audit import trail
from shared.clock import timestamp
from shared.database import AnyRow
from shared.tables import audit_events

BUCKETS = 10
"""Bars of the histogram of confidence."""
WORST = 10
"""Length of the lists of the slowest and the least certain jobs."""
HOURS_SPAN = timedelta(days=7)
"""The jobs of each hour are counted so far back."""
HOUR_EVENTS = {
    "submitted": trail.Event.SUBMITTED,
    "succeeded": trail.Event.SUCCEEDED,
    "failed": trail.Event.FAILED,
    "cancelled": trail.Event.CANCELLED,
}


def stats(connection: Connection, since: datetime, until: datetime) -> dict[str, Any]:
    """Return counts, confidence, models, days, the slowest and the least certain jobs, ready for JSON."""
    groups = list(connection.execute(_groups(connection, since, until)))
    return {
        "from": timestamp(since),
        "until": timestamp(until),
        "event_count": sum(group.events for group in groups),
        "events": _counted(groups, "event"),
        "outcomes": _counted(groups, "outcome"),
        "confidence": _confidence(groups) | {"histogram": _histogram(connection, since, until)},
        "models": _models(groups),
        "days": _days(groups),
        "hours": _hours(connection, since, until),
        "slowest": [
            {"job_id": row.job_id, "duration_ms": row.duration_ms, "outcome": row.outcome}
            for row in _worst(connection, since, until, audit_events.c.duration_ms.desc())
        ],
        "least_certain": [
            {"job_id": row.job_id, "confidence": row.confidence, "min_confidence": row.min_confidence}
            for row in _worst(connection, since, until, audit_events.c.confidence)
        ],
    }


def _span(query: Select[Any], since: datetime, until: datetime) -> Select[Any]:
    return query.where(audit_events.c.occurred_at >= since, audit_events.c.occurred_at < until)


def _groups(connection: Connection, since: datetime, until: datetime) -> Select[Any]:
    """One row for each day, event, outcome and model: few, however many events there are."""
    c = audit_events.c
    keys = (_day(connection), c.event, c.outcome, c.model, c.model_version)
    measures = (
        func.count().label("events"),
        func.count(c.confidence).label("read"),
        func.sum(c.confidence).label("confidence"),
        func.min(c.confidence).label("least"),
    )
    return _span(select(*keys, *measures), since, until).group_by(*keys)


def _day(connection: Connection) -> Label[Any]:
    """The day in UTC."""
    at = audit_events.c.occurred_at
    if connection.dialect.name == "postgresql":
        return cast(func.timezone("UTC", at), Date).label("day")
    return func.substr(at, 1, 10, type_=String()).label("day")


def _histogram(connection: Connection, since: datetime, until: datetime) -> list[dict[str, Any]]:
    c = audit_events.c.confidence
    edges = [n / BUCKETS for n in range(BUCKETS + 1)]
    bars = list(itertools.pairwise(edges))
    counts: list[Any] = [func.count().filter(c >= low, c <= high if high == 1 else c < high) for low, high in bars]
    query = select(*counts).where(c.is_not(None))
    found = connection.execute(_span(query, since, until)).one()
    return [{"from": low, "until": high, "count": count} for (low, high), count in zip(bars, found, strict=True)]


def _worst(connection: Connection, since: datetime, until: datetime, order: Any) -> list[AnyRow]:
    """The events of jobs that ended, the worst first; a job that was tried again may be there more than once."""
    c = audit_events.c
    measured = (c.confidence if order is c.confidence else c.duration_ms).is_not(None)
    query = select(c.job_id, c.duration_ms, c.outcome, c.confidence, c.min_confidence).where(measured)
    return list(connection.execute(_span(query, since, until).order_by(order).limit(WORST)))


def _hours(connection: Connection, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Jobs that came and ended in each of the last hours in which one did, by the names of HOUR_EVENTS."""
    c, at = audit_events.c, audit_events.c.occurred_at
    since = max(since, until - HOURS_SPAN)
    hour = func.replace(func.substr(at, 1, 13, type_=String()), " ", "T", type_=String())
    if connection.dialect.name == "postgresql":
        hour = func.to_char(func.timezone("UTC", at), literal_column("'YYYY-MM-DD\"T\"HH24'"), type_=String())
    columns: list[Any] = [hour.label("hour")]
    columns += [func.count().filter(c.event == event).label(name) for name, event in HOUR_EVENTS.items()]
    query = select(*columns).where(c.event.in_(HOUR_EVENTS.values()))
    rows = connection.execute(_span(query, since, until).group_by("hour").order_by("hour")).mappings()
    return [{**row, "hour": f"{row['hour']}:00:00Z"} for row in rows]


def _counted(groups: list[AnyRow], name: str) -> dict[str, int]:
    """Number of events by one of the keys, the most frequent first. Outcomes: of jobs that ended."""
    ends = (trail.Event.SUCCEEDED, trail.Event.FAILED, trail.Event.CANCELLED)
    counts: Counter[str] = Counter()
    for group in groups:
        if name == "event" or group.event in ends:
            counts[getattr(group, name)] += group.events
    return dict(counts.most_common())


def _confidence(groups: list[AnyRow]) -> dict[str, Any]:
    read = sum(group.read for group in groups)
    least = [group.least for group in groups if group.least is not None]
    mean = sum(group.confidence for group in groups if group.read) / read if read else None
    return {"count": read, "mean": mean, "min": min(least, default=None)}


def _models(groups: list[AnyRow]) -> list[dict[str, Any]]:
    by_model = defaultdict(list)
    for group in groups:
        if group.model is not None:
            by_model[group.model, group.model_version].append(group)
    return [
        {"name": name, "version": version, "job_count": sum(group.events for group in own), **_confidence(own)}
        for (name, version), own in sorted(by_model.items(), key=lambda one: (one[0][0], one[0][1] or ""))
    ]


def _days(groups: list[AnyRow]) -> list[dict[str, Any]]:
    by_day = defaultdict(list)
    for group in groups:
        by_day[str(group.day)].append(group)
    return [
        {"day": day, "event_count": sum(group.events for group in own), "events": _counted(own, "event")}
        for day, own in sorted(by_day.items())
    ]
