"""The answers about health, as the OpenAPI document states them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"]
    version: str


class ActiveModel(BaseModel):
    """A model that worker children have."""

    name: str
    version: str
    role: Literal["finds", "reads", "stronger"] = Field(
        description="`finds`: the lines of pages; `reads`: every line; `stronger`: lines in doubt, or all of them "
        "where `quality` is `best`"
    )
    workers: int = Field(description="worker children that have it")


class Readiness(BaseModel):
    """Whether a job can be taken and worked on."""

    status: Literal["ready", "unready"]
    checks: dict[str, str] = Field(description="each part and what is wrong with it, or `ok`")
    workers: int = Field(description="worker children that were heard of lately")
    backlog: int | None
    models: list[ActiveModel]
