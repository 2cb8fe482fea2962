"""The OpenAPI document, completed: what every call may answer, the headers of answers, and which call leads to which.

Routes state what is their own. What holds for all of them stands here once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Flask

from api.http.answers import PROBLEM
from api.http.facts import PUBLIC, of_operations

Json = dict[str, Any]

ANY_CALL = (400, 403, 414, 422, 431, 500, 503)
"""Malformed, a stranger, an address or headers that are too long, a wrong parameter, an accident, no database."""
GUARDED_CALLS = (401, 429)
"""No key or a wrong one, too many requests: everything that is not public."""
CALLS_WITH_BODY = (408, 413, 415)
"""A body that is too slow, too large, or compressed."""

LINK_HEADER = {"required": True, "description": "Address of what was made.", "schema": {"type": "string"}}
SECONDS = {"description": "Seconds after which to ask again.", "schema": {"type": "integer", "minimum": 0}}
ETAG = {"required": True, "description": "For `If-None-Match`.", "schema": {"type": "string"}}
HEADERS: dict[tuple[str, str], Json] = {
    ("submit_job", "200"): {"Location": LINK_HEADER},
    ("submit_job", "202"): {"Location": LINK_HEADER, "Retry-After": SECONDS},
    ("submit_batch", "202"): {"Location": LINK_HEADER, "Retry-After": SECONDS},
    ("recognise_now", "200"): {"Location": LINK_HEADER},
    ("recognise_now", "504"): {"Location": LINK_HEADER, "Retry-After": SECONDS},
    ("retry_job", "202"): {"Location": LINK_HEADER, "Retry-After": SECONDS},
    ("create_endpoint", "201"): {"Location": LINK_HEADER},
    ("ping_endpoint", "202"): {"Location": LINK_HEADER},
    ("redeliver", "202"): {"Location": LINK_HEADER},
    ("get_job", "200"): {"ETag": ETAG, "Retry-After": SECONDS},
    ("get_image", "200"): {"ETag": ETAG},
}
"""By operation and status."""

FOUND_IN: dict[tuple[str, str], tuple[str, str]] = {
    ("submit_job", "200"): ("job_id", "id"),
    ("submit_job", "202"): ("job_id", "id"),
    ("recognise_now", "200"): ("job_id", "job_id"),
    ("list_jobs", "200"): ("job_id", "jobs/0/id"),
    ("submit_batch", "202"): ("batch_id", "id"),
    ("create_endpoint", "201"): ("endpoint_id", "id"),
    ("list_endpoints", "200"): ("endpoint_id", "endpoints/0/id"),
    ("ping_endpoint", "202"): ("delivery_id", "id"),
    ("list_deliveries", "200"): ("delivery_id", "deliveries/0/id"),
}
"""Operation and status: the path parameter that the answer holds a value for, and where in its body."""


def complete(app: Flask, document: Json) -> None:
    """Add to the generated document what holds for all calls."""
    stated = of_operations(app)
    taking: dict[str, list[str]] = {}
    for _, _, operation in operations(document):
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path":
                taking.setdefault(parameter["name"], []).append(operation["operationId"])
    for path, method, operation in operations(document):
        answers = operation["responses"]
        refusals = ANY_CALL + (GUARDED_CALLS if stated[path, method].scope != PUBLIC else ())
        for status in refusals + (CALLS_WITH_BODY if method in ("post", "patch") else ()):
            answers.setdefault(str(status), PROBLEM)
        for status, answer in answers.items():
            place = (operation["operationId"], status)
            if place in HEADERS:
                answer["headers"] = answer.get("headers", {}) | HEADERS[place]
            if place in FOUND_IN:
                name, pointer = FOUND_IN[place]
                answer["links"] = {target: link(target, name, pointer) for target in taking[name]}
        operation["responses"] = dict(sorted(answers.items()))


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Path, method and operation of each call."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def link(target: str, parameter: str, pointer: str) -> Json:
    """An OpenAPI link that gives a value of the answer's body to another call."""
    return {"operationId": target, "parameters": {parameter: f"$response.body#/{pointer}"}}
