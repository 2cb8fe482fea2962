"""The first page: documents come in, and a table shows what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import TypeAlias

from flask import Blueprint, Response, request, url_for
from werkzeug.datastructures import FileStorage

from api.access import limits, visitors
from api.http import caller
from api.http.facts import facts
from api.http.idempotency import key_of, key_text
from api.http.intake import parse_options
from api.service import batches as use_cases
from api.service import sent
from api.service.accept import NEW
from api.service.parts import Parts
from api.service.upload import Upload
from api.web.navigation import may
from api.web.page import is_script, page, see
from api.web.words import error_title
from shared import errors
from shared.jobs import Job
from shared.keys.record import Scope
from shared.options import MAX_REFERENCE_LENGTH

FIELD = "file"
OVERHEAD_BYTES = 64 * 1024
FIELDS = 20
NAMELESS = "image"

Refused: TypeAlias = tuple[str, str, errors.OcrelayError]
"""The name of a file, what the reason is called, and the reason."""


def add(pages: Blueprint, parts: Parts) -> None:
    """Add `/`."""

    @pages.before_request
    def allow_many() -> None:
        """A form without a script sends all files at once."""
        if request.endpoint == "web.send":
            request.max_content_length = parts.settings.max_batch_bytes + OVERHEAD_BYTES
            request.max_form_parts = parts.settings.max_batch_documents + FIELDS

    @pages.get("/")
    @facts(Scope.READ, is_page=True)
    def read() -> Response:
        """Where to drop documents, and those that this browser has sent."""
        if not may(caller.current(), Scope.SUBMIT):
            return see(url_for("web.jobs"))
        return shown(parts)

    @pages.post("/")
    @facts(Scope.SUBMIT, makes_work=True, takes_upload=True, is_page=True)
    def send() -> Response:
        """Take documents: one from the script, which gets its row; or many from a form, which goes on to the table.

        Where only some were taken, the page that says so is answered with 207.
        """
        files = request.files.getlist(FIELD)
        named = [file for file in files if file.filename or file.stream.read(1)]
        for file in named:
            file.stream.seek(0)
        if not named:
            raise errors.MissingFile()
        if is_script():
            batch, name = request.form.get("batch") or None, request.form.get("batch_name") or None
            return page("_row.html", 202, job=take(parts, named[0], batch, name))
        limits.charge(len(named) - 1)
        taken, refused = take_all(parts, named, is_batch="together" in request.form and len(named) > 1)
        if refused:
            return shown(parts, status_of(taken, refused), taken=taken, refused=refused)
        return see(url_for("web.batch", batch_id=taken[0].batch_id) if taken[0].batch_id else url_for("web.read"))


def shown(parts: Parts, status: int = 200, **values: object) -> Response:
    """The page with its table."""
    found = sent.list_of(parts, visitors.visitor())
    batches = use_cases.of_jobs(parts, found)
    is_waiting = any(not job.is_final for job in found)
    most = parts.settings.max_batch_documents
    return page("read.html", status, jobs=found, batches=batches, most=most, is_waiting=is_waiting, **values)


def take_all(parts: Parts, files: Sequence[FileStorage], *, is_batch: bool) -> tuple[list[Job], list[Refused]]:
    """Accept what can be accepted, as a batch if wanted, or several where one would hold too many."""
    taken: list[Job] = []
    refused: list[Refused] = []
    name = f"{name_of(files[0])} +{len(files) - 1}"
    for file in files:
        begins = len(taken) % parts.settings.max_batch_documents == 0
        batch = (NEW if begins else taken[-1].batch_id) if is_batch else None
        try:
            taken.append(take(parts, file, batch, name))
        except errors.OcrelayError as error:
            refused.append((name_of(file), error_title(error.code), error))
    return taken, refused


def status_of(taken: Sequence[Job], refused: Sequence[Refused]) -> int:
    """Of a form of which something was refused: neither done nor failed where something was taken."""
    if taken:
        return HTTPStatus.MULTI_STATUS
    found = {error.http_status for _, _, error in refused}
    return found.pop() if len(found) == 1 else HTTPStatus.BAD_REQUEST


def take(parts: Parts, file: FileStorage, batch: str | None, batch_name: str | None) -> Job:
    """Accept one file; its name becomes the reference, too."""
    name = name_of(file)
    upload = Upload(file.read(), parse_options({"reference": name, "filename": name}))
    client = caller.current()
    key = key_of(key_text(request), client.scope_of_idempotency, [upload], "job")
    batch_name = batch_name and one_line(batch_name)
    return sent.send(parts, visitors.visitor(), upload, client, key, batch=batch, batch_name=batch_name)


def name_of(file: FileStorage) -> str:
    """The name of a file as it may be kept: one line, without the folders that some browsers send."""
    return one_line((file.filename or "").replace("\\", "/").rpartition("/")[2]) or NAMELESS


def one_line(text: str) -> str:
    """What of a text can be a reference."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text).strip()
    return printable[:MAX_REFERENCE_LENGTH]
