"""Parts of a job by their own addresses: the result, as JSON or plain text, and the uploaded image."""

from __future__ import annotations

import io

from flask import Response, jsonify, send_file
from flask_openapi3 import APIBlueprint

from api import schemas
from api.service import Service
from shared import errors


def blueprint(service: Service) -> APIBlueprint:
    """The routes, bound to the process's service."""
    routes = APIBlueprint(
        "results", __name__, url_prefix="/v1/jobs", abp_tags=[schemas.JOBS], abp_responses=schemas.ERRORS
    )

    @routes.get(
        "/<job_id>/result",
        operation_id="get_result",
        summary="The result of a job",
        responses={200: schemas.Result, 404: schemas.PROBLEM, 409: schemas.PROBLEM},
    )
    def get_result(path: schemas.JobPath, query: schemas.ResultQuery) -> Response:
        """The recognised document, or with `format=text` its text alone; 409 while there is none."""
        job = service.job(path.job_id)
        if job.result is None:
            raise errors.NoResult(job_id=job.id, state=str(job.state))
        if query.format == "text":
            return Response(job.result["text"] + "\n", mimetype="text/plain")
        return jsonify(job.result)

    @routes.get(
        "/<job_id>/image",
        operation_id="get_image",
        summary="The uploaded image",
        responses={
            200: {"content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}},
            404: schemas.PROBLEM,
        },
    )
    def get_image(path: schemas.JobPath, query: schemas.NoQuery) -> Response:
        """The bytes as they were uploaded."""
        del query
        job = service.job(path.job_id)
        response = send_file(io.BytesIO(service.blobs.get(job.sha256)), job.media_type, etag=job.sha256)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return response

    return routes
