"""The first page: documents come in, and a table shows what becomes of them."""

from __future__ import annotations

from flask import Blueprint, Request, Response, request, url_for
from werkzeug.datastructures import FileStorage

from api.access import limits, visitors
from api.http import caller
from api.http.facts import facts
from api.http.idempotency import key_of, key_text
from api.http.intake import parse_options
from api.service import sent
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
        """Take documents: one from the script, which gets its row; or many from a form, which goes on to the table."""
        files = request.files.getlist(FIELD)
        named = [file for file in files if file.filename or file.stream.read(1)]
        for file in named:
            file.stream.seek(0)
        if not named:
            raise errors.MissingFile("No file was chosen. Choose one, and send it again.")
        if is_script():
            return page("_row.html", 202, job=take(parts, request, named[0]))
        limits.charge(len(named) - 1)
        refused: list[tuple[str, str, errors.OcrelayError]] = []
        for file in named:
            try:
                take(parts, request, file)
            except errors.OcrelayError as error:
                refused.append((name_of(file), error_title(error.code), error))
        return shown(parts, 400, refused=refused) if refused else see(url_for("web.read"))


def shown(parts: Parts, status: int = 200, **values: object) -> Response:
    """The page with its table."""
    found = sent.list_of(parts, visitors.visitor())
    return page("read.html", status, jobs=found, is_waiting=any(not job.is_final for job in found), **values)


def take(parts: Parts, request: Request, file: FileStorage) -> Job:
    """Accept one file; its name becomes the reference."""
    upload = Upload(file.read(), parse_options({"reference": name_of(file)}))
    client = caller.current()
    key = key_of(key_text(request), client.scope_of_idempotency, [upload], "job")
    return sent.send(parts, visitors.visitor(), upload, client, key)


def name_of(file: FileStorage) -> str:
    """The name of a file as it may be kept: one line, without the folders that some browsers send."""
    name = (file.filename or "").replace("\\", "/").rpartition("/")[2]
    printable = "".join(sign if sign.isprintable() else " " for sign in name).strip()
    return printable[:MAX_REFERENCE_LENGTH] or NAMELESS
