"""The shapes of models and their rollouts, as the OpenAPI document states them."""

from __future__ import annotations

from typing import Literal

from flask_openapi3 import Tag
from pydantic import BaseModel, ConfigDict, Field

MODELS = Tag(name="models", description="Which models there are, which of them read, and how far each worker is.")
RoleName = Literal["recogniser", "stronger", "detector"]
ROLE = "`recogniser`: reads every line; `stronger`: reads again what leaves a doubt; `detector`: finds the lines"


class ModelPath(BaseModel):
    """Path of one model."""

    name: str


class NewRole(BaseModel):
    """What a model shall do; an empty object is enough."""

    model_config = ConfigDict(extra="forbid")

    role: RoleName = Field("recogniser", description=ROLE)


class ChildTakeup(BaseModel):
    """What one worker child did with a generation."""

    child: str = Field(description="`NODE/PID`")
    state: Literal["waiting", "taken", "refused"] = Field(
        description="`taken`: it reads with it; `refused`: it could not, and keeps what it had"
    )
    reason: str | None = Field(description="why it refused")
    at: str | None


class RolloutDocument(BaseModel):
    """What a role was given, and how far each worker child is with it."""

    generation: int = Field(description="rises with each change")
    role: RoleName = Field(description=ROLE)
    model: str | None = Field(description="null: what the settings of the worker name")
    sha256: str | None
    state: Literal["rolling", "settled", "held"] = Field(
        description="`settled`: all children had taken it up; `held`: one could not, and the model of before came back"
    )
    reason: str | None = Field(description="why it was held")
    current: bool = Field(description="whether it is what the role has now")
    created_at: str
    created_by: str
    children: list[ChildTakeup]


class ModelSummary(BaseModel):
    """A model that lies on a worker's machine."""

    name: str
    kind: Literal["recogniser", "detector"]
    version: str
    sha256: str
    licence: str | None
    source: str | None
    characters: int | None = Field(description="size of its charset")
    added_at: str
    added_by: str
    roles: list[RoleName] = Field(description="what it does now; a role that was never given is the settings' affair")
    workers: int = Field(description="worker children that can read with it when a job names it")


class ModelDocument(ModelSummary):
    """A model with its rollouts."""

    rollouts: list[RolloutDocument] = Field(description="the newest of each role that it was given")


class ModelList(BaseModel):
    """All models, by name."""

    models: list[ModelSummary]
    active: list[RolloutDocument] = Field(description="what each role has now that was ever given a model")
