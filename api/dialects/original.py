"""`POST /api/ocr`: the call of the service that ocrelay replaces, answered at once; behind it is an ordinary job."""

from __future__ import annotations

from flask import Response, jsonify, request, url_for
from flask_openapi3 import APIBlueprint, Tag

from api.dialects import schemas
from api.http import answers, caller
from api.http.facts import facts
from api.http.intake import (
    BASE64_IMAGE,
    IMAGE_FIELD,
    decode_base64,
    json_object,
    json_schema,
    merge,
    once_each,
    parse_options,
    typed,
)
from api.http.problems import problem
from api.service import jobs as use_cases
from api.service.parts import Parts
from api.service.upload import Upload
from shared import errors, jobs
from shared.keys.record import Scope

TAG = Tag(name="compatible", description="Calls of other services.")
BODY = {"required": True, "content": {"application/json": {"schema": json_schema(IMAGE_FIELD, BASE64_IMAGE)}}}


def blueprint(parts: Parts) -> APIBlueprint:
    """The route, bound to the process's service."""
    routes = APIBlueprint("sync", __name__, url_prefix="/api", abp_tags=[TAG], abp_responses=answers.ERRORS)

    @routes.post(
        "/ocr",
        operation_id="recognise_now",
        summary="Recognise an image and wait for its text",
        responses={200: schemas.SyncAnswer, **answers.REFUSED_UPLOADS, 504: answers.PROBLEM},
        openapi_extensions={"requestBody": BODY},
    )
    @facts(Scope.SUBMIT, makes_work=True, takes_upload=True)
    def recognise_now() -> Response:
        """Send `{"image": base64}`; the answer holds the text. What takes too long answers 504 and names the job."""
        body = json_object(request)
        if IMAGE_FIELD not in body:
            raise errors.MissingFile("The JSON object holds no `image`. Put the file's bytes there, encoded in base64.")
        upload = Upload(
            decode_base64(body.pop(IMAGE_FIELD)), parse_options(merge(typed(once_each(request.args)), body))
        )
        accepted = use_cases.submit(parts, upload, caller.current())
        job = use_cases.job_of(parts, accepted, parts.settings.sync_wait_seconds)
        response = answer(job)
        response.headers["Location"] = url_for("jobs.get_job", job_id=job.id)
        return response

    return routes


def answer(job: jobs.Job) -> Response:
    """200 with the text, 422 or 500 with the job's failure, 504 while the job is still open."""
    if job.result is not None:
        lines = [line for page in job.result["pages"] for line in page["lines"]]
        return jsonify(
            {
                "text": job.result["text"],
                "confidence": job.result["confidence"],
                "min_confidence": job.result["min_confidence"],
                "lines": [{key: line[key] for key in ("text", "confidence", "polygon")} for line in lines],
                "job_id": job.id,
                "elapsed_ms": (job.timings_ms or {}).get("total"),
            }
        )
    if not job.is_final:
        return problem(errors.StillRunning(job_id=job.id), job_id=job.id)
    failure = job.error or {}
    cause = errors.by_code(failure.get("code", ""))(failure.get("message"), **failure.get("details", {}))
    return problem(cause, job_id=job.id)
