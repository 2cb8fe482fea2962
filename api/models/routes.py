"""`/v1/models`: look at the models, let one read, go back."""

from __future__ import annotations

from flask import Response, jsonify, request
from flask_openapi3 import APIBlueprint

from api.http import answers, caller
from api.http.facts import facts
from api.http.json_body import json_body, parsed_body
from api.models import schemas
from api.models.wire import model_document, rollout_document
from api.service import models as use_cases
from api.service.models import Rollout
from api.service.parts import Parts
from shared.keys.record import Scope
from shared.registry.record import Role

ROLE_BODY = json_body(schemas.NewRole, is_required=False)


def blueprint(parts: Parts) -> APIBlueprint:
    """The routes, bound to the process's service."""
    routes = APIBlueprint(
        "models", __name__, url_prefix="/v1/models", abp_tags=[schemas.MODELS], abp_responses=answers.ERRORS
    )

    @routes.get("", operation_id="list_models", summary="List models", responses={200: schemas.ModelList})
    @facts(Scope.ADMIN)
    def list_models(query: answers.NoQuery) -> Response:
        """All models that lie on the machines of workers, and what each role was given."""
        del query
        models, active = use_cases.list_all(parts)
        return jsonify(
            {
                "models": [model_document(model) for model in models],
                "active": [rollout_document(rollout) for rollout in active],
            }
        )

    @routes.get(
        "/<name>",
        operation_id="get_model",
        summary="Look at a model",
        responses={200: schemas.ModelDocument, 404: answers.PROBLEM},
    )
    @facts(Scope.ADMIN)
    def get_model(path: schemas.ModelPath, query: answers.NoQuery) -> Response:
        """The model, and how far each worker child is with what it was activated for last."""
        del query
        model = use_cases.find(parts, path.name)
        rollouts = [rollout_document(rollout) for rollout in model.rollouts]
        return jsonify({**model_document(model), "rollouts": rollouts})

    @routes.post(
        "/<name>/activate",
        operation_id="activate_model",
        summary="Let a model read",
        responses={
            202: schemas.RolloutDocument,
            400: answers.PROBLEM,
            404: answers.PROBLEM,
            409: answers.PROBLEM,
        },
        openapi_extensions={"requestBody": ROLE_BODY},
    )
    @facts(Scope.ADMIN)
    def activate_model(path: schemas.ModelPath, query: answers.NoQuery) -> Response:
        """Every worker child takes it up with its next job, or within seconds; the model tells how far they are."""
        del query
        return _ordered(use_cases.activate(parts, path.name, _role(), caller.current()))

    @routes.post(
        "/rollback",
        operation_id="roll_back_model",
        summary="Go back to the model of before",
        responses={202: schemas.RolloutDocument, 400: answers.PROBLEM, 409: answers.PROBLEM},
        openapi_extensions={"requestBody": ROLE_BODY},
    )
    @facts(Scope.ADMIN)
    def roll_back_model(query: answers.NoQuery) -> Response:
        """Gives the role what it had before; before the first activation that was what the settings name."""
        del query
        return _ordered(use_cases.roll_back(parts, _role(), caller.current()))

    return routes


def _role() -> Role:
    """What the body says; without a body, the role of the recogniser."""
    if not request.get_data():
        return Role.RECOGNISER
    return Role(parsed_body(schemas.NewRole).role)


def _ordered(rollout: Rollout) -> Response:
    response = jsonify(rollout_document(rollout))
    response.status_code = 202
    return response
