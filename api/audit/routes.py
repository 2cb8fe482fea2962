"""`/v1/audit`: what happened, as pages, as a file and in numbers, and whether the record of it is whole."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint

from api.access.client_ip import truncated
from api.audit import schemas as audit_schemas
from api.audit.schemas import EventQuery, StatsQuery, VerifyQuery
from api.http import answers, trail_files
from api.http.facts import facts
from api.service.parts import Parts
from api.service.trail import audit as use_cases
from api.service.trail.wire import event_document, numbers_document, report_document
from shared import errors
from shared.audit import addresses
from shared.audit.queries import Wanted
from shared.keys.record import Scope
from shared.settings import Settings

PAGE = 50
# Parameters that are columns, those that fit the fewest events first: see Wanted.equal.
EQUAL = {"job": "job_id", "subject": "subject", "model_version": "model_version",
         "event": "event", "key": "key_id", "state": "outcome", "model": "model", "actor": "actor"}  # fmt: skip


def blueprint(parts: Parts) -> APIBlueprint:
    """The routes, bound to the process's service."""
    routes = APIBlueprint(
        "audit", __name__, url_prefix="/v1/audit", abp_tags=[audit_schemas.AUDIT], abp_responses=answers.ERRORS
    )

    @routes.get(
        "/events",
        operation_id="list_audit_events",
        summary="What happened, newest first",
        responses={200: audit_schemas.EventPage},
    )
    @facts(Scope.AUDIT)
    def list_audit_events(query: EventQuery) -> Response:
        """A page, or with `format=ndjson` or `csv` everything that fits, as a file.

        A page may hold fewer events than `limit`, even none, before the end: only `next_cursor` says where the end is.
        """
        wanted = wanted_by(query, parts.settings)
        if query.format != "json":
            return trail_files.answer(parts, wanted, query.format)
        found = use_cases.page(parts, wanted, limit=query.limit or PAGE, cursor=query.cursor)
        following = None if found.following is None else found.following.cursor()
        return jsonify({"events": [event_document(event) for event in found.events], "next_cursor": following})

    @routes.get(
        "/stats",
        operation_id="audit_stats",
        summary="The audit trail in numbers",
        responses={200: audit_schemas.Stats},
    )
    @facts(Scope.AUDIT)
    def audit_stats_of(query: StatsQuery) -> Response:
        """Counts, confidence, models, days, the slowest and the least certain jobs of a span of time."""
        numbers = use_cases.numbers(parts, query.since, query.until)
        return jsonify(numbers_document(numbers))

    @routes.get(
        "/verify",
        operation_id="verify_audit",
        summary="Check the audit trail against its seals",
        responses={200: audit_schemas.Verification, 404: answers.PROBLEM},
    )
    @facts(Scope.AUDIT)
    def verify_audit(query: VerifyQuery) -> Response:
        """Checks some seals with their events, and names the first thing that is not as it was.

        While `next_seal` is not null there is more to check: give it as `from_seal`.
        """
        report = use_cases.check(parts, first=query.from_seal, most_events=query.limit, anchor=query.anchor)
        return jsonify(report_document(report))

    return routes


def wanted_by(query: EventQuery, settings: Settings) -> Wanted:
    """The filters of a request; raises InvalidOption where they cannot fit together."""
    use_cases.check_span(query.since, query.until)
    if (query.confidence_from or 0) > (1 if query.confidence_until is None else query.confidence_until):
        raise errors.InvalidOption("confidence_from is more than confidence_until.", option="confidence_from")
    if query.format != "json" and (query.limit, query.cursor) != (None, None):
        raise errors.InvalidOption("An export holds everything: leave out limit and cursor.", option="format")
    given = query.model_dump(exclude_none=True)
    return Wanted(
        since=query.since,
        until=query.until,
        ip_range=None if query.ip is None else addresses.key_range(str(truncated(query.ip, settings))),
        sha256_range=None if query.sha256 is None else (query.sha256.ljust(64, "0"), query.sha256.ljust(64, "f")),
        confidence_from=query.confidence_from,
        confidence_until=query.confidence_until,
        equal={column: given[name] for name, column in EQUAL.items() if name in given},
    )
