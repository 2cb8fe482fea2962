"""The audit trail: what happened, as a table, a file and in numbers, and whether the record of it is whole."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext

from api.http import trail_files
from api.http.facts import facts
from api.service import keys
from api.service.parts import Parts
from api.service.trail import audit as use_cases
from api.web.operator import trail_filters, words
from api.web.operator.trail_words import ACTORS, BROKEN, EVENTS, who
from api.web.page import is_part, page
from api.web.words import STATES
from shared import errors
from shared.keys.record import Scope

ROWS = 50
CHECKED_AT_ONCE = 20_000


def add(pages: Blueprint, parts: Parts) -> None:
    """Add `/audit…`."""

    @pages.get("/audit")
    @facts(Scope.AUDIT, is_page=True)
    def audit() -> Response:
        """Events that fit, newest first, with the numbers of their time; htmx gets the table alone."""
        values = table(parts)
        if is_part():
            return page("operator/_events.html", **values)
        filters = values["filters"]
        since, until = trail_filters.span_of(filters)
        numbers = numbers_of(parts, since, until)
        return page("operator/audit.html", numbers=numbers, charts=charts_of(numbers.of_events), **values)

    @pages.get("/audit/export")
    @facts(Scope.AUDIT, is_page=True)
    def export_audit() -> Response:
        """Everything that fits, as a file."""
        form = request.args.get("format", "csv")
        if form not in trail_files.MEDIA_TYPES:
            raise errors.InvalidOption(f"format must be one of {', '.join(trail_files.MEDIA_TYPES)}.", option="format")
        return trail_files.answer(parts, wanted(parts, trail_filters.kept(request.args)), form)

    @pages.get("/audit/verify")
    @facts(Scope.AUDIT, is_page=True)
    def check_audit() -> Response:
        """The verdict on some seals and their events; while there are more, the part goes on by itself."""
        first = trail_filters.seal(request.args.get("from_seal"))
        report = use_cases.check(parts, first=first, most_events=CHECKED_AT_ONCE, anchor=None)
        return page("operator/_verdict.html" if is_part() else "operator/verdict.html", report=report, verdicts=BROKEN)


def table(parts: Parts) -> dict[str, Any]:
    """The events of one page, and the way to the older ones."""
    filters = trail_filters.kept(request.args)
    found = use_cases.page(parts, wanted(parts, filters), limit=ROWS, cursor=request.args.get("before") or None)
    onward = found.following and f"{url_for('web.audit')}?{urlencode(filters | {'before': found.following.cursor()})}"
    return {
        "filters": filters,
        "events": found.events,
        "more": onward,
        "names": EVENTS,
        "actors": ACTORS,
        "who": who,
        "roles": words.KINDS | words.ROLES,
        "keys": {key.id: key.name for key in keys.list_all(parts)},
    }


def numbers_of(parts: Parts, since: datetime | None, until: datetime | None) -> use_cases.Numbers:
    """The trail in numbers; raises InvalidOption."""
    try:
        return use_cases.numbers(parts, since, until)
    except errors.InvalidOption:
        message = gettext("The charts show a year at most. Choose days that are nearer to each other.")
        raise errors.InvalidOption(message, option="from") from None


def wanted(parts: Parts, filters: dict[str, str]) -> Any:
    """What the filters mean; raises InvalidOption."""
    return trail_filters.wanted_of(filters, parts)


def charts_of(numbers: dict[str, Any]) -> dict[str, Any]:
    """What the charts draw: labels and heights."""
    bars = numbers["confidence"]["histogram"]
    return {
        "confidence": [[f"{bar['from'] * 100:.0f}–{bar['until'] * 100:.0f} %", bar["count"]] for bar in bars],
        "hours": [[hour["hour"], hour["submitted"]] for hour in numbers["hours"]],
        "outcomes": [[str(STATES.get(name, name)), count] for name, count in numbers["outcomes"].items()],
    }
