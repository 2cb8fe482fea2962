"""`/v1/audit`: what happened, as pages, as a file and in numbers, and whether the record of it is whole."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint
from sqlalchemy import select

from api.access.client_ip import truncated
from api.audit import schemas as audit_schemas
from api.audit import stats
from api.audit.schemas import EventQuery, StatsQuery, VerifyQuery
from api.audit.wire import csv_head, csv_lines, event_document
from api.jobs import schemas
from api.service.parts import Parts
from shared import errors
from shared.audit import addresses, queries, verify
from shared.audit import chain as audit_chain
from shared.audit.queries import AuditEvent, Place, Wanted
from shared.audit.verify import Report
from shared.clock import timestamp
from shared.database import database_now
from shared.settings import Settings

PAGE = 50
STATS_SPAN = timedelta(days=7)
MOST_STATS_SPAN = timedelta(days=366)
MEDIA_TYPES = {"ndjson": "application/x-ndjson", "csv": "text/csv"}
# Parameters that are columns, those that fit the fewest events first: see Wanted.equal.
EQUAL = {"job": "job_id", "sha256": "sha256", "subject": "subject", "model_version": "model_version",
         "event": "event", "key": "key_id", "state": "outcome", "model": "model"}  # fmt: skip


def blueprint(parts: Parts) -> APIBlueprint:
    """The routes, bound to the process's service."""
    routes = APIBlueprint(
        "audit", __name__, url_prefix="/v1/audit", abp_tags=[audit_schemas.AUDIT], abp_responses=schemas.ERRORS
    )

    @routes.get(
        "/events",
        operation_id="list_audit_events",
        summary="What happened, newest first",
        responses={200: audit_schemas.EventPage},
    )
    def list_audit_events(query: EventQuery) -> Response:
        """A page, or with `format=ndjson` or `csv` everything that fits, as a file.

        A page may hold fewer events than `limit`, even none, before the end: only `next_cursor` says where the end is.
        """
        wanted = wanted_by(query, parts.settings)
        if query.format != "json":
            return export(parts, query, wanted)
        before = None if query.cursor is None else place_of(query.cursor)
        with parts.database.read() as connection:
            found = queries.page(connection, wanted, limit=query.limit or PAGE, before=before)
        following = None if found.following is None else found.following.cursor()
        return jsonify({"events": [event_document(event) for event in found.events], "next_cursor": following})

    @routes.get(
        "/stats",
        operation_id="audit_stats",
        summary="The audit trail in numbers",
        responses={200: audit_schemas.Stats},
    )
    def audit_stats_of(query: StatsQuery) -> Response:
        """Counts, confidence, models, days, the slowest and the least certain jobs of a span of time."""
        with parts.database.read() as connection:
            until = query.until or connection.execute(select(database_now())).scalar_one()
            since = query.since or until - STATS_SPAN
            check_span(since, until)
            if until - since > MOST_STATS_SPAN:
                raise errors.InvalidOption("from and until are more than 366 days apart. Ask for less.", option="from")
            numbers = stats.stats(connection, since, until)
            chain = audit_chain.head(connection)
            unsealed, oldest = audit_chain.unsealed(connection)
        numbers |= {"chain": chain_document(chain), "unsealed_count": unsealed, "oldest_unsealed_at": timestamp(oldest)}
        return jsonify(numbers)

    @routes.get(
        "/verify",
        operation_id="verify_audit",
        summary="Check the audit trail against its seals",
        responses={200: audit_schemas.Verification, 404: schemas.PROBLEM},
    )
    def verify_audit(query: VerifyQuery) -> Response:
        """Checks some seals with their events, and names the first thing that is not as it was.

        While `next_seal` is not null there is more to check: give it as `from_seal`.
        """
        report = verify.verify(parts.database, first=query.from_seal, most_events=query.limit, anchor=query.anchor)
        if query.from_seal > max(report.head.number, 1):
            raise errors.NotFound(
                f"There is no seal {query.from_seal}: the last has the number {report.head.number}. Begin before it."
            )
        return jsonify(report_document(report))

    return routes


def wanted_by(query: EventQuery, settings: Settings) -> Wanted:
    """The filters of a request; raises InvalidOption where they cannot fit together."""
    check_span(query.since, query.until)
    if (query.confidence_from or 0) > (1 if query.confidence_until is None else query.confidence_until):
        raise errors.InvalidOption("confidence_from is more than confidence_until.", option="confidence_from")
    if query.format != "json" and (query.limit, query.cursor) != (None, None):
        raise errors.InvalidOption("An export holds everything: leave out limit and cursor.", option="format")
    given = query.model_dump(exclude_none=True)
    return Wanted(
        since=query.since,
        until=query.until,
        ip_range=None if query.ip is None else addresses.key_range(str(truncated(query.ip, settings))),
        confidence_from=query.confidence_from,
        confidence_until=query.confidence_until,
        equal={column: given[name] for name, column in EQUAL.items() if name in given},
    )


def check_span(since: datetime | None, until: datetime | None) -> None:
    """Raises InvalidOption where a span of time ends before it begins."""
    if since is not None and until is not None and since >= until:
        raise errors.InvalidOption("from must be earlier than until.", option="from")


def place_of(cursor: str) -> Place:
    """Where a page begins; raises InvalidCursor."""
    try:
        return Place.of_cursor(cursor)
    except ValueError:
        raise errors.InvalidCursor() from None


def export(parts: Parts, query: EventQuery, wanted: Wanted) -> Response:
    """Everything that fits, as a file that is read from the database portion by portion while it is sent."""
    portions = queries.portions(parts.database, wanted)
    first = next(portions, [])  # what fails at once is answered as an error, not as a file that breaks off
    pieces = texts(itertools.chain([first], portions), query.format)
    response = Response(pieces, mimetype=MEDIA_TYPES[query.format])
    with parts.database.read() as connection:
        now = connection.execute(select(database_now())).scalar_one()
    name = f"audit-events-{now:%Y%m%dT%H%M%SZ}.{query.format}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def texts(portions: Iterator[list[AuditEvent]], form: str) -> Iterator[str]:
    """The text of an export, a portion at a time."""
    if form == "csv":
        yield csv_head()
        yield from map(csv_lines, portions)
        return
    for portion in portions:
        yield "".join(json.dumps(event_document(event), ensure_ascii=False) + "\n" for event in portion)


def chain_document(head: audit_chain.Head) -> dict[str, Any]:
    """The ends of the chain."""
    return {
        "seal": head.number,
        "hash": head.hash,
        "last_event_id": head.last_id,
        "first_seal": head.purged_number + 1,
    }


def report_document(report: Report) -> dict[str, Any]:
    """What came of a check."""
    broken = report.broken
    return {
        "valid": broken is None,
        "first_seal": report.first_seal,
        "seal_count": report.seal_count,
        "event_count": report.event_count,
        "broken": broken
        and {
            "problem": broken.problem,
            "message": broken.message,
            "seal": broken.seal,
            "event_id": broken.event_id,
        },
        "next_seal": report.following,
        "chain": chain_document(report.head),
    }
