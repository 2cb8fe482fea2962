"""What people call keys and documents by, and whose events they mean by that."""

from __future__ import annotations

from api.service import keys
from api.service.parts import Parts
from shared import ids
from shared.jobs import search

MOST_DOCUMENTS = 200
CUT = "…"
"""Before the end of an id, where the rest is not shown."""


def keys_of(parts: Parts, text: str) -> list[str]:
    """Ids of the keys that have this id, an id with this end, or a name that holds this; the text itself of none."""
    part = text.removeprefix(CUT).lower()
    found = [key.id for key in keys.list_all(parts) if key.id.lower().endswith(part) or part in key.name.lower()]
    return [text] if text in found else found or [text]


def jobs_of(parts: Parts, text: str) -> list[str]:
    """The same for documents, the newest ones; those that were deleted are found by their whole id alone."""
    if ids.is_id(text, "job"):
        return [text]
    with parts.database.read() as connection:
        return search.called(connection, text.removeprefix(CUT), limit=MOST_DOCUMENTS) or [text]
