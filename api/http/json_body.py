"""A request's JSON object as a model, and what OpenAPI says of it."""

from __future__ import annotations

from typing import Any, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError

from api.http.intake import json_object
from api.http.problems import option_error

Model = TypeVar("Model", bound=BaseModel)


def parsed_body(model: type[Model]) -> Model:
    """The request's JSON object as a model; raises InvalidJson, UnknownOption or InvalidOption."""
    try:
        return model.model_validate(json_object(request), strict=True)
    except ValidationError as error:
        raise option_error(error) from None


def json_body(model: type[BaseModel], *, is_required: bool = True) -> dict[str, Any]:
    """The model as an OpenAPI request body."""
    return {"required": is_required, "content": {"application/json": {"schema": model.model_json_schema()}}}
