"""A result as a file: in every format that the service has, with or without what people corrected."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, request

from api.formats.format import Choices
from api.formats.table import BY_NAME, NAMES
from api.http import caller, result_files
from api.http.facts import facts
from api.service import corrections, results
from api.service import jobs as use_cases
from api.service.parts import Parts
from shared import errors
from shared.keys.record import Scope


def add(pages: Blueprint, parts: Parts) -> None:
    """Add `/jobs/ID/download`."""

    @pages.get("/jobs/<job_id>/download")
    @facts(Scope.READ, is_page=True)
    def download(job_id: str) -> Response:
        """The file; a choice that means nothing for its format is passed over, for the form offers all of them."""
        client, wanted = caller.current(), request.args
        form = BY_NAME.get(wanted.get("format", ""))
        if form is None:
            raise errors.InvalidOption(f"format must be one of {', '.join(NAMES)}.", option="format")
        choices = Choices(**{name: name in wanted for name in form.choices})
        job = use_cases.find(parts, job_id, client)
        shown = corrections.corrected(parts, job) if "corrected" in wanted else job
        source = replace(results.source_of(parts, shown, choices), name=results.called(job))
        answer = result_files.answer(form, source)
        if "show" not in wanted:
            answer.headers["Content-Disposition"] = answer.headers["Content-Disposition"].replace(
                "inline", "attachment"
            )
        use_cases.note_read(parts, job, client)
        return answer
