"""The JSON shapes of endpoints, deliveries and attempts, the same in the API and on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.clock import timestamp
from shared.webhooks.record import Delivery, DeliveryAttempt, DeliveryState, Endpoint


def endpoint_document(endpoint: Endpoint) -> dict[str, Any]:
    """Return an endpoint as JSON-ready objects. Its secrets are shown by a call of their own."""
    return {
        "id": endpoint.id,
        "created_at": timestamp(endpoint.created_at),
        "url": endpoint.url,
        "description": endpoint.description,
        "event_types": endpoint.event_types,
        "enabled": endpoint.is_enabled,
        "disabled_at": timestamp(endpoint.disabled_at),
        "disabled_reason": endpoint.disabled_reason,
    }


def delivery_document(delivery: Delivery, attempts: Sequence[DeliveryAttempt] | None = None) -> dict[str, Any]:
    """Return a delivery as JSON-ready objects, with its attempts where they are given."""
    is_queued = delivery.state is DeliveryState.QUEUED
    document = {
        "id": delivery.id,
        "endpoint_id": delivery.endpoint_id,
        "job_id": delivery.job_id,
        "event_type": delivery.event_type,
        "url": delivery.url,
        "state": str(delivery.state),
        "attempt": delivery.attempt,
        "created_at": timestamp(delivery.created_at),
        "due_at": timestamp(delivery.due_at) if is_queued else None,
        "finished_at": timestamp(delivery.finished_at),
        "reason": delivery.reason,
    }
    if attempts is None:
        return document
    return {**document, "payload": delivery.payload, "attempts": [attempt_document(attempt) for attempt in attempts]}


def attempt_document(attempt: DeliveryAttempt) -> dict[str, Any]:
    """Return one attempt as JSON-ready objects."""
    return {
        "number": attempt.number,
        "started_at": timestamp(attempt.started_at),
        "finished_at": timestamp(attempt.finished_at),
        "duration_ms": attempt.duration_ms,
        "address": attempt.address,
        "status": attempt.status,
        "error": attempt.error,
        "detail": attempt.detail,
        "answer": attempt.answer,
    }
