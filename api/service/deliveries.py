"""What clients ask of deliveries: the list, one with its attempts, and sending it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.service.caller import Caller
from api.service.parts import Parts
from shared import errors, ids
from shared.webhooks import deliveries, endpoints
from shared.webhooks.record import Delivery, DeliveryAttempt


def page(
    parts: Parts, wanted: Mapping[str, Any], client: Caller, *, limit: int, cursor: str | None
) -> tuple[list[Delivery], str | None]:
    """Deliveries that the client may see, newest first, and the cursor of the next page; raises InvalidCursor."""
    if cursor is not None and not ids.is_id(cursor, "dlv"):
        raise errors.InvalidCursor()
    with parts.database.read() as connection:
        found = deliveries.list_deliveries(connection, **wanted, key_id=client.reads_of, limit=limit + 1, before=cursor)
    more, found = len(found) > limit, found[:limit]
    return found, found[-1].id if more else None


def find(parts: Parts, delivery_id: str, client: Caller) -> tuple[Delivery, list[DeliveryAttempt]]:
    """The delivery with its attempts, if the client may see it; raises DeliveryNotFound."""
    _check_id(delivery_id)
    with parts.database.read() as connection:
        delivery = deliveries.get(connection, delivery_id)
        attempts = deliveries.list_attempts(connection, delivery_id)
    return _known(delivery, delivery_id, client.reads_of), attempts


def redeliver(parts: Parts, delivery_id: str, client: Caller) -> Delivery:
    """Send a delivery again, at once.

    Raises DeliveryNotFound, EndpointNotFound, EndpointDisabled, DeliveryRunning.
    """
    _check_id(delivery_id)
    with parts.database.write() as connection:
        delivery = _known(deliveries.get(connection, delivery_id), delivery_id, client.changes_of)
        endpoint = endpoints.get(connection, delivery.endpoint_id)
        if endpoint is None:
            raise errors.EndpointNotFound(endpoint_id=delivery.endpoint_id)
        if not endpoint.is_enabled:
            raise errors.EndpointDisabled(endpoint_id=endpoint.id, reason=endpoint.disabled_reason)
        again = deliveries.redeliver(connection, delivery.id, actor=client.actor)
    if again is None:
        raise errors.DeliveryRunning(delivery_id=delivery.id)
    return again


def _check_id(delivery_id: str) -> None:
    """Raises DeliveryNotFound where it cannot be one."""
    if not ids.is_id(delivery_id, "dlv"):
        raise errors.DeliveryNotFound(delivery_id=delivery_id[:64])


def _known(delivery: Delivery | None, delivery_id: str, key_id: str | None) -> Delivery:
    """The delivery that was found, of this API key or of anybody; raises DeliveryNotFound."""
    if delivery is None or key_id not in (None, delivery.key_id):
        raise errors.DeliveryNotFound(delivery_id=delivery_id[:64])
    return delivery
