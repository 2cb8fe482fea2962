"""The page of one document: its image beside its text, each showing where the other one is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext

from api.formats.table import FORMATS
from api.http import caller
from api.http.facts import facts
from api.service import corrections, review
from api.service import jobs as use_cases
from api.service.page_image import DEFAULT_WIDTH, MEDIA_TYPE, WIDEST, page_image
from api.service.parts import Parts
from api.web.page import is_script, page, see
from shared import errors
from shared.jobs import Job
from shared.jobs.corrections import Correction
from shared.keys.record import Scope

KEEP_IMAGE = "private, max-age=600"
"""A browser shows the same image many times; it forgets it soon, for a document can be deleted."""


def add(pages: Blueprint, parts: Parts) -> None:
    """Add `/jobs/ID` and what it shows."""

    @pages.get("/jobs/<job_id>")
    @facts(Scope.READ, is_page=True)
    def result(job_id: str) -> Response:
        """One page of a document with its lines; before it was read, how far it is."""
        client = caller.current()
        job = use_cases.find(parts, job_id, client)
        if job.result is None:
            return page("progress.html", job=job)
        use_cases.note_read(parts, job, client)
        return page("result.html", formats=FORMATS, **shown(parts, job, number(request.args.get("page"), 1)))

    @pages.get("/jobs/<job_id>/progress")
    @facts(Scope.READ, is_page=True, is_quiet=True)
    def progress(job_id: str) -> Response:
        """How far it is, as a part of its page; once it has ended, the page is loaded again."""
        job = use_cases.find(parts, job_id, caller.current())
        answer = page("_progress.html", job=job)
        if job.is_final:
            answer.headers["HX-Refresh"] = "true"
        return answer

    @pages.get("/jobs/<job_id>/pages/<page_number>.jpg")
    @facts(Scope.READ, is_page=True)
    def image(job_id: str, page_number: str) -> Response:
        """One page as an image, no wider than is asked for."""
        job = use_cases.find(parts, job_id, caller.current())
        width = min(max(number(request.args.get("width"), DEFAULT_WIDTH), 16), WIDEST)
        answer = Response(page_image(parts, job, number(page_number, 0), width), mimetype=MEDIA_TYPE)
        answer.headers["Cache-Control"] = KEEP_IMAGE
        use_cases.note_read(parts, job, caller.current())
        return answer

    @pages.post("/jobs/<job_id>/corrections")
    @facts(Scope.SUBMIT, is_page=True)
    def correct(job_id: str) -> Response:
        """Say what a line holds: the script gets the line, and how many are left; a form goes back to its page."""
        form = request.form
        page_number, line_number = number(form.get("page_number"), 0), number(form.get("line_number"), 0)
        before, after = form.get("before", ""), form.get("after", "").strip()
        if len(after) > corrections.LONGEST_LINE or not re.fullmatch(corrections.PRINTABLE, after):
            most = corrections.LONGEST_LINE
            message = gettext("A line has at most %(most)d characters, and no control characters.", most=most)
            raise errors.InvalidOption(message)
        made = corrections.add(
            parts, job_id, caller.current(),
            page_number=page_number, line_number=line_number, before=before, after=after,
        )  # fmt: skip
        if not is_script():
            return see(url_for("web.result", job_id=job_id, page=page_number) + f"#line-{line_number}")
        values = shown(parts, use_cases.find(parts, job_id, caller.current()), page_number, made)
        return page("_corrected.html", 201, line=values["lines"][line_number - 1], **values)


def shown(parts: Parts, job: Job, page_number: int, made: Sequence[Correction] | None = None) -> dict[str, Any]:
    """What the page of a result is made of."""
    assert job.result is not None, "looked at before"
    made = corrections.list_of(parts, job) if made is None else made
    of_page = page_of(job, page_number) if job.result["pages"] else None
    doubts = review.doubtful_pages(job.result, made)
    return {
        "job": job,
        "pages": [one["page_number"] for one in job.result["pages"]],
        "page": of_page,
        "lines": review.lines_of(of_page, made) if of_page else [],
        "doubts": doubts,
        "next_doubtful": min((one for one in doubts if one > page_number), default=None),
        "previous_doubtful": max((one for one in doubts if one < page_number), default=None),
        "corrections": made,
    }


def page_of(job: Job, page_number: int) -> dict[str, Any]:
    """A page of the result; raises NotFound."""
    pages = (job.result or {}).get("pages", ())
    found = next((one for one in pages if one["page_number"] == page_number), None)
    if found is None and page_number == 1 and pages:  # others were chosen
        found = pages[0]
    if found is None:
        raise errors.NotFound("The document has no such page, or it was not read.", page=page_number)
    return dict(found)


def number(text: str | None, otherwise: int) -> int:
    """A number of an address or a form; nonsense is what is taken otherwise."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 8 else otherwise
