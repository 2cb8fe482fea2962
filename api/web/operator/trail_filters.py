"""The filters of the page of the audit trail, and what they mean."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from api.access.client_ip import truncated
from api.service.parts import Parts
from api.service.trail import names
from api.web.documents.jobs import LONGEST, day
from api.web.operator.trail_words import ACTORS, EVENTS
from shared import errors
from shared.audit import addresses
from shared.audit.queries import Wanted
from shared.settings import Settings

FIELDS = ("event", "actor", "key", "ip", "job", "sha256", "from", "until")
COLUMNS = {"event": "event", "actor": "actor"}
"""Filters that are columns, those that fit the fewest events first."""
CALLED = {"job": ("job_id", names.jobs_of), "key": ("key_id", names.keys_of)}
"""Filters that people fill in by a name, or by a part of an id, too; they fit the fewest events."""


def kept(given: MultiDict[str, str]) -> dict[str, str]:
    """The filters that were filled in."""
    return {name: text for name in FIELDS if (text := given.get(name, "").strip()[:LONGEST].replace("\0", ""))}


def span_of(filters: dict[str, str]) -> tuple[datetime | None, datetime | None]:
    """The days that are meant, the last one included; raises InvalidOption."""
    since, last = day(filters.get("from")), day(filters.get("until"))
    until = last and last + timedelta(days=1)
    if since is not None and until is not None and since >= until:
        raise errors.InvalidOption(gettext("The first day comes after the last one."), option="from")
    return since, until


def wanted_of(filters: dict[str, str], parts: Parts) -> Wanted:
    """What the filters mean; raises InvalidOption."""
    event, ip, sha256 = filters.get("event"), filters.get("ip"), filters.get("sha256", "").lower()
    if event is not None and event not in EVENTS:
        raise errors.InvalidOption(f"event must be one of {', '.join(EVENTS)}.", option="event")
    if sha256 and not re.fullmatch("[0-9a-f]{4,64}", sha256):
        raise errors.InvalidOption(gettext("A SHA-256 begins with 4 digits or more from 0 to f."), option="sha256")
    since, until = span_of(filters)
    said = filters | ({"actor": actor_of(filters["actor"])} if "actor" in filters else {})
    called = {column: ids_of(parts, said[name]) for name, (column, ids_of) in CALLED.items() if name in said}
    one = {column: found[0] for column, found in called.items() if len(found) == 1}
    return Wanted(
        since=since,
        until=until,
        ip_range=None if ip is None else network(ip, parts.settings),
        sha256_range=(sha256.ljust(64, "0"), sha256.ljust(64, "f")) if sha256 else None,
        equal=one | {column: said[name] for name, column in COLUMNS.items() if name in said},
        among={column: found for column, found in called.items() if column not in one},
    )


def actor_of(text: str) -> str:
    """Whom the trail calls what the page calls so."""
    return next((name for name, title in ACTORS.items() if str(title) == text), text)


def network(text: str, settings: Settings) -> tuple[str, str]:
    """The first and the last address of a block; raises InvalidOption."""
    try:
        return addresses.key_range(str(truncated(text, settings)))
    except ValueError:
        message = gettext("Give an address like 192.0.2.7, or a block like 192.0.2.0/24.")
        raise errors.InvalidOption(message, option="ip") from None


def seal(text: str | None) -> int:
    """The number of the seal to begin with; nonsense is the first."""
    return max(1, int(text)) if text and text.isascii() and text.isdigit() and len(text) < 13 else 1
