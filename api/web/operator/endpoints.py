"""Webhook endpoints: made, changed, tried and deleted; their secrets shown and renewed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request, url_for

from api.http import caller, request_log
from api.http.facts import facts
from api.service import endpoints as use_cases
from api.service.parts import Parts
from api.web.operator import words
from api.web.page import page, see
from shared import errors
from shared.keys.record import Scope
from shared.webhooks.record import EVENT_TYPES, JOB_URLS, Endpoint

NEW = "new"
"""The form that makes an endpoint; the others have the ids of theirs."""


def add(pages: Blueprint, parts: Parts) -> None:
    """Add `/webhooks` and `/webhooks/ENDPOINT…`."""

    @pages.get("/webhooks")
    @facts(Scope.ADMIN, is_page=True)
    def webhooks() -> Response:
        """All endpoints, the built-in one first."""
        return listed(parts)

    @pages.post("/webhooks")
    @facts(Scope.ADMIN, is_page=True)
    def create_endpoint() -> Response:
        """Make an endpoint; this answer shows its secret."""
        given = values_of_form()
        try:
            endpoint, secret = use_cases.create(parts, given, caller.current())
        except errors.InvalidWebhookUrl as error:
            return refused(parts, NEW, given, error)
        return listed(parts, shown=endpoint, secrets=[secret])

    @pages.post("/webhooks/<endpoint_id>")
    @facts(Scope.ADMIN, is_page=True)
    def change_endpoint(endpoint_id: str) -> Response:
        """Change it as a whole: the form holds all of it."""
        given, is_enabled = values_of_form(), "enabled" in request.form
        try:
            use_cases.change(parts, endpoint_id, given, caller.current(), enabled=is_enabled)
        except errors.InvalidWebhookUrl as error:
            return refused(parts, endpoint_id, given | {"is_enabled": is_enabled}, error)
        return see(url_for("web.webhooks"))

    @pages.post("/webhooks/<endpoint_id>/delete")
    @facts(Scope.ADMIN, is_page=True)
    def delete_endpoint(endpoint_id: str) -> Response:
        """Delete it, and cancel what is queued for it."""
        use_cases.delete(parts, endpoint_id, caller.current())
        return see(url_for("web.webhooks"))

    @pages.post("/webhooks/<endpoint_id>/ping")
    @facts(Scope.ADMIN, is_page=True)
    def ping_endpoint(endpoint_id: str) -> Response:
        """Send a test message, and go where its outcome is seen."""
        return see(url_for("web.delivery", delivery_id=use_cases.ping(parts, endpoint_id).id))

    @pages.post("/webhooks/<endpoint_id>/secret")
    @facts(Scope.ADMIN, is_page=True)
    def show_secret(endpoint_id: str) -> Response:
        """Show what signs for it. By a form: the answer to an address may be shown by somebody else's."""
        return listed(parts, use_cases.find(parts, endpoint_id), use_cases.secrets(parts, endpoint_id))

    @pages.post("/webhooks/<endpoint_id>/rotate-secret")
    @facts(Scope.ADMIN, is_page=True)
    def rotate_secret(endpoint_id: str) -> Response:
        """Give it a new secret; the old one goes on signing beside it for a while."""
        secrets = use_cases.rotate_secret(parts, endpoint_id, caller.current())
        return listed(parts, use_cases.find(parts, endpoint_id), secrets)


def refused(parts: Parts, form: str, given: dict[str, Any], error: errors.OcrelayError) -> Response:
    """The page whose form holds what was given, and says at the address why that was refused."""
    request_log.note_code(request.environ, error.code)
    return listed(parts, status=error.http_status, wrong={"form": form, "given": given, "error": error.to_json()})


def listed(
    parts: Parts,
    shown: Endpoint | None = None,
    secrets: list[str] | None = None,
    status: int = 200,
    wrong: dict[str, Any] | None = None,
) -> Response:
    """The page, with the secrets of one endpoint where they were asked for, and with what is wrong in a form."""
    return page(
        "operator/webhooks.html",
        status,
        wrong=wrong,
        endpoints=use_cases.list_all(parts),
        built_in=JOB_URLS,
        event_types=EVENT_TYPES,
        shown=shown,
        secrets=secrets,
        told=words,
    )


def values_of_form() -> dict[str, Any]:
    """What the form of an endpoint says."""
    given = request.form
    return {
        "url": given.get("url", "").strip(),
        "description": given.get("description", "").strip() or None,
        "event_types": [name for name in EVENT_TYPES if name in given.getlist("event_type")],
    }
