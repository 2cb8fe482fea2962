"""`/v1/batches`: many documents in one request, one job each."""

from __future__ import annotations

from flask import Request, Response, jsonify, request, url_for
from flask_openapi3 import APIBlueprint, Tag

from api.access import limits
from api.formats import archive
from api.http import answers, caller, result_files
from api.http.facts import facts
from api.http.idempotency import key_of, key_text
from api.http.intake import (
    BASE64_IMAGE,
    FILE_FIELD,
    decode_base64,
    form_schema,
    json_object,
    json_schema,
    merge,
    once_each,
    parse_options,
    typed,
)
from api.jobs import batch_schemas, files, schemas
from api.jobs.routes import IDEMPOTENCY_KEY, OPEN_RETRY_AFTER_SECONDS, REPLAYED, option_parameters
from api.service import batches as use_cases
from api.service import results
from api.service.accept import Envelope, accept
from api.service.parts import Parts
from api.service.upload import Upload
from shared import errors
from shared.jobs.wire import job_document
from shared.keys.record import Scope
from shared.options import SubmitOptions
from shared.uploads import header

TAG = Tag(name="batches", description="Many documents in one request, one job each.")
IMAGES_FIELD = "images"
BASE64_GROWTH = 4 / 3
OVERHEAD_BYTES = 64 * 1024
FIELDS = 20
BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": form_schema({"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}})
        },
        "application/json": {
            "schema": json_schema(IMAGES_FIELD, {"type": "array", "minItems": 1, "items": BASE64_IMAGE})
        },
    },
}


def blueprint(parts: Parts) -> APIBlueprint:
    """The routes, bound to the process's service."""
    routes = APIBlueprint("batches", __name__, url_prefix="/v1/batches", abp_tags=[TAG], abp_responses=answers.ERRORS)

    @routes.post(
        "",
        operation_id="submit_batch",
        summary="Submit many documents",
        responses={202: batch_schemas.BatchAnswer, **answers.REFUSED_UPLOADS},
        openapi_extensions={"requestBody": BODY, "parameters": [IDEMPOTENCY_KEY, *option_parameters()]},
    )
    @facts(Scope.SUBMIT, makes_work=True, takes_upload=True)
    def submit_batch() -> Response:
        """Send the form field `file` many times, or `{"images": [base64, …]}`. All are accepted, or none.

        The options hold for every document; `reference` is the batch's and that of each of its jobs.
        """
        settings = parts.settings
        request.max_content_length = int(settings.max_batch_bytes * BASE64_GROWTH) + OVERHEAD_BYTES
        request.max_form_parts = settings.max_batch_documents + FIELDS
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


def read_uploads(request: Request) -> tuple[list[Upload], SubmitOptions]:
    """Take the documents and their common options out of a request; raises as ``intake.read_upload`` does."""
    given = typed(once_each(request.args))
    if request.mimetype == "multipart/form-data":
        if others := sorted(set(request.files) - {FILE_FIELD}):
            raise errors.MissingFile(f"Send every file in the field `file`; found {', '.join(others)}.")
        contents = [file.read() for file in request.files.getlist(FILE_FIELD)]
        named = typed(once_each(request.form))
    else:
        named = json_object(request)
        images = named.pop(IMAGES_FIELD, None)
        if not isinstance(images, list):
            raise errors.MissingFile("The JSON object holds no list `images`. Put each file there, encoded in base64.")
        contents = [decode_base64(image) for image in images]
    if not contents:
        raise errors.MissingFile("The batch holds no file. Send at least one, like curl -F file=@a.png -F file=@b.png.")
    options = parse_options(merge(given, named))
    return [Upload(content, options) for content in contents], options


def check(parts: Parts, uploads: list[Upload]) -> None:
    """Refuse a batch that is too large, or that holds a document which cannot be read, with all that are wrong."""
    settings = parts.settings
    if len(uploads) > settings.max_batch_documents:
        raise errors.TooManyDocuments(documents=len(uploads), max_documents=settings.max_batch_documents)
    size = sum(len(upload.content) for upload in uploads)
    if size > settings.max_batch_bytes:
        raise errors.DocumentTooLarge(
            "The documents of the batch hold too many bytes together. Send several batches, or raise "
            "OCRELAY_MAX_BATCH_BYTES on the server.",
            size_bytes=size,
            max_bytes=settings.max_batch_bytes,
        )
    wrong: list[tuple[int, errors.DocumentError]] = []
    for index, upload in enumerate(uploads):
        try:
            header.inspect(upload.content, settings.limits, upload.options.pages)
        except errors.DocumentError as error:
            wrong.append((index, error))
    if wrong:
        index, first = wrong[0]
        raise type(first)(
            f"Document {index + 1} of {len(uploads)}: {first.message}",
            documents=[{"index": index, "code": error.code, **error.details} for index, error in wrong],
        )
