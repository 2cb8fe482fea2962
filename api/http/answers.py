"""What every route may answer and takes: problems by their statuses, and no query."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = Field(description="what happened and the way out")
    instance: str
    code: str = Field(description="stable name of the error")
    retryable: bool
    details: dict[str, Any]
    request_id: str = Field(description="of this request; also in `X-Request-ID` and in the server's log")


PROBLEM = {
    "description": "An error: what happened and the way out",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


Responses = dict[str | int | HTTPStatus, type[BaseModel] | dict[Any, Any] | None]

ERRORS: Responses = {
    401: PROBLEM,
    403: PROBLEM,
    422: PROBLEM,
    429: PROBLEM,
    500: PROBLEM,
    503: PROBLEM,
}
"""What every call may answer."""

GONE: Responses = {404: PROBLEM, 410: PROBLEM}
"""What a call on one job may answer, too."""

REFUSED_UPLOADS: Responses = {
    409: PROBLEM,
    410: PROBLEM,
    413: PROBLEM,
    415: PROBLEM,
    507: PROBLEM,
}
"""What a call that takes uploads may answer, too."""


class Asked(BaseModel):
    """Parameters of a route. flask-openapi3 asks for their schema with every request, so it is built once."""

    @classmethod
    def model_json_schema(cls, *arguments: Any, **options: Any) -> dict[str, Any]:
        """The JSON schema; without arguments always the same one, which nobody may change."""
        return super().model_json_schema(*arguments, **options) if arguments or options else _schema_of(cls)


@cache
def _schema_of(kind: type[Asked]) -> dict[str, Any]:
    return super(Asked, kind).model_json_schema()


class NoQuery(Asked):
    """No query parameters."""

    model_config = ConfigDict(extra="forbid")
