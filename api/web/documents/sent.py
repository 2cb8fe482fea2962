"""How the documents of the first page go on: rows of its table, told as they change."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, render_template, request, stream_with_context, url_for

from api.access import visitors
from api.http import caller
from api.http.facts import facts
from api.service import jobs as use_cases
from api.service import sent
from api.service.caller import Caller
from api.service.parts import Parts
from api.web.page import see
from shared import clock, errors
from shared.jobs import Job
from shared.keys.record import Scope

LOOK_SECONDS = 0.5
RECONNECT_MS = 1000


def add(pages: Blueprint, parts: Parts) -> None:
    """Add `/sent/…`."""

    @pages.get("/sent/events")
    @facts(Scope.READ, is_page=True)
    def sent_events() -> Response:
        """Each row when it changes, all of them at first; `done` once nothing will change any more."""
        stream = follow(parts, visitors.visitor(), caller.current())
        response = Response(stream_with_context(stream), mimetype="text/event-stream")
        response.headers["X-Accel-Buffering"] = "no"
        return response

    @pages.post("/sent/clear")
    @facts(Scope.READ, is_page=True)
    def clear_sent() -> Response:
        """Empty the table; the documents stay in the list of jobs."""
        sent.clear(parts, visitors.visitor())
        return see(url_for("web.read"))

    @pages.post("/jobs/<job_id>/retry")
    @facts(Scope.SUBMIT, is_page=True)
    def retry_job(job_id: str) -> Response:
        """Read it again."""
        use_cases.retry(parts, job_id, caller.current())
        return see(url_for("web.result", job_id=job_id))

    @pages.post("/jobs/<job_id>/cancel")
    @facts(Scope.SUBMIT, is_page=True)
    def cancel_job(job_id: str) -> Response:
        """Read it no further."""
        use_cases.cancel(parts, job_id, caller.current())
        return see(url_for("web.result", job_id=job_id))

    @pages.post("/jobs/<job_id>/delete")
    @facts(Scope.SUBMIT, is_page=True)
    def delete_job(job_id: str) -> Response:
        """Delete it with its file, its text and its corrections."""
        use_cases.delete(parts, job_id, caller.current())
        return see(url_for("web.jobs"))


def follow(parts: Parts, visitor: str, client: Caller) -> Iterator[str]:
    """Events of one visitor's table, no longer than the session; without a place among the waiting only the first."""
    yield f"retry: {RECONNECT_MS}\n\n"
    seen: dict[str, tuple[object, ...]] = {}
    deadline = clock.monotonic() + parts.settings.wait_limit_seconds
    with parts.waiting.place() as taken:
        while True:
            try:
                if client.key and visitors.key_of(request, visitors.ring(), parts) is None:
                    return
                changed, has_ended = sent.changes(parts, visitor, seen)
            except errors.DatabaseUnavailable:  # the browser asks again
                return
            for job in changed:
                yield event("row", row(job))
            if has_ended:
                yield event("done", "")
                return
            if not taken or clock.monotonic() >= deadline:
                return
            waited = next((job_id for job_id, state in seen.items() if state[0] in ("queued", "running")), "")
            parts.waiting.until_final(waited, LOOK_SECONDS)
            yield ": still there\n\n"  # a write finds out whether the browser is


def row(job: Job) -> str:
    """One row of the table."""
    return render_template("_row.html", job=job)


def event(name: str, text: str) -> str:
    """One event; its data may have lines."""
    data = "".join(f"data: {line}\n" for line in text.splitlines()) or "data:\n"
    return f"event: {name}\n{data}\n"
