"""`/v1/webhook-endpoints/{id}/secret`: what receivers check signatures with, and its rotation."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint

from api.http import answers, caller
from api.http.facts import facts
from api.service import endpoints as use_cases
from api.service.parts import Parts
from api.webhooks import schemas as webhook_schemas
from shared.keys.record import Scope


def blueprint(parts: Parts) -> APIBlueprint:
    """The routes, bound to the process's service."""
    routes = APIBlueprint(
        "webhook_secrets",
        __name__,
        url_prefix="/v1/webhook-endpoints",
        abp_tags=[webhook_schemas.WEBHOOKS],
        abp_responses=answers.ERRORS,
    )

    @routes.get(
        "/<endpoint_id>/secret",
        operation_id="get_secret",
        summary="Show the secret of an endpoint",
        responses={200: webhook_schemas.Secrets, 404: answers.PROBLEM},
    )
    @facts(Scope.ADMIN)
    def get_secret(path: webhook_schemas.EndpointPath, query: answers.NoQuery) -> Response:
        """What a receiver needs to check signatures; several secrets while one is rotated."""
        del query
        return shown(use_cases.secrets(parts, path.endpoint_id))

    @routes.post(
        "/<endpoint_id>/rotate-secret",
        operation_id="rotate_secret",
        summary="Give an endpoint a new secret",
        responses={200: webhook_schemas.Secrets, 404: answers.PROBLEM},
    )
    @facts(Scope.ADMIN)
    def rotate_secret(path: webhook_schemas.EndpointPath, query: answers.NoQuery) -> Response:
        """The old one goes on signing beside the new one for a day, so that receivers can change over in peace."""
        del query
        return shown(use_cases.rotate_secret(parts, path.endpoint_id, caller.current()))

    return routes


def shown(secrets: list[str]) -> Response:
    """The secrets that sign now, the newest first."""
    return jsonify({"secret": secrets[0], "secrets": secrets})
