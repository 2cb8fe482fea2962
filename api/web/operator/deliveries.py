"""Deliveries of webhooks: the list, one with its attempts, and sending it again."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response, request, url_for

from api.http import caller
from api.http.facts import facts
from api.service import deliveries as use_cases
from api.service import endpoints
from api.service.parts import Parts
from api.web.navigation import may
from api.web.operator import words
from api.web.page import is_part, page, see
from shared.keys.record import Scope
from shared.webhooks.record import EVENT_TYPES, PING, DeliveryState

PAGE_SIZE = 50
FIELDS = ("state", "endpoint_id", "event_type", "job_id")
LONGEST = 64
OPEN = (DeliveryState.QUEUED, DeliveryState.RUNNING)


def add(pages: Blueprint, parts: Parts) -> None:
    """Add `/deliveries…`."""

    @pages.get("/deliveries")
    @facts(Scope.READ, is_page=True)
    def deliveries() -> Response:
        """One page of the list; htmx gets its table alone."""
        client, before = caller.current(), request.args.get("before") or None
        filters = {name: text for name in FIELDS if (text := request.args.get(name, "").strip()[:LONGEST])}
        found, onward = use_cases.page(parts, filters, client, limit=PAGE_SIZE, cursor=before)
        return page(
            "operator/_deliveries.html" if is_part() else "operator/deliveries.html",
            deliveries=found,
            filters=filters,
            before=before,
            more=f"{url_for('web.deliveries')}?{urlencode(filters | {'before': onward})}" if onward else None,
            endpoints=endpoints.list_all(parts) if may(client, Scope.ADMIN) else [],
            event_types=(*EVENT_TYPES, PING),
            told=words,
        )

    @pages.get("/deliveries/<delivery_id>")
    @facts(Scope.READ, is_page=True)
    def delivery(delivery_id: str) -> Response:
        """One with its attempts; htmx gets what may change."""
        found, attempts = use_cases.find(parts, delivery_id, caller.current())
        template = "operator/_delivery.html" if is_part() else "operator/delivery.html"
        return page(template, delivery=found, attempts=attempts, is_open=found.state in OPEN, told=words)

    @pages.post("/deliveries/<delivery_id>/redeliver")
    @facts(Scope.SUBMIT, is_page=True)
    def redeliver(delivery_id: str) -> Response:
        """Send it again at once, under the same id."""
        use_cases.redeliver(parts, delivery_id, caller.current())
        return see(url_for("web.delivery", delivery_id=delivery_id))
