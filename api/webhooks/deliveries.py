"""`/v1/deliveries`: what was sent to whom, every attempt, and sending it again."""

from __future__ import annotations

from flask import Response, jsonify, url_for
from flask_openapi3 import APIBlueprint

from api.jobs import schemas
from api.service import caller
from api.service.parts import Parts
from api.webhooks import schemas as webhook_schemas
from api.webhooks.wire import delivery_document
from shared import errors, ids
from shared.webhooks import deliveries, endpoints
from shared.webhooks.record import Delivery


def blueprint(parts: Parts) -> APIBlueprint:
    """The routes, bound to the process's service."""
    routes = APIBlueprint(
        "deliveries",
        __name__,
        url_prefix="/v1/deliveries",
        abp_tags=[webhook_schemas.WEBHOOKS],
        abp_responses=schemas.ERRORS,
    )

    @routes.get(
        "",
        operation_id="list_deliveries",
        summary="List deliveries, newest first",
        responses={200: webhook_schemas.DeliveryList},
    )
    def list_deliveries(query: webhook_schemas.DeliveryQuery) -> Response:
        """Every filter narrows the list; `cursor` goes on where the last page ended."""
        if query.cursor is not None and not ids.is_id(query.cursor, "dlv"):
            raise errors.InvalidCursor()
        wanted = query.model_dump(exclude={"limit", "cursor"})
        with parts.database.read() as connection:
            mine = caller.current().reads_of
            found = deliveries.list_deliveries(
                connection, **wanted, key_id=mine, limit=query.limit + 1, before=query.cursor
            )
        more = len(found) > query.limit
        found = found[: query.limit]
        return jsonify(
            {
                "deliveries": [delivery_document(delivery) for delivery in found],
                "next_cursor": found[-1].id if more else None,
            }
        )

    @routes.get(
        "/<delivery_id>",
        operation_id="get_delivery",
        summary="Look at a delivery",
        responses={200: webhook_schemas.DeliveryWithAttempts, 404: schemas.PROBLEM},
    )
    def get_delivery(path: webhook_schemas.DeliveryPath, query: schemas.NoQuery) -> Response:
        """The delivery with its payload and every attempt: time, address, status, first bytes of the answer."""
        del query
        check_id(path.delivery_id)
        with parts.database.read() as connection:
            delivery = deliveries.get(connection, path.delivery_id)
            attempts = deliveries.list_attempts(connection, path.delivery_id)
        mine = caller.current().reads_of
        return jsonify(delivery_document(known(delivery, path.delivery_id, mine), attempts))

    @routes.post(
        "/<delivery_id>/redeliver",
        operation_id="redeliver",
        summary="Send a delivery again",
        responses={202: webhook_schemas.DeliveryDocument, 404: schemas.PROBLEM, 409: schemas.PROBLEM},
    )
    def redeliver(path: webhook_schemas.DeliveryPath, query: schemas.NoQuery) -> Response:
        """At once, under the same `webhook-id`, and by the whole schedule if it is not taken."""
        del query
        check_id(path.delivery_id)
        with parts.database.write() as connection:
            found = deliveries.get(connection, path.delivery_id)
            delivery = known(found, path.delivery_id, caller.current().changes_of)
            endpoint = endpoints.get(connection, delivery.endpoint_id)
            if endpoint is None:
                raise errors.EndpointNotFound(endpoint_id=delivery.endpoint_id)
            if not endpoint.is_enabled:
                raise errors.EndpointDisabled(endpoint_id=endpoint.id, reason=endpoint.disabled_reason)
            again = deliveries.redeliver(connection, delivery.id, actor=caller.current().actor)
        if again is None:
            raise errors.DeliveryRunning(delivery_id=delivery.id)
        response = jsonify(delivery_document(again))
        response.status_code = 202
        response.headers["Location"] = url_for("deliveries.get_delivery", delivery_id=delivery.id)
        return response

    return routes


def check_id(delivery_id: str) -> None:
    """Raises DeliveryNotFound where it cannot be one."""
    if not ids.is_id(delivery_id, "dlv"):
        raise errors.DeliveryNotFound(delivery_id=delivery_id[:64])


def known(delivery: Delivery | None, delivery_id: str, key_id: str | None) -> Delivery:
    """The delivery that was found, of this API key or of anybody; raises DeliveryNotFound."""
    if delivery is None or key_id not in (None, delivery.key_id):
        raise errors.DeliveryNotFound(delivery_id=delivery_id[:64])
    return delivery
