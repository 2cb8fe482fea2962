"""What a client orders of a job that exists: cancel, retry. (Deleting is beside looking, in ``api/jobs/routes.py``.)"""

from __future__ import annotations

from flask import Response, jsonify, url_for
from flask_openapi3 import APIBlueprint

from api.http import answers, caller
from api.http.facts import facts
from api.jobs import batch_schemas, schemas
from api.jobs.routes import job_response
from api.service import jobs as use_cases
from api.service.parts import Parts
from shared import jobs
from shared.keys.record import Scope


def blueprint(parts: Parts) -> APIBlueprint:
    """The routes, bound to the process's service."""
    routes = APIBlueprint(
        "orders", __name__, url_prefix="/v1/jobs", abp_tags=[schemas.JOBS], abp_responses=answers.ERRORS
    )

    @routes.post(
        "/<job_id>/cancel",
        operation_id="cancel_job",
        summary="Cancel a job",
        responses={200: schemas.JobDocument, 409: answers.PROBLEM, **answers.GONE},
    )
    @facts(Scope.SUBMIT)
    def cancel_job(path: schemas.JobPath, query: answers.NoQuery) -> Response:
        """A job that waits ends at once. One that is being read ends, too, and its worker stops within seconds."""
        del query
        return job_response(use_cases.cancel(parts, path.job_id, caller.current()), None)

    @routes.post(
        "/<job_id>/retry",
        operation_id="retry_job",
        summary="Try a failed or cancelled job again",
        responses={202: schemas.JobDocument, 409: answers.PROBLEM, **answers.GONE},
    )
    @facts(Scope.SUBMIT, makes_work=True)
    def retry_job(path: schemas.JobPath, query: answers.NoQuery) -> Response:
        """The job goes back into the queue under its own id, with as many new attempts as a new job has."""
        del query
        response = job_response(use_cases.retry(parts, path.job_id, caller.current()), None)
        response.status_code = 202
        response.headers["Location"] = url_for("jobs.get_job", job_id=path.job_id)
        return response

    @routes.post(
        "/retry",
        operation_id="retry_failed_jobs",
        summary="Try failed jobs again",
        responses={202: batch_schemas.Retried},
    )
    @facts(Scope.SUBMIT, makes_work=True)
    def retry_failed_jobs(query: batch_schemas.RetryQuery) -> Response:
        """The oldest failed jobs that fit the filters go back into the queue; call again until none is left."""
        mine = caller.current().changes_of
        which = jobs.Failed(code=query.code, reference=query.reference, batch_id=query.batch_id, key_id=mine)
        retried, missing = use_cases.retry_failed(parts, which, query.limit, caller.current())
        response = jsonify({"retried": retried, "document_missing": missing})
        response.status_code = 202
        return response

    return routes
