"""`GET /v1/jobs/{id}/pages/{n}/image`: a page as a browser can show it, whatever was uploaded."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from api.http import answers, caller
from api.http.facts import facts
from api.jobs import schemas
from api.service import jobs as use_cases
from api.service.page_image import DEFAULT_WIDTH, MEDIA_TYPE, WIDEST, page_image
from api.service.parts import Parts
from shared.keys.record import Scope

JPEG: dict[Any, Any] = {"content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}


class PagePath(schemas.JobPath):
    """Path of one page of a job's document."""

    page_number: int = Field(ge=1, le=1_000_000, description="1 is the first page")


class WidthQuery(BaseModel):
    """How large it shall be."""

    model_config = ConfigDict(extra="forbid")

    width: int = Field(DEFAULT_WIDTH, ge=16, le=WIDEST, description="at most so many pixels; never more than it has")


def blueprint(parts: Parts) -> APIBlueprint:
    """The route, bound to the process's service."""
    routes = APIBlueprint(
        "page_images", __name__, url_prefix="/v1/jobs", abp_tags=[schemas.JOBS], abp_responses=answers.ERRORS
    )

    @routes.get(
        "/<job_id>/pages/<page_number>/image",
        operation_id="get_page_image",
        summary="A page of the uploaded document",
        responses={200: JPEG, 413: answers.PROBLEM, **answers.GONE},
    )
    @facts(Scope.READ)
    def get_page_image(path: PagePath, query: WidthQuery) -> Response:
        """The page as JPEG, upright as it was read: the polygons of its lines lie on it, scaled by its width."""
        job = use_cases.find(parts, path.job_id, caller.current())
        response = Response(page_image(parts, job, path.page_number, query.width), mimetype=MEDIA_TYPE)
        use_cases.note_read(parts, job, caller.current())
        return response

    return routes
