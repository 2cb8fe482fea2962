"""The answer that holds the audit trail as a file, for the API and for the pages."""

from __future__ import annotations

import json
from collections.abc import Iterator

from flask import Response

from api.service.parts import Parts
from api.service.trail import audit as use_cases
from api.service.trail.wire import csv_head, csv_lines, event_document
from shared.audit.queries import AuditEvent, Wanted

MEDIA_TYPES = {"ndjson": "application/x-ndjson", "csv": "text/csv"}


def answer(parts: Parts, wanted: Wanted, form: str) -> Response:
    """Everything that fits, as a file that is read from the database portion by portion while it is sent."""
    now, portions = use_cases.export(parts, wanted)  # what fails here is an error, not a file that breaks off
    response = Response(texts(portions, form), mimetype=MEDIA_TYPES[form])
    name = f"audit-events-{now:%Y%m%dT%H%M%SZ}.{form}"
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
