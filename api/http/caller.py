"""Who asks in the request that is served right now."""

from __future__ import annotations

from flask import g

from api.service.caller import NOBODY, Caller


def note(client: Caller) -> None:
    """Say who asks."""
    g.caller = client


def current() -> Caller:
    """The client of this request; nobody, where it failed before that was asked."""
    client: Caller = g.get("caller", NOBODY)
    return client
