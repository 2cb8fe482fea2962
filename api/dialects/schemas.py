"""The answers of the dialects, as the OpenAPI document states them."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Point = tuple[float, float]


class SyncLine(BaseModel):
    """A line in the synchronous answer."""

    text: str
    confidence: float | None
    polygon: list[Point]


class SyncAnswer(BaseModel):
    """The answer of POST /api/ocr."""

    text: str
    confidence: float | None
    min_confidence: float | None
    lines: list[SyncLine]
    job_id: str
    elapsed_ms: float | None


PATH = r"^(/|[A-Za-z]:\\)"


def _one_of(schema: dict[str, Any]) -> None:
    """State in OpenAPI that one of the members is needed, and none may be null."""
    for name, stated in schema["properties"].items():
        del stated["default"]
        stated.update(stated.pop("anyOf")[0])
        schema.setdefault("oneOf", []).append({"required": [name]})


class ReloadOrder(BaseModel):
    """Which model shall read: its name or its path, one of them."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_one_of)

    name: str | None = Field(None, min_length=1, max_length=100, description="as in GET /v1/models")
    path: str | None = Field(
        None, max_length=4096, pattern=PATH, description="absolute path of its file or folder, in the folder of models"
    )

    @model_validator(mode="after")
    def _one_says_which(self) -> Self:
        if self.name is None and self.path is None:
            raise ValueError("neither `name` nor `path` says which model; send one of them")
        if self.name is not None and self.path is not None:
            raise ValueError("`name` and `path` both say which model; send one of them")
        return self


class ReloadAnswer(BaseModel):
    """What reads from now on."""

    status: Literal["success", "rolling"] = Field(
        description="`success`: every worker child has taken it up; `rolling`: each will with its next job"
    )
    model: str
    generation: int = Field(description="rises with each change")
    workers: int = Field(description="worker children that have taken it up")
