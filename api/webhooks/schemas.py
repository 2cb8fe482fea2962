"""The shapes of webhook endpoints and deliveries, as the OpenAPI document states them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from flask_openapi3 import Tag
from pydantic import BaseModel, ConfigDict, Field

from api.service.endpoints import LONGEST_DESCRIPTION
from shared.ids import id_pattern
from shared.options import HTTP_URL, MAX_WEBHOOK_LENGTH
from shared.webhooks.record import DeliveryStateName, EventType

WEBHOOKS = Tag(name="webhooks", description="Signed messages about the end of jobs, by Standard Webhooks 1.0.")
AnyEventType = Literal[EventType, "ping"]

_EVENT_TYPES = "only these events; empty: all of them"


def without_null(**more: Any) -> Callable[[dict[str, Any]], None]:
    """State in OpenAPI that a value may be left out, but not be null."""

    def change(schema: dict[str, Any]) -> None:
        del schema["default"]
        schema.update(schema.pop("anyOf")[0], **more)

    return change


class NewEndpoint(BaseModel):
    """What is needed to make an endpoint."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(
        min_length=1,
        max_length=MAX_WEBHOOK_LENGTH,
        json_schema_extra=HTTP_URL,
        description="http or https URL that takes the POST",
    )
    description: str | None = Field(None, max_length=LONGEST_DESCRIPTION, pattern=r"^[^\x00]*$")
    event_types: list[EventType] = Field(default_factory=list, max_length=10, description=_EVENT_TYPES)


class EndpointChange(BaseModel):
    """What shall change; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    url: str | None = Field(
        None, min_length=1, max_length=MAX_WEBHOOK_LENGTH, json_schema_extra=without_null(**HTTP_URL)
    )
    description: str | None = Field(None, max_length=LONGEST_DESCRIPTION, pattern=r"^[^\x00]*$")
    event_types: list[EventType] | None = Field(
        None, max_length=10, json_schema_extra=without_null(), description=_EVENT_TYPES
    )
    enabled: bool | None = Field(None, description="false: nothing is sent until it is true again")


class EndpointDocument(BaseModel):
    """A webhook endpoint."""

    id: str = Field(description="`ep_jobs` stands for the URLs of single jobs")
    created_at: str
    url: str | None
    description: str | None
    event_types: list[EventType]
    enabled: bool
    disabled_at: str | None
    disabled_reason: Literal["operator", "gone"] | None


class EndpointWithSecret(EndpointDocument):
    """A new endpoint with the secret that signs for it."""

    secret: str = Field(description="`whsec_` and base64")


class EndpointList(BaseModel):
    """All endpoints."""

    endpoints: list[EndpointDocument]


class Secrets(BaseModel):
    """The secrets that sign for an endpoint at this moment."""

    secret: str = Field(description="the newest one")
    secrets: list[str] = Field(description="all of them, the newest first; each signs every message")


class Attempt(BaseModel):
    """One POST."""

    number: int
    started_at: str
    finished_at: str | None
    duration_ms: int | None
    address: str | None = Field(description="the address that was connected to")
    status: int | None = Field(description="HTTP status of the answer")
    error: str | None = Field(description="why there was no answer")
    detail: str | None
    answer: str | None = Field(description="first 1024 bytes of the answer's body")


class DeliveryDocument(BaseModel):
    """One event to one endpoint."""

    id: str = Field(description="also the header `webhook-id`")
    endpoint_id: str
    job_id: str | None
    event_type: AnyEventType
    url: str
    state: DeliveryStateName
    attempt: int
    created_at: str
    due_at: str | None = Field(description="when the next attempt is due; only while queued")
    finished_at: str | None
    reason: str | None


class DeliveryWithAttempts(DeliveryDocument):
    """A delivery with all that was tried."""

    payload: dict[str, Any] = Field(description="what is sent; its links are made absolute then")
    attempts: list[Attempt]


class DeliveryList(BaseModel):
    """A page of deliveries, newest first."""

    deliveries: list[DeliveryDocument]
    next_cursor: str | None


class EndpointPath(BaseModel):
    """Path of one endpoint."""

    endpoint_id: str


class DeliveryPath(BaseModel):
    """Path of one delivery."""

    delivery_id: str


class DeliveryQuery(BaseModel):
    """Filters of the list of deliveries."""

    model_config = ConfigDict(extra="forbid")

    job_id: str | None = Field(None, pattern="^[a-z0-9_]{1,64}$")
    endpoint_id: str | None = Field(None, pattern="^[a-z0-9_]{1,64}$")
    state: DeliveryStateName | None = None
    event_type: AnyEventType | None = None
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(
        None, json_schema_extra={"pattern": id_pattern("dlv")}, description="`next_cursor` of the page before"
    )
