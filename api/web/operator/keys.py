"""API keys: made here and shown once, looked at, ended."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for

from api.access import visitors
from api.http import caller
from api.http.facts import facts
from api.service import keys as use_cases
from api.service.parts import Parts
from api.web.operator import words
from api.web.page import page, see
from shared import errors
from shared.keys.commands import state_of
from shared.keys.record import ApiKey, Scope


def add(pages: Blueprint, parts: Parts) -> None:
    """Add `/keys…`."""

    @pages.get("/keys")
    @facts(Scope.ADMIN, is_page=True)
    def api_keys() -> Response:
        """All keys, never their secrets."""
        return listed(parts)

    @pages.post("/keys")
    @facts(Scope.ADMIN, is_page=True)
    def create_key() -> Response:
        """Make a key. This answer alone holds its text: it is never stored, so no later page can show it."""
        given = request.form
        scopes = {Scope(name) for name in given.getlist("scope") if name in tuple(Scope)}
        key, text = use_cases.create(
            parts, given.get("name", "").strip(), scopes, caller.current(), days=days_of(given.get("days", ""))
        )
        visitors.ring().look_again()
        return listed(parts, made=key, text=text)

    @pages.post("/keys/<key_id>/revoke")
    @facts(Scope.ADMIN, is_page=True)
    def revoke_key(key_id: str) -> Response:
        """End a key for good."""
        use_cases.revoke(parts, key_id, caller.current())
        visitors.ring().look_again()
        return see(url_for("web.api_keys"))


def listed(parts: Parts, made: ApiKey | None = None, text: str = "") -> Response:
    """The page, with a key that was just made."""
    found = [(key, state_of(key)) for key in use_cases.list_all(parts)]
    return page("operator/keys.html", keys=found, scopes=list(Scope), told=words, made=made, text=text)


def days_of(text: str) -> float | None:
    """For how long a key shall be good; None: for ever. Raises InvalidOption."""
    try:
        return float(text) if text.strip() else None
    except ValueError:
        raise errors.InvalidOption("days must be a number.", option="days") from None
