"""Parts of a job by their own addresses: the result, as JSON or plain text, and the uploaded image."""

from __future__ import annotations

import io
from typing import Any

from flask import Response, jsonify, send_file
from flask_openapi3 import APIBlueprint

from api.http import answers, caller
from api.http.facts import facts
from api.jobs import schemas
from api.service import jobs as use_cases
from api.service.parts import Parts
from shared import errors
from shared.keys.record import Scope
from shared.uploads.header import MEDIA_TYPES

RESULT: dict[Any, Any] = {
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/Result"}},
        "text/plain": {"schema": {"type": "string"}},
    }
}


def blueprint(parts: Parts) -> APIBlueprint:
    """The routes, bound to the process's service."""
    routes = APIBlueprint(
        "results", __name__, url_prefix="/v1/jobs", abp_tags=[schemas.JOBS], abp_responses=answers.ERRORS
    )

    @routes.get(
        "/<job_id>/result",
        operation_id="get_result",
        summary="The result of a job",
        responses={200: RESULT, 409: answers.PROBLEM, **answers.GONE},
    )
    @facts(Scope.READ)
    def get_result(path: schemas.JobPath, query: schemas.ResultQuery) -> Response:
        """The recognised document, or with `format=text` its text alone; 409 while there is none."""
        job = use_cases.find(parts, path.job_id, caller.current())
        if job.result is None:
            raise errors.NoResult(job_id=job.id, state=str(job.state))
        use_cases.note_read(parts, job, caller.current())
        if query.format == "text":
            return Response(job.result["text"] + "\n", mimetype="text/plain")
        return jsonify(job.result)

    @routes.get(
        "/<job_id>/image",
        operation_id="get_image",
        summary="The uploaded image",
        responses={
            200: {"content": {name: {"schema": {"type": "string", "format": "binary"}} for name in MEDIA_TYPES}},
            **answers.GONE,
        },
    )
    @facts(Scope.READ)
    def get_image(path: schemas.JobPath, query: answers.NoQuery) -> Response:
        """The bytes as they were uploaded."""
        del query
        job = use_cases.find(parts, path.job_id, caller.current())
        use_cases.note_read(parts, job, caller.current())
        response = send_file(
            io.BytesIO(parts.blobs.get(job.sha256)),
            job.media_type,
            as_attachment=True,
            download_name=f"{job.id}.{job.media_type.partition('/')[2]}",
            etag=job.sha256,
        )
        response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; sandbox"
        response.headers["Cache-Control"] = "no-store"
        return response

    return routes
