"""Language and colours, as somebody chose them by hand: two cookies that hold no more than that."""

from __future__ import annotations

from flask import Blueprint, Response, request

from api.access.visitors import is_encrypted
from api.http.facts import PUBLIC, facts
from api.service.parts import Parts
from api.web import languages
from api.web.page import THEME_COOKIE, THEMES, local, see
from shared import errors

YEAR_SECONDS = 365 * 86_400


def add(pages: Blueprint, parts: Parts) -> None:
    """Add `/preferences`."""

    @pages.post("/preferences")
    @facts(PUBLIC, is_page=True)
    def preferences() -> Response:
        """Keep what was chosen, and go back."""
        chosen = {languages.COOKIE: request.form.get("language"), THEME_COOKIE: request.form.get("theme")}
        allowed = {languages.COOKIE: tuple(languages.NAMES), THEME_COOKIE: THEMES}
        response = see(local(request.form.get("next")) or "/")
        for name, value in chosen.items():
            if value is None:
                continue
            if value not in allowed[name]:
                raise errors.InvalidOption(f"Choose one of {', '.join(allowed[name])}.", option="theme")
            response.set_cookie(
                name, value, YEAR_SECONDS, httponly=True, samesite="Strict", secure=is_encrypted(parts.settings)
            )
        return response
