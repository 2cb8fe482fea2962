"""`/v1/batches/{batch_id}/…`: what is asked of all jobs of a batch together."""

from __future__ import annotations

import json
from collections.abc import Iterator

from flask import Response, jsonify, stream_with_context
from flask_openapi3 import APIBlueprint

from api.http import answers, caller
from api.http.facts import facts
from api.jobs import batch_schemas
from api.jobs.batches import TAG
from api.service import batches
from api.service import jobs as use_cases
from api.service.caller import Caller
from api.service.parts import Parts
from shared import errors, jobs
from shared.jobs.wire import job_document
from shared.keys.record import Scope


def blueprint(parts: Parts) -> APIBlueprint:
    """The routes, bound to the process's service."""
    routes = APIBlueprint(
        "batch_orders", __name__, url_prefix="/v1/batches", abp_tags=[TAG], abp_responses=answers.ERRORS
    )

    @routes.get(
        "/<batch_id>/jobs",
        operation_id="get_batch_jobs",
        summary="All jobs of a batch with their results",
        responses={200: batch_schemas.BatchJobs, 404: answers.PROBLEM},
    )
    @facts(Scope.READ)
    def get_batch_jobs(path: batch_schemas.BatchPath, query: answers.NoQuery) -> Response:
        """Everything in one answer, in the order of the documents; of open jobs `result` is null as yet."""
        del query
        client = caller.current()
        batch = batches.find(parts, path.batch_id, client).batch
        found = [job.id for job in batches.jobs_of(parts, batch.id)]
        return Response(stream_with_context(_written(parts, found, client)), mimetype="application/json")

    @routes.post(
        "/<batch_id>/cancel",
        operation_id="cancel_batch",
        summary="Cancel the open jobs of a batch",
        responses={200: batch_schemas.Cancelled, 404: answers.PROBLEM},
    )
    @facts(Scope.SUBMIT)
    def cancel_batch(path: batch_schemas.BatchPath, query: answers.NoQuery) -> Response:
        """Jobs that have ended stay as they are; cancelling twice is fine."""
        del query
        return jsonify({"cancelled": use_cases.cancel_batch(parts, path.batch_id, caller.current())})

    return routes


def _written(parts: Parts, job_ids: list[str], client: Caller) -> Iterator[str]:
    """The JSON, a job at a time: all of them together may be too large to hold."""
    yield '{"jobs": ['
    separator = ""
    for job_id in job_ids:
        try:
            job: jobs.Job = use_cases.find(parts, job_id, client)
        except errors.OcrelayError:  # deleted since it was listed
            continue
        if job.result is not None:
            use_cases.note_read(parts, job, client)
        yield separator + json.dumps(job_document(job), ensure_ascii=False)
        separator = ", "
    yield "]}"
