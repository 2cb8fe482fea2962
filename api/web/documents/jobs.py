"""The list of jobs: filters, pages, and orders for many at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from urllib.parse import urlencode

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from api.formats import archive
from api.formats.table import BY_NAME, FORMATS, NAMES
from api.http import caller, result_files
from api.http.facts import facts
from api.service import jobs as use_cases
from api.service import listing
from api.service.parts import Parts
from api.web.navigation import may
from api.web.page import is_part, page, see
from api.web.words import STATES
from shared import errors, ids
from shared.jobs.search import Wanted
from shared.keys.record import Scope

FIRST_YEAR, LAST_YEAR = 1970, 9998  # a day, or a week, more or less can still be told
FIELDS = ("state", "reference", "text", "below", "from", "until", "batch")
LONGEST = 200
MOST_CHOSEN = 500
ORDERS = {"retry": use_cases.retry, "cancel": use_cases.cancel, "delete": use_cases.delete}


def add(pages: Blueprint, parts: Parts) -> None:
    """Add `/jobs`."""

    @pages.get("/jobs")
    @facts(Scope.READ, is_page=True)
    def jobs() -> Response:
        """One page of the list; htmx gets its table alone."""
        return listed(parts)

    @pages.post("/jobs")
    @facts(Scope.READ, is_page=True)
    def order_jobs() -> Response:
        """Do one thing with all that were chosen: the address of the list says where it was."""
        chosen, order = request.form.getlist("job")[:MOST_CHOSEN], request.form.get("order", "")
        client = caller.current()
        if not chosen:
            return listed(parts, HTTPStatus.UNPROCESSABLE_ENTITY, is_none_chosen=True, source=MultiDict(request.form))
        if order == "download":
            form = BY_NAME.get(request.form.get("format", ""))
            if form is None:
                raise errors.InvalidOption(f"format must be one of {', '.join(NAMES)}.", option="format")
            is_corrected = "corrected" in request.form
            entries = listing.files_of(parts, chosen, client, form=form, is_corrected=is_corrected)
            return result_files.zip_answer(archive.zipped(entries), "ocrelay.zip")
        if not may(client, Scope.SUBMIT):
            raise errors.MissingScope(needed=str(Scope.SUBMIT))
        if order not in ORDERS:
            raise errors.InvalidOption(f"order must be one of {', '.join(ORDERS)} or download.", option="order")
        refused = listing.for_each(chosen, lambda job_id: ORDERS[order](parts, job_id, client))
        if refused:
            return listed(parts, 200, refused=refused, source=MultiDict(request.form))
        before = request.form.get("before")
        return see(address_of(kept(request.form) | ({"before": before} if before else {})))


def listed(parts: Parts, status: int = 200, *, source: MultiDict[str, str] | None = None, **values: object) -> Response:
    """The list as the address, or the form that was sent from it, narrows it."""
    given = request.args if source is None else source
    filters = kept(given)
    before = given.get("before") or None
    found = listing.page_of(parts, wanted_of(filters), caller.current(), before)
    more = address_of(filters | {"before": found.onward}) if found.onward else None
    template = "_jobs.html" if is_part() else "jobs.html"
    return page(
        template,
        status,
        jobs=found.jobs,
        corrected=found.corrected,
        filters=filters,
        more=more,
        before=before,
        states=STATES,
        formats=FORMATS,
        **values,
    )


def address_of(values: dict[str, str]) -> str:
    """The list with filters."""
    return f"{url_for('web.jobs')}?{urlencode(values)}" if values else url_for("web.jobs")


def kept(given: MultiDict[str, str]) -> dict[str, str]:
    """The filters that were filled in."""
    return {name: text for name in FIELDS if (text := given.get(name, "").strip()[:LONGEST])}


def wanted_of(filters: dict[str, str]) -> Wanted:
    """What the filters mean; raises InvalidOption."""
    state, batch = filters.get("state"), filters.get("batch")
    if state is not None and state not in STATES:
        raise errors.InvalidOption(f"state must be one of {', '.join(STATES)}.", option="state")
    if batch is not None and not ids.is_id(batch, "bat"):
        raise errors.InvalidOption("This is no id of a batch.", option="batch")
    until = day(filters.get("until"))
    return Wanted(
        state=state,
        reference=filters.get("reference"),
        text=filters.get("text"),
        confidence_below=share(filters.get("below")),
        created_from=day(filters.get("from")),
        created_until=until and until + timedelta(days=1),
        batch_id=batch,
    )


def share(text: str | None) -> float | None:
    """A percentage as a share; raises InvalidOption."""
    try:
        found = None if text is None else float(text.rstrip("% ")) / 100
    except ValueError:
        found = -1.0
    if found is not None and not 0 <= found <= 1:
        raise errors.InvalidOption(gettext("Confidence is a number from 0 to 100."), option="below")
    return found


def day(text: str | None) -> datetime | None:
    """The beginning of a day, in UTC; raises InvalidOption."""
    try:
        found = None if text is None else datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        if found is not None and not FIRST_YEAR <= found.year <= LAST_YEAR:
            raise ValueError(found.year)
        return found
    except ValueError:
        raise errors.InvalidOption(gettext("A day is written as 2026-01-31."), option="from") from None
