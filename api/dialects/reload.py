"""`POST /api/model/reload`: the other call of the service that ocrelay replaces; it activates a model and waits."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint

from api.dialects import schemas
from api.dialects.original import TAG
from api.http import answers, caller
from api.http.facts import facts
from api.http.json_body import json_body, parsed_body
from api.service import models as use_cases
from api.service.parts import Parts
from shared.keys.record import Scope
from shared.registry.record import RolloutState, TakeupState


def blueprint(parts: Parts) -> APIBlueprint:
    """The route, bound to the process's service."""
    routes = APIBlueprint("reload", __name__, url_prefix="/api/model", abp_tags=[TAG], abp_responses=answers.ERRORS)

    @routes.post(
        "/reload",
        operation_id="reload_model",
        summary="Let another model read and wait until it does",
        responses={
            200: schemas.ReloadAnswer,
            202: schemas.ReloadAnswer,
            400: answers.PROBLEM,
            404: answers.PROBLEM,
            409: answers.PROBLEM,
        },
        openapi_extensions={"requestBody": json_body(schemas.ReloadOrder)},
    )
    @facts(Scope.ADMIN)
    def reload_model(query: answers.NoQuery) -> Response:
        """Send `{"name": ...}` or `{"path": ...}`. Where a worker cannot take it up: 409, and nothing changes."""
        del query
        wanted = parsed_body(schemas.ReloadOrder)
        rollout = use_cases.reload(
            parts, caller.current(), name=wanted.name, path=wanted.path, seconds=parts.settings.sync_wait_seconds
        )
        is_done = rollout.generation.state is RolloutState.SETTLED
        response = jsonify(
            {
                "status": "success" if is_done else "rolling",
                "model": rollout.generation.model,
                "generation": rollout.generation.number,
                "workers": sum(child.state is TakeupState.TAKEN for child in rollout.children),
            }
        )
        response.status_code = 200 if is_done else 202
        return response

    return routes
