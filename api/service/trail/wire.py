"""The forms of an audit event outside: JSON, and a line of CSV that a spreadsheet cannot mistake for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from api.service.trail.audit import Numbers
from shared.audit.chain import Head
from shared.audit.queries import AuditEvent
from shared.audit.verify import Report
from shared.clock import timestamp

COLUMNS = (
    "id", "occurred_at", "event", "actor", "key_id", "client_ip", "job_id", "attempt", "sha256", "outcome", "code",
    "confidence", "min_confidence", "model", "model_version", "model_sha256", "duration_ms", "subject",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def event_document(event: AuditEvent) -> dict[str, Any]:
    """Return an event as JSON-ready objects."""
    document = {name: getattr(event, name) for name in COLUMNS if not name.startswith("model_")}
    document["occurred_at"] = timestamp(event.occurred_at)
    if event.model is not None:
        document["model"] = {"name": event.model, "version": event.model_version, "sha256": event.model_sha256}
    return document


def numbers_document(numbers: Numbers) -> dict[str, Any]:
    """Return the trail in numbers as JSON-ready objects."""
    return {
        **numbers.of_events,
        "chain": chain_document(numbers.chain),
        "unsealed_count": numbers.unsealed_count,
        "oldest_unsealed_at": timestamp(numbers.oldest_unsealed_at),
    }


def chain_document(head: Head) -> dict[str, Any]:
    """Return the ends of the chain as JSON-ready objects."""
    return {
        "seal": head.number,
        "hash": head.hash,
        "last_event_id": head.last_id,
        "first_seal": head.purged_number + 1,
    }


def report_document(report: Report) -> dict[str, Any]:
    """Return what came of a check as JSON-ready objects."""
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


def csv_lines(events: Iterable[AuditEvent]) -> str:
    """Return events as lines of CSV (RFC 4180)."""
    return _lines([*_row(event)] for event in events)


def csv_head() -> str:
    """Return the first line."""
    return _lines([COLUMNS])


def defused(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula: text that begins like one gets an apostrophe in front.

    Numbers stay numbers, negative ones too: they come as numbers, not as text.
    Source: OWASP, CSV Injection.
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _row(event: AuditEvent) -> Iterable[object]:
    for name in COLUMNS:
        yield timestamp(event.occurred_at) if name == "occurred_at" else defused(getattr(event, name))


def _lines(rows: Iterable[Iterable[object]]) -> str:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue()
