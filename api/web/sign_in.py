"""Signing in with an API key, and out again."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for

from api.access import visitors
from api.access.client_ip import bucket
from api.http import caller, request_log
from api.http.facts import PUBLIC, facts
from api.service.parts import Parts
from api.web.page import local, page, see
from api.web.words import error_title
from shared import errors


def add(pages: Blueprint, parts: Parts) -> None:
    """Add `/sign-in` and `/sign-out`."""

    @pages.get("/sign-in")
    @facts(PUBLIC, is_page=True)
    def sign_in() -> Response:
        """The form; who needs none goes on."""
        onward = local(request.args.get("next")) or url_for("web.read")
        if visitors.ring().is_empty() or caller.current().key is not None:
            return see(onward)
        return page("sign_in.html", onward=onward)

    @pages.post("/sign-in")
    @facts(PUBLIC, is_page=True)
    def enter() -> Response:
        """Exchange the key for a session."""
        onward = local(request.form.get("next")) or url_for("web.read")
        client, text = caller.current(), request.form.get("key", "").strip()
        try:
            visitors.sign_in(parts, visitors.ring(), text, client, bucket(client.address))
        except (errors.InvalidKey, errors.TooManyWrongKeys) as error:
            request_log.note_code(request.environ, error.code)
            values = {"problem": error.to_json(), "title": error_title(error.code)}
            return page("sign_in.html", error.http_status, onward=onward, **values)
        return see(onward)

    @pages.post("/sign-out")
    @facts(PUBLIC, is_page=True)
    def sign_out() -> Response:
        """End the session."""
        visitors.sign_out(parts, caller.current())
        return see(url_for("web.sign_in"))
