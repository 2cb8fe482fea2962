"""`/v1/webhook-endpoints`: who is told of the end of jobs."""

from __future__ import annotations

from flask import Response, jsonify, url_for
from flask_openapi3 import APIBlueprint

from api.http import answers, caller
from api.http.facts import facts
from api.http.json_body import json_body, parsed_body
from api.service import endpoints as use_cases
from api.service.parts import Parts
from api.webhooks import schemas as webhook_schemas
from api.webhooks.wire import delivery_document, endpoint_document
from shared.keys.record import Scope


def blueprint(parts: Parts) -> APIBlueprint:
    """The routes, bound to the process's service."""
    routes = APIBlueprint(
        "webhooks",
        __name__,
        url_prefix="/v1/webhook-endpoints",
        abp_tags=[webhook_schemas.WEBHOOKS],
        abp_responses=answers.ERRORS,
    )

    @routes.post(
        "",
        operation_id="create_endpoint",
        summary="Make a webhook endpoint",
        responses={201: webhook_schemas.EndpointWithSecret, 400: answers.PROBLEM},
        openapi_extensions={"requestBody": json_body(webhook_schemas.NewEndpoint)},
    )
    @facts(Scope.ADMIN)
    def create_endpoint(query: answers.NoQuery) -> Response:
        """The URL is told of each job's end from now on; the answer holds the secret that signs for it."""
        del query
        wanted = parsed_body(webhook_schemas.NewEndpoint)
        endpoint, secret = use_cases.create(parts, wanted.model_dump(), caller.current())
        response = jsonify({**endpoint_document(endpoint), "secret": secret})
        response.status_code = 201
        response.headers["Location"] = url_for("webhooks.get_endpoint", endpoint_id=endpoint.id)
        return response

    @routes.get(
        "", operation_id="list_endpoints", summary="List endpoints", responses={200: webhook_schemas.EndpointList}
    )
    @facts(Scope.ADMIN)
    def list_endpoints(query: answers.NoQuery) -> Response:
        """All of them; `ep_jobs` stands for the URLs that single jobs bring along."""
        del query
        return jsonify({"endpoints": [endpoint_document(endpoint) for endpoint in use_cases.list_all(parts)]})

    @routes.get(
        "/<endpoint_id>",
        operation_id="get_endpoint",
        summary="Look at an endpoint",
        responses={200: webhook_schemas.EndpointDocument, 404: answers.PROBLEM},
    )
    @facts(Scope.ADMIN)
    def get_endpoint(path: webhook_schemas.EndpointPath, query: answers.NoQuery) -> Response:
        """The endpoint, without its secrets."""
        del query
        return jsonify(endpoint_document(use_cases.find(parts, path.endpoint_id)))

    @routes.patch(
        "/<endpoint_id>",
        operation_id="change_endpoint",
        summary="Change an endpoint",
        responses={
            200: webhook_schemas.EndpointDocument,
            400: answers.PROBLEM,
            404: answers.PROBLEM,
            409: answers.PROBLEM,
        },
        openapi_extensions={"requestBody": json_body(webhook_schemas.EndpointChange)},
    )
    @facts(Scope.ADMIN)
    def change_endpoint(path: webhook_schemas.EndpointPath, query: answers.NoQuery) -> Response:
        """What is queued for it goes to its new URL. While it is disabled nothing is sent and nothing is planned."""
        del query
        wanted = parsed_body(webhook_schemas.EndpointChange)
        values = wanted.model_dump(include=wanted.model_fields_set - {"enabled"})
        endpoint = use_cases.change(parts, path.endpoint_id, values, caller.current(), enabled=wanted.enabled)
        return jsonify(endpoint_document(endpoint))

    @routes.delete(
        "/<endpoint_id>",
        operation_id="delete_endpoint",
        summary="Delete an endpoint",
        responses={204: None, 404: answers.PROBLEM, 409: answers.PROBLEM},
    )
    @facts(Scope.ADMIN)
    def delete_endpoint(path: webhook_schemas.EndpointPath, query: answers.NoQuery) -> Response:
        """Its queued deliveries are cancelled; the log of the others stays."""
        del query
        use_cases.delete(parts, path.endpoint_id, caller.current())
        return Response(status=204)

    @routes.post(
        "/<endpoint_id>/ping",
        operation_id="ping_endpoint",
        summary="Send a test message",
        responses={202: webhook_schemas.DeliveryDocument, 404: answers.PROBLEM, 409: answers.PROBLEM},
    )
    @facts(Scope.ADMIN)
    def ping_endpoint(path: webhook_schemas.EndpointPath, query: answers.NoQuery) -> Response:
        """A `ping` is sent once; look at the delivery in `Location` for what became of it."""
        del query
        delivery = use_cases.ping(parts, path.endpoint_id)
        response = jsonify(delivery_document(delivery))
        response.status_code = 202
        response.headers["Location"] = url_for("deliveries.get_delivery", delivery_id=delivery.id)
        return response

    return routes
