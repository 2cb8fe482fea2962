"""Batches: how far each is, its results in one file, and its end by order."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for

from api.formats import archive
from api.formats.format import Choices
from api.formats.table import BY_NAME, FORMATS, NAMES
from api.http import caller, result_files
from api.http.facts import facts
from api.service import batches as use_cases
from api.service import jobs, results
from api.service.parts import Parts
from api.web.page import is_part, page, see
from api.web.words import STATES
from shared import errors
from shared.keys.record import Scope


def add(pages: Blueprint, parts: Parts) -> None:
    """Add `/batches…`."""

    @pages.get("/batches")
    @facts(Scope.READ, is_page=True)
    def batches() -> Response:
        """One page of the list, the newest first; htmx gets its rows anew."""
        before = request.args.get("before") or None
        found, onward = use_cases.page_of(parts, caller.current(), before)
        template = "_batches.html" if is_part() else "batches.html"
        return page(template, batches=found, before=before, onward=onward, states=STATES)

    @pages.get("/batches/<batch_id>")
    @facts(Scope.READ, is_page=True)
    def batch(batch_id: str) -> Response:
        """One of them; htmx gets how far it is."""
        found = use_cases.find(parts, batch_id, caller.current())
        template = "_batch.html" if is_part() else "batch.html"
        return page(template, progress=found, states=STATES, formats=FORMATS)

    @pages.get("/batches/<batch_id>/results")
    @facts(Scope.READ, is_page=True)
    def batch_results(batch_id: str) -> Response:
        """A zip of its results, as the API gives it, but for the names: each is that of its document."""
        client, form = caller.current(), BY_NAME.get(request.args.get("format", ""))
        if form is None:
            raise errors.InvalidOption(f"format must be one of {', '.join(NAMES)}.", option="format")
        body = use_cases.document(use_cases.ended(parts, batch_id, client))
        found = use_cases.jobs_of(parts, body["id"])
        entries = results.files_of_batch(parts, client, found, body, form=form, choices=Choices(), is_named=True)
        return result_files.zip_answer(
            archive.zipped(entries), f"{results.file_name(body['reference'] or '') or body['id']}.zip"
        )

    @pages.post("/batches/<batch_id>/cancel")
    @facts(Scope.SUBMIT, is_page=True)
    def cancel_batch(batch_id: str) -> Response:
        """Stop those of its documents that have not ended."""
        jobs.cancel_batch(parts, batch_id, caller.current())
        return see(url_for("web.batch", batch_id=batch_id))
