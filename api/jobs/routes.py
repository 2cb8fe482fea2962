"""`/v1/jobs`: submit, look, delete, list."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request, url_for
from flask_openapi3 import APIBlueprint

from api.access.client_ip import truncated
from api.http import answers, caller
from api.http.facts import facts
from api.http.idempotency import key_of, key_text
from api.http.intake import BASE64_IMAGE, IMAGE_FIELD, form_schema, json_schema, read_upload, text_options
from api.http.prefer import wait_seconds
from api.jobs import schemas
from api.service import jobs as use_cases
from api.service.caller import Caller
from api.service.parts import Parts
from shared import errors, ids, jobs
from shared.jobs.wire import job_document
from shared.keys.record import Scope

OPEN_RETRY_AFTER_SECONDS = 1
UPLOAD_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": form_schema({"type": "string", "format": "binary", "description": "the document"})
        },
        "application/json": {"schema": json_schema(IMAGE_FIELD, BASE64_IMAGE)},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    },
}
REPLAYED = "Idempotency-Replayed"
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same request with the same key is accepted once, however often it is sent.",
    "schema": {
        "type": "string",
        "pattern": r'^(?:(?!".*"$)[!-~](?:[ -~]{0,253}[!-~])?|"[!-~](?:[ -~]{0,253}[!-~])?")$',
        "maxLength": 257,
    },
}
PREFER = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": "`wait=N` holds the request up to N seconds for the end of the job.",
    "schema": {"type": "string", "examples": ["wait=20"]},
}


def blueprint(parts: Parts) -> APIBlueprint:
    """The routes, bound to the process's service."""
    routes = APIBlueprint(
        "jobs", __name__, url_prefix="/v1/jobs", abp_tags=[schemas.JOBS], abp_responses=answers.ERRORS
    )

    @routes.post(
        "",
        operation_id="submit_job",
        summary="Submit a document",
        responses={200: schemas.JobDocument, 202: schemas.JobDocument, **answers.REFUSED_UPLOADS},
        openapi_extensions={"requestBody": UPLOAD_BODY, "parameters": [PREFER, IDEMPOTENCY_KEY, *option_parameters()]},
    )
    @facts(Scope.SUBMIT, makes_work=True, takes_upload=True)
    def submit_job() -> Response:
        """Send a document as a form field `file`, as the raw body, or as base64 in JSON.

        Answers 202 with the job and its address, or with `Prefer: wait=N` 200 with the finished job if it ends in time.
        """
        seconds = wait_seconds(request, parts.settings.wait_limit_seconds)
        text, client = key_text(request), caller.current()
        upload = read_upload(request)
        accepted = use_cases.submit(parts, upload, client, key_of(text, client.scope_of_idempotency, [upload], "job"))
        job = use_cases.job_of(parts, accepted, seconds)
        response = job_response(job, seconds)
        response.status_code = 200 if seconds is not None and job.is_final else 202
        response.headers["Location"] = url_for("jobs.get_job", job_id=job.id)
        if accepted.is_replay:
            response.headers[REPLAYED] = "true"
        return response

    @routes.get(
        "/<job_id>",
        operation_id="get_job",
        summary="Look at a job",
        responses={200: schemas.JobDocument, 304: None, **answers.GONE},
    )
    @facts(Scope.READ)
    def get_job(path: schemas.JobPath, query: answers.NoQuery, header: schemas.PreferHeader) -> Response:
        """The job with its result once it has one. `If-None-Match` answers 304 while nothing changed."""
        del query, header
        seconds = wait_seconds(request, parts.settings.wait_limit_seconds)
        job = use_cases.job_after(parts, path.job_id, seconds, caller.current())
        response = job_response(job, seconds)
        response.add_etag()
        response.make_conditional(request)
        if job.result is not None and response.status_code == 200:
            use_cases.note_read(parts, job, caller.current())
        return response

    @routes.delete(
        "/<job_id>",
        operation_id="delete_job",
        summary="Delete a job with its upload and its text",
        responses={204: None, **answers.GONE},
    )
    @facts(Scope.SUBMIT)
    def delete_job(path: schemas.JobPath, query: answers.NoQuery) -> Response:
        """Upload and text are erased, an open job is cancelled first. What happened stays in the audit trail."""
        del query
        use_cases.delete(parts, path.job_id, caller.current())
        return Response(status=204)

    @routes.get("", operation_id="list_jobs", summary="List jobs, newest first", responses={200: schemas.JobList})
    @facts(Scope.READ)
    def list_jobs(query: schemas.ListQuery) -> Response:
        """Jobs without their results; every filter narrows the list, `cursor` goes on where the last page ended."""
        return jsonify(page_of_jobs(parts, query, caller.current()))

    return routes


def job_response(job: jobs.Job, waited: float | None) -> Response:
    """The job's document with the headers that tell a client when to come again."""
    response = jsonify(job_document(job))
    if waited is not None:
        response.headers["Preference-Applied"] = f"wait={waited:g}"
    if not job.is_final:
        response.headers["Retry-After"] = str(OPEN_RETRY_AFTER_SECONDS)
    return response


def page_of_jobs(parts: Parts, query: schemas.ListQuery, client: Caller) -> dict[str, Any]:
    """One page of the list and the cursor of the next; raises InvalidCursor."""
    if query.cursor is not None and not ids.is_id(query.cursor, "job"):
        raise errors.InvalidCursor()
    if client.reads_of is not None and query.key_id not in (None, client.reads_of):
        return {"jobs": [], "next_cursor": None}
    with parts.database.read() as connection:
        found = jobs.list_jobs(
            connection, state=query.state, reference=query.reference, sha256=query.sha256,
            client_ip=truncated(query.client_ip, parts.settings), batch_id=query.batch_id,
            key_id=query.key_id or client.reads_of, limit=query.limit + 1, before=query.cursor,
        )  # fmt: skip
    more = len(found) > query.limit
    found = found[: query.limit]
    return {"jobs": [job_document(job) for job in found], "next_cursor": found[-1].id if more else None}


def option_parameters() -> list[dict[str, Any]]:
    """The submit options as query parameters: how a raw body is given its options."""
    return [
        {"name": name, "in": "query", "required": False, "description": schema.get("description", ""), "schema": schema}
        for name, schema in text_options().items()
    ]
