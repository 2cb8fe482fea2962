"""`/v1/webhook-endpoints`: who is told of the end of jobs."""

from __future__ import annotations

from typing import Any, TypeVar

from flask import Response, jsonify, request, url_for
from flask_openapi3 import APIBlueprint
from pydantic import BaseModel, ValidationError

from api.http.intake import json_object
from api.http.problems import option_error
from api.jobs import schemas
from api.service import caller
from api.service.parts import Parts
from api.webhooks import schemas as webhook_schemas
from api.webhooks.wire import delivery_document, endpoint_document
from shared import errors, ids
from shared.audit.actor import Actor
from shared.webhooks import deliveries, endpoints
from shared.webhooks.record import JOB_URLS, Endpoint

Model = TypeVar("Model", bound=BaseModel)


def blueprint(parts: Parts) -> APIBlueprint:
    """The routes, bound to the process's service."""
    routes = APIBlueprint(
        "webhooks",
        __name__,
        url_prefix="/v1/webhook-endpoints",
        abp_tags=[webhook_schemas.WEBHOOKS],
        abp_responses=schemas.ERRORS,
    )

    @routes.post(
        "",
        operation_id="create_endpoint",
        summary="Make a webhook endpoint",
        responses={201: webhook_schemas.EndpointWithSecret, 400: schemas.PROBLEM},
        openapi_extensions={"requestBody": json_body(webhook_schemas.NewEndpoint)},
    )
    def create_endpoint(query: schemas.NoQuery) -> Response:
        """The URL is told of each job's end from now on; the answer holds the secret that signs for it."""
        del query
        wanted = parsed_body(webhook_schemas.NewEndpoint)
        parts.guard.check(wanted.url)
        with parts.database.write() as connection:
            endpoint, secret = endpoints.create(connection, **wanted.model_dump(), actor=caller.current().actor)
        response = jsonify({**endpoint_document(endpoint), "secret": secret})
        response.status_code = 201
        response.headers["Location"] = url_for("webhooks.get_endpoint", endpoint_id=endpoint.id)
        return response

    @routes.get(
        "", operation_id="list_endpoints", summary="List endpoints", responses={200: webhook_schemas.EndpointList}
    )
    def list_endpoints(query: schemas.NoQuery) -> Response:
        """All of them; `ep_jobs` stands for the URLs that single jobs bring along."""
        del query
        with parts.database.read() as connection:
            found = endpoints.list_endpoints(connection)
        return jsonify({"endpoints": [endpoint_document(endpoint) for endpoint in found]})

    @routes.get(
        "/<endpoint_id>",
        operation_id="get_endpoint",
        summary="Look at an endpoint",
        responses={200: webhook_schemas.EndpointDocument, 404: schemas.PROBLEM},
    )
    def get_endpoint(path: webhook_schemas.EndpointPath, query: schemas.NoQuery) -> Response:
        """The endpoint, without its secrets."""
        del query
        return jsonify(endpoint_document(found_endpoint(parts, path.endpoint_id)))

    @routes.patch(
        "/<endpoint_id>",
        operation_id="change_endpoint",
        summary="Change an endpoint",
        responses={
            200: webhook_schemas.EndpointDocument,
            400: schemas.PROBLEM,
            404: schemas.PROBLEM,
            409: schemas.PROBLEM,
        },
        openapi_extensions={"requestBody": json_body(webhook_schemas.EndpointChange)},
    )
    def change_endpoint(path: webhook_schemas.EndpointPath, query: schemas.NoQuery) -> Response:
        """What is queued for it goes to its new URL. While it is disabled nothing is sent and nothing is planned."""
        del query
        wanted = parsed_body(webhook_schemas.EndpointChange)
        own_endpoint(parts, path.endpoint_id)
        if wanted.url is not None:
            parts.guard.check(wanted.url)
        return jsonify(endpoint_document(changed(parts, path.endpoint_id, wanted, caller.current().actor)))

    @routes.delete(
        "/<endpoint_id>",
        operation_id="delete_endpoint",
        summary="Delete an endpoint",
        responses={204: None, 404: schemas.PROBLEM, 409: schemas.PROBLEM},
    )
    def delete_endpoint(path: webhook_schemas.EndpointPath, query: schemas.NoQuery) -> Response:
        """Its queued deliveries are cancelled; the log of the others stays."""
        del query
        own_endpoint(parts, path.endpoint_id)
        actor = caller.current().actor
        with parts.database.write() as connection:
            if not endpoints.remove(connection, path.endpoint_id, actor=actor):
                raise errors.EndpointNotFound(endpoint_id=path.endpoint_id[:64])
            deliveries.cancel(connection, path.endpoint_id, actor=actor)
        return Response(status=204)

    @routes.post(
        "/<endpoint_id>/ping",
        operation_id="ping_endpoint",
        summary="Send a test message",
        responses={202: webhook_schemas.DeliveryDocument, 404: schemas.PROBLEM, 409: schemas.PROBLEM},
    )
    def ping_endpoint(path: webhook_schemas.EndpointPath, query: schemas.NoQuery) -> Response:
        """A `ping` is sent once; look at the delivery in `Location` for what became of it."""
        del query
        endpoint = own_endpoint(parts, path.endpoint_id)
        if not endpoint.is_enabled:
            raise errors.EndpointDisabled(endpoint_id=endpoint.id, reason=endpoint.disabled_reason)
        with parts.database.write() as connection:
            delivery = deliveries.plan_ping(connection, endpoint)
        response = jsonify(delivery_document(delivery))
        response.status_code = 202
        response.headers["Location"] = url_for("deliveries.get_delivery", delivery_id=delivery.id)
        return response

    return routes


