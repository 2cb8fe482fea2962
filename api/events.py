"""`GET /v1/jobs/{id}/events`: each change of a job as a server-sent event, until it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator

from flask import Response
from flask_openapi3 import APIBlueprint

from api import schemas
from api.service import Service
from shared import clock, jobs
from shared.job_json import job_document

LOOK_SECONDS = 0.5
RECONNECT_MS = 1000


def blueprint(service: Service) -> APIBlueprint:
    """The route, bound to the process's service."""
    routes = APIBlueprint(
        "events", __name__, url_prefix="/v1/jobs", abp_tags=[schemas.JOBS], abp_responses=schemas.ERRORS
    )

    @routes.get(
        "/<job_id>/events",
        operation_id="get_events",
        summary="Follow a job",
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}, 404: schemas.PROBLEM},
    )
    def get_events(path: schemas.JobPath, query: schemas.NoQuery) -> Response:
        """`job.queued`, `job.running`, `job.succeeded` or `job.failed`, each with the job as data, the first at once.

        The stream ends with the job, or after the longest time that a request is held; a browser then asks again.
        """
        del query
        stream = follow(service, service.job(path.job_id))
        return Response(stream, mimetype="text/event-stream", headers={"Cache-Control": "no-cache"})

    return routes


def follow(service: Service, job: jobs.Job) -> Iterator[str]:
    """Events of one job from now on."""
    deadline = clock.monotonic() + service.settings.wait_limit_seconds
    yield f"retry: {RECONNECT_MS}\n\n"
    yield event(job)
    while not job.is_final and clock.monotonic() < deadline:
        latest = service.job_after(job.id, LOOK_SECONDS)
        if (latest.state, latest.attempt) != (job.state, job.attempt):
            yield event(latest)
        job = latest


def event(job: jobs.Job) -> str:
    """One job as an event."""
    data = json.dumps(job_document(job), ensure_ascii=False)
    return f"event: job.{job.state}\nid: {job.attempt}-{job.state}\ndata: {data}\n\n"
