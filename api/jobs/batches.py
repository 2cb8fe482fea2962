"""`/v1/batches`: many documents in one request, one job each."""

from __future__ import annotations

from flask import Response, jsonify, request, url_for
from flask_openapi3 import APIBlueprint, Tag

from api.access import limits
from api.formats import archive
from api.http import answers, caller, result_files
from api.http.facts import facts
from api.http.idempotency import key_of, key_text
from api.jobs import batch_schemas, files, schemas
from api.jobs.batch_uploads import body_schema, check, read_uploads
from api.jobs.routes import IDEMPOTENCY_KEY, OPEN_RETRY_AFTER_SECONDS, REPLAYED, option_parameters
from api.service import batches as use_cases
from api.service import results
from api.service.accept import Envelope, accept
from api.service.parts import Parts
from shared.jobs.wire import job_document
from shared.keys.record import Scope

TAG = Tag(name="batches", description="Many documents in one request, one job each.")
BASE64_GROWTH = 4 / 3
OVERHEAD_BYTES = 64 * 1024
FIELDS = 20


def blueprint(parts: Parts) -> APIBlueprint:
    """The routes, bound to the process's service."""
    routes = APIBlueprint("batches", __name__, url_prefix="/v1/batches", abp_tags=[TAG], abp_responses=answers.ERRORS)

    @routes.post(
        "",
        operation_id="submit_batch",
        summary="Submit many documents",
        responses={202: batch_schemas.BatchAnswer, **answers.REFUSED_UPLOADS},
        openapi_extensions={"requestBody": body_schema(), "parameters": [IDEMPOTENCY_KEY, *option_parameters()]},
    )
    @facts(Scope.SUBMIT, makes_work=True, takes_upload=True)
    def submit_batch() -> Response:
        """Send the form field `file` many times, or `{"images": [base64, …]}`. All are accepted, or none.

        The options hold for every document; `reference` is the batch's and that of each of its jobs. `filename` may
        come once for each document, in their order; in JSON `filenames` is a list of them.
        """
        settings = parts.settings
        request.max_content_length = int(settings.max_batch_bytes * BASE64_GROWTH) + OVERHEAD_BYTES
        request.max_form_parts = 2 * settings.max_batch_documents + FIELDS  # each may bring a name
        text, client = key_text(request), caller.current()
        uploads, options = read_uploads(request)
        check(parts, uploads)
        limits.charge(len(uploads) - 1)
        key = key_of(text, client.scope_of_idempotency, uploads, "batch", options.reference)
        envelope = Envelope(client.shown_address, client.key_id, key, is_batch=True, reference=options.reference)
        accepted = accept(parts, uploads, envelope)
        body = use_cases.document(use_cases.find(parts, accepted.subject, client))
        body["jobs"] = [job_document(job) for job in accepted.jobs or use_cases.jobs_of(parts, accepted.subject)]
        response = jsonify(body)
        response.status_code = 202
        response.headers["Location"] = url_for("batches.get_batch", batch_id=accepted.subject)
        response.headers["Retry-After"] = str(OPEN_RETRY_AFTER_SECONDS)
        if accepted.is_replay:
            response.headers[REPLAYED] = "true"
        return response

    @routes.get(
        "/<batch_id>",
        operation_id="get_batch",
        summary="Look at a batch",
        responses={200: batch_schemas.BatchDocument, 404: answers.PROBLEM},
    )
    @facts(Scope.READ)
    def get_batch(path: batch_schemas.BatchPath, query: answers.NoQuery) -> Response:
        """How many of its jobs are in each state; `links.jobs` lists them."""
        del query
        body = use_cases.document(use_cases.find(parts, path.batch_id, caller.current()))
        response = jsonify(body)
        if not body["is_finished"]:
            response.headers["Retry-After"] = str(OPEN_RETRY_AFTER_SECONDS)
        return response

    @routes.get(
        "/<batch_id>/results",
        operation_id="get_batch_results",
        summary="The results of a batch",
        responses={200: files.ZIP, 404: answers.PROBLEM, 409: answers.PROBLEM},
    )
    @facts(Scope.READ)
    def get_batch_results(path: batch_schemas.BatchPath, query: schemas.FormatQuery) -> Response:
        """A zip with a file for each of its jobs that succeeded, and `batch.json`, which names the others.

        409 while a job is open. The zip is made while it is sent.
        """
        form = files.chosen(query.format, request.accept_mimetypes)
        choices, client = files.choices_of(query, form), caller.current()
        batch = use_cases.document(use_cases.ended(parts, path.batch_id, client))
        found = use_cases.jobs_of(parts, batch["id"])
        entries = results.files_of_batch(parts, client, found, batch, form=form, choices=choices)
        return result_files.zip_answer(archive.zipped(entries), f"{batch['id']}.zip")

    return routes
