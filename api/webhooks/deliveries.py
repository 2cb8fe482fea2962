"""`/v1/deliveries`: what was sent to whom, every attempt, and sending it again."""

from __future__ import annotations

from flask import Response, jsonify, url_for
from flask_openapi3 import APIBlueprint

from api.http import answers, caller
from api.http.facts import facts
from api.service import deliveries as use_cases
from api.service.parts import Parts
from api.webhooks import schemas as webhook_schemas
from api.webhooks.wire import delivery_document
from shared.keys.record import Scope


def blueprint(parts: Parts) -> APIBlueprint:
    """The routes, bound to the process's service."""
    routes = APIBlueprint(
        "deliveries",
        __name__,
        url_prefix="/v1/deliveries",
        abp_tags=[webhook_schemas.WEBHOOKS],
        abp_responses=answers.ERRORS,
    )

    @routes.get(
        "",
        operation_id="list_deliveries",
        summary="List deliveries, newest first",
        responses={200: webhook_schemas.DeliveryList},
    )
    @facts(Scope.READ)
    def list_deliveries(query: webhook_schemas.DeliveryQuery) -> Response:
        """Every filter narrows the list; `cursor` goes on where the last page ended."""
        wanted = query.model_dump(exclude={"limit", "cursor"})
        found, following = use_cases.page(parts, wanted, caller.current(), limit=query.limit, cursor=query.cursor)
        return jsonify({"deliveries": [delivery_document(delivery) for delivery in found], "next_cursor": following})

    @routes.get(
        "/<delivery_id>",
        operation_id="get_delivery",
        summary="Look at a delivery",
        responses={200: webhook_schemas.DeliveryWithAttempts, 404: answers.PROBLEM},
    )
    @facts(Scope.READ)
    def get_delivery(path: webhook_schemas.DeliveryPath, query: answers.NoQuery) -> Response:
        """The delivery with its payload and every attempt: time, address, status, first bytes of the answer."""
        del query
        return jsonify(delivery_document(*use_cases.find(parts, path.delivery_id, caller.current())))

    @routes.post(
        "/<delivery_id>/redeliver",
        operation_id="redeliver",
        summary="Send a delivery again",
        responses={202: webhook_schemas.DeliveryDocument, 404: answers.PROBLEM, 409: answers.PROBLEM},
    )
    @facts(Scope.SUBMIT)
    def redeliver(path: webhook_schemas.DeliveryPath, query: answers.NoQuery) -> Response:
        """At once, under the same `webhook-id`, and by the whole schedule if it is not taken."""
        del query
        again = use_cases.redeliver(parts, path.delivery_id, caller.current())
        response = jsonify(delivery_document(again))
        response.status_code = 202
        response.headers["Location"] = url_for("deliveries.get_delivery", delivery_id=again.id)
        return response

    return routes