def found_endpoint(parts: Parts, endpoint_id: str) -> Endpoint:
    """The endpoint; raises EndpointNotFound."""
    endpoint = None
    if endpoint_id == JOB_URLS or ids.is_id(endpoint_id, "ep"):
        with parts.database.read() as connection:
            endpoint = endpoints.get(connection, endpoint_id)
    if endpoint is None:
        raise errors.EndpointNotFound(endpoint_id=endpoint_id[:64])
    return endpoint


def own_endpoint(parts: Parts, endpoint_id: str) -> Endpoint:
    """An endpoint that somebody made; raises EndpointNotFound or EndpointBuiltIn."""
    endpoint = found_endpoint(parts, endpoint_id)
    if endpoint.id == JOB_URLS:
        raise errors.EndpointBuiltIn(endpoint_id=endpoint.id)
    return endpoint


def changed(parts: Parts, endpoint_id: str, wanted: webhook_schemas.EndpointChange, actor: Actor) -> Endpoint:
    """The endpoint with what was asked for; raises EndpointNotFound."""
    values = wanted.model_dump(include=wanted.model_fields_set - {"enabled"})
    for name in ("url", "event_types"):
        if name in values and values[name] is None:
            raise errors.InvalidOption(f"{name} cannot be null. Leave it out to keep it.", option=name)
    with parts.database.write() as connection:
        endpoint = endpoints.get(connection, endpoint_id)
        if endpoint is not None and values:
            endpoint = endpoints.change(connection, endpoint_id, actor=actor, **values)
        if endpoint is not None and wanted.enabled is not None and wanted.enabled != endpoint.is_enabled:
            if wanted.enabled:
                endpoint = endpoints.enable(connection, endpoint_id, actor=actor)
            else:
                endpoint = endpoints.disable(connection, endpoint_id, reason="operator", actor=actor)
    if endpoint is None:
        raise errors.EndpointNotFound(endpoint_id=endpoint_id[:64])
    return endpoint


def parsed_body(model: type[Model]) -> Model:
    """The request's JSON object as a model; raises InvalidJson, UnknownOption or InvalidOption."""
    try:
        return model.model_validate(json_object(request), strict=True)
    except ValidationError as error:
        raise option_error(error) from None


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """The model as an OpenAPI request body."""
    return {"required": True, "content": {"application/json": {"schema": model.model_json_schema()}}}
