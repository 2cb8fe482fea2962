"""`GET /v1/jobs/{id}/events`: each change of a job as a server-sent event, until it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator

from flask import Response, request
from flask_openapi3 import APIBlueprint

from api.http import answers, caller
from api.http.facts import facts
from api.jobs import schemas
from api.service import jobs as use_cases
from api.service.caller import Caller
from api.service.parts import Parts
from shared import clock, errors, jobs
from shared.jobs.wire import job_document
from shared.keys.record import Scope

LOOK_SECONDS = 0.5
RECONNECT_MS = 1000
EVENT = {
    "type": "object",
    "description": "One event: `event` names the state, `data` is the job as JSON.",
    "properties": {name: {"type": "string"} for name in ("event", "id", "data")},
}


def blueprint(parts: Parts) -> APIBlueprint:
    """The route, bound to the process's service."""
    routes = APIBlueprint(
        "events", __name__, url_prefix="/v1/jobs", abp_tags=[schemas.JOBS], abp_responses=answers.ERRORS
    )

    @routes.get(
        "/<job_id>/events",
        operation_id="get_events",
        summary="Follow a job",
        responses={200: {"content": {"text/event-stream": {"schema": EVENT}}}, 204: None, **answers.GONE},
    )
    @facts(Scope.READ)
    def get_events(path: schemas.JobPath, query: answers.NoQuery) -> Response:
        """`job.queued`, `job.running`, `job.succeeded` or `job.failed`, each with the job as data, the first at once.

        A job of several pages is told again, `job.running`, as its `pages_done` grow.

        The stream ends with the job, or after the longest time that a request is held; a browser then asks again.
        """
        del query
        client = caller.current()
        job = use_cases.find(parts, path.job_id, client)
        if job.is_final and request.headers.get("Last-Event-ID") == event_id(job):
            return Response(status=204)  # tells a browser not to ask again
        use_cases.note_read(parts, job, client)
        stream = follow(parts, job, client)
        return Response(stream, mimetype="text/event-stream")

    return routes


def follow(parts: Parts, job: jobs.Job, client: Caller) -> Iterator[str]:
    """Events of one job from now on; without a place among the waiting only the first, and the browser asks again."""
    yield f"retry: {RECONNECT_MS}\n\n"
    yield event(job)
    deadline = clock.monotonic() + parts.settings.wait_limit_seconds
    with parts.waiting.place() as taken:
        while taken and not job.is_final and clock.monotonic() < deadline:
            parts.waiting.until_final(job.id, LOOK_SECONDS)
            try:
                latest = use_cases.find(parts, job.id, client)
            except errors.OcrelayError:  # deleted, or no database: the browser asks again and is told
                return
            yield (
                event(latest) if event_id(latest) != event_id(job) else ": still there\n\n"
            )  # a write finds out whether the client is
            job = latest


def event(job: jobs.Job) -> str:
    """One job as an event."""
    data = json.dumps(job_document(job), ensure_ascii=False)
    return f"event: job.{job.state}\nid: {event_id(job)}\ndata: {data}\n\n"


def event_id(job: jobs.Job) -> str:
    """What a browser sends back as Last-Event-ID."""
    progress = f"-{job.pages_done}" if job.pages_done and not job.is_final else ""
    return f"{job.attempt}-{job.state}{progress}"
