"""`/v1/jobs/{id}/corrections`: what people say that a line holds, beside what was read."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from api.http import answers, caller
from api.http.facts import facts
from api.jobs import schemas
from api.service import corrections
from api.service import jobs as use_cases
from api.service.parts import Parts
from shared.clock import timestamp
from shared.jobs.corrections import Correction
from shared.keys.record import Scope


def whole(value: Any) -> Any:
    """JSON knows one kind of number: 2.0 is an integer there, too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Number = Annotated[int, BeforeValidator(whole)]


class NewCorrection(BaseModel):
    """A line as it shall read."""

    model_config = ConfigDict(extra="forbid", strict=True)

    page_number: Number = Field(ge=1, le=1_000_000)
    line_number: Number = Field(ge=1, le=1_000_000, description="1 is the first line of the page's `lines`")
    before: str = Field(max_length=corrections.LONGEST_LINE, description="as the client believes that it reads now")
    after: str = Field(max_length=corrections.LONGEST_LINE, pattern=corrections.PRINTABLE)


class CorrectionDocument(BaseModel):
    """A line, corrected once."""

    page_number: int
    line_number: int
    before: str
    after: str
    created_at: str
    key_id: str | None = Field(description="who: the API key")
    client_ip: str | None = Field(description="who: the address")


class CorrectionList(BaseModel):
    """All corrections of a job, the oldest first; the last one of a line holds."""

    corrections: list[CorrectionDocument]


def blueprint(parts: Parts) -> APIBlueprint:
    """The routes, bound to the process's service."""
    routes = APIBlueprint(
        "corrections", __name__, url_prefix="/v1/jobs", abp_tags=[schemas.JOBS], abp_responses=answers.ERRORS
    )

    @routes.get(
        "/<job_id>/corrections",
        operation_id="list_corrections",
        summary="The corrections of a job",
        responses={200: CorrectionList, **answers.GONE},
    )
    @facts(Scope.READ)
    def list_corrections(path: schemas.JobPath, query: answers.NoQuery) -> Response:
        """Who said what of which line, and when."""
        del query
        job = use_cases.find(parts, path.job_id, caller.current())
        use_cases.note_read(parts, job, caller.current())
        return jsonify(document(corrections.list_of(parts, job)))

    @routes.post(
        "/<job_id>/corrections",
        operation_id="add_correction",
        summary="Correct a line",
        responses={201: CorrectionList, 409: answers.PROBLEM, **answers.GONE},
    )
    @facts(Scope.SUBMIT)
    def add_correction(path: schemas.JobPath, query: answers.NoQuery, body: NewCorrection) -> Response:
        """Stored only where `before` is what the line holds now, so nobody's correction is lost; else 409."""
        del query
        made = corrections.add(parts, path.job_id, caller.current(), **body.model_dump())
        response = jsonify(document(made))
        response.status_code = 201
        return response

    return routes


def document(made: list[Correction]) -> dict[str, Any]:
    """The list on the wire."""
    names = ("page_number", "line_number", "before", "after", "key_id", "client_ip")
    rows = [{name: getattr(one, name) for name in names} | {"created_at": timestamp(one.created_at)} for one in made]
    return {"corrections": rows}
