"""What stands at the top of every page."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import LazyString, lazy_gettext

from api.service.caller import Caller
from shared.keys.record import Scope


@dataclass(frozen=True)
class Entry:
    """One page in the list: the name of its view, what it is called, what a key needs to open it, and also needs.

    under: the view of what it lists.
    """

    endpoint: str
    title: LazyString
    scope: Scope
    also: Scope | None = None
    under: str = ""


ENTRIES = (
    Entry("web.read", lazy_gettext("Read"), Scope.SUBMIT),
    Entry("web.jobs", lazy_gettext("Jobs"), Scope.READ, under="web.result"),
    Entry("web.batches", lazy_gettext("Batches"), Scope.READ, under="web.batch"),
    Entry("web.review", lazy_gettext("Review"), Scope.SUBMIT, Scope.READ),
    Entry("web.models", lazy_gettext("Models"), Scope.ADMIN, under="web.bring_models"),
    Entry("web.api_keys", lazy_gettext("Keys"), Scope.ADMIN),
    Entry("web.webhooks", lazy_gettext("Webhooks"), Scope.ADMIN),
    Entry("web.deliveries", lazy_gettext("Deliveries"), Scope.READ, under="web.delivery"),
    Entry("web.audit", lazy_gettext("Audit"), Scope.AUDIT),
    Entry("web.status", lazy_gettext("Status"), Scope.AUDIT),
)


def may(client: Caller, scope: Scope | str) -> bool:
    """As `Caller.may`, for templates, which have the names of scopes."""
    return client.may(Scope(scope))


def entries_for(client: Caller) -> list[Entry]:
    """The pages that somebody may open."""
    return [entry for entry in ENTRIES if may(client, entry.scope) and may(client, entry.also or entry.scope)]
