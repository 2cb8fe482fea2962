"""Parts of a job by their own addresses: the result in any format, and the uploaded image."""

from __future__ import annotations

import io

from flask import Response, request, send_file
from flask_openapi3 import APIBlueprint

from api.http import answers, caller, result_files
from api.http.facts import facts
from api.jobs import files, schemas
from api.service import corrections, results
from api.service import jobs as use_cases
from api.service.parts import Parts
from shared.keys.record import Scope
from shared.uploads.header import MEDIA_TYPES


def blueprint(parts: Parts) -> APIBlueprint:
    """The routes, bound to the process's service."""
    routes = APIBlueprint(
        "results", __name__, url_prefix="/v1/jobs", abp_tags=[schemas.JOBS], abp_responses=answers.ERRORS
    )

    @routes.get(
        "/<job_id>/result",
        operation_id="get_result",
        summary="The result of a job",
        responses={200: files.RESULT, 406: answers.PROBLEM, 409: answers.PROBLEM, **answers.GONE},
    )
    @facts(Scope.READ)
    def get_result(path: schemas.JobPath, query: schemas.ResultQuery) -> Response:
        """The recognised document in the format that is asked for, by `format` or `Accept`; 409 while there is none.

        A format that holds one page a file answers with a zip of them for a document of many pages.
        """
        form = files.chosen(query.format, request.accept_mimetypes)
        choices = files.choices_of(query, form)
        job = use_cases.find(parts, path.job_id, caller.current())
        shown = corrections.corrected(parts, job) if query.corrected else job
        source = results.source_of(parts, shown, choices)
        response = result_files.answer(form, source)
        use_cases.note_read(parts, job, caller.current())
        return response

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
