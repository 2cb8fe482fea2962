"""The shapes of the audit trail, as the OpenAPI document states them, and its filters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from flask_openapi3 import Tag
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from api.http.answers import Asked
from shared.audit import addresses, trail
from shared.audit.verify import PROBLEMS
from shared.jobs.record import StateName

AUDIT = Tag(name="audit", description="What happened, when, and who asked for it.")
EXPORT = {"schema": {"type": "string"}}


def _moment(text: object) -> object:
    """Read RFC 3339, or a day, which begins at midnight; without an offset it is UTC."""
    if not isinstance(text, str):
        return text
    try:  # in a query string a plus sign that is not written as %2B becomes a space
        moment = datetime.fromisoformat(text[:11] + text[11:].replace(" ", "+"))
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("give a time like 2026-11-21T08:30:00Z or a day like 2026-11-21") from None
    if not 1970 <= moment.year < 3000:
        raise ValueError("give a time from 1970 to 2999")
    return moment


def _network(text: str) -> str:
    try:
        addresses.key_range(text)
    except ValueError:
        raise ValueError("give an IPv4 or IPv6 address, or a block like 192.0.2.0/24 or 2001:db8::/32") from None
    return text


def _event(text: str) -> str:
    if text not in set(trail.Event):
        raise ValueError(f"give one of {', '.join(sorted(set(trail.Event)))}")
    return text


Moment = Annotated[datetime, BeforeValidator(_moment)]
Network = Annotated[str, Field(max_length=49, json_schema_extra={"format": "ip-network"}), AfterValidator(_network)]
EventName = Annotated[str, AfterValidator(_event), Field(json_schema_extra={"enum": sorted(set(trail.Event))})]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Sha256Start = Annotated[str, Field(pattern="^[0-9a-f]{4,64}$")]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Id = Annotated[str, Field(pattern="^[0-9A-Za-z_-]{1,32}$")]
Share = Annotated[float, Field(ge=0, le=1)]


class Query(Asked):
    """Parameters of a call."""

    model_config = ConfigDict(extra="forbid")


class EventQuery(Query):
    """Filters of the audit trail; every one narrows."""

    since: Moment | None = Field(None, alias="from", description="that occurred then or later")
    until: Moment | None = Field(None, description="that occurred before then")
    ip: Network | None = Field(None, description="address of the client, or a block of them in CIDR notation")
    sha256: Sha256Start | None = Field(None, description="of the uploaded bytes, or how it begins")
    key: Id | None = Field(None, description="id of the API key")
    actor: Name | None = Field(None, description="who did it: `client`, `operator`, `sweeper`, or a worker's name")
    job: str | None = Field(None, pattern="^job_[0-9a-z]{26}$", description="id of the job")
    event: EventName | None = Field(None, description="what happened")
    state: Literal[StateName, "deleted"] | None = Field(
        None, description="`outcome`: state of the job or the delivery afterwards"
    )
    model: Name | None = Field(None, description="name of the recognition model")
    model_version: Name | None = Field(None, description="its version")
    subject: Id | None = Field(None, description="id of the delivery, the endpoint or the key that it is about")
    confidence_from: Share | None = Field(None, description="with this confidence or more")
    confidence_until: Share | None = Field(None, description="with this confidence or less")
    format: Literal["json", "ndjson", "csv"] = Field(
        "json", description="`json`: a page; `ndjson`, `csv`: everything that fits, as a file"
    )
    limit: int | None = Field(None, ge=1, le=200, description="most events of a page; 50 by default")
    cursor: str | None = Field(
        None,
        max_length=40,
        json_schema_extra={"pattern": r"^\d{1,16}-\d{1,18}$"},
        description="`next_cursor` of the page before",
    )


class StatsQuery(Query):
    """A span of time."""

    since: Moment | None = Field(None, alias="from", description="7 days before `until`, if not given")
    until: Moment | None = Field(None, description="now, if not given")


class VerifyQuery(Query):
    """Which part of the chain to check."""

    from_seal: int = Field(1, ge=1, le=10**12, description="number of the seal to begin with")
    limit: int = Field(20_000, ge=1, le=100_000, description="about so many events are checked")
    anchor: Sha256 | None = Field(None, description="hash of a seal that you kept: it must be in the chain")


class EventModel(BaseModel):
    """The recognition model that read a document."""

    name: str
    version: str | None
    sha256: str | None


class AuditEventDocument(BaseModel):
    """One thing that happened."""

    id: int
    occurred_at: str
    event: str
    actor: str
    key_id: str | None
    client_ip: str | None
    job_id: str | None
    attempt: int | None
    sha256: str | None
    outcome: str | None
    code: str | None
    confidence: float | None
    min_confidence: float | None
    model: EventModel | None
    duration_ms: int | None
    subject: str | None


class EventPage(BaseModel):
    """A page of the trail, newest first."""

    model_config = ConfigDict(openapi_extra={"content": {"application/x-ndjson": EXPORT, "text/csv": EXPORT}})  # type: ignore[typeddict-unknown-key]

    events: list[AuditEventDocument]
    next_cursor: str | None = Field(description="give it as `cursor` for the next page; null at the end")


class Chain(BaseModel):
    """The chain of seals."""

    seal: int = Field(description="number of the last seal; 0: none yet")
    hash: str = Field(description="of the last seal; keep it elsewhere to prove later that nothing was rewritten")
    last_event_id: int = Field(description="events up to this one are sealed")
    first_seal: int = Field(description="the first seal that the retention has left")


class Broken(BaseModel):
    """The first thing that is not as it was."""

    problem: Literal[tuple(PROBLEMS)]  # type: ignore[valid-type]
    message: str
    seal: int
    event_id: int | None


class Verification(BaseModel):
    """What came of a check."""

    valid: bool
    first_seal: int
    seal_count: int
    event_count: int
    broken: Broken | None
    next_seal: int | None = Field(description="go on with it as `from_seal`; null at the end")
    chain: Chain


class Bar(BaseModel):
    """One bar of the histogram."""

    model_config = ConfigDict(populate_by_name=True)

    since: float = Field(alias="from")
    until: float
    count: int


class Confidence(BaseModel):
    """Confidence of the documents that were read."""

    count: int
    mean: float | None
    min: float | None


class ConfidenceHistogram(Confidence):
    """The same with its distribution."""

    histogram: list[Bar]


class ModelStats(Confidence):
    """What one version of a model read."""

    name: str
    version: str | None
    job_count: int


class Day(BaseModel):
    """One day in UTC."""

    day: str
    event_count: int
    events: dict[str, int]


class Hour(BaseModel):
    """Jobs of one hour."""

    hour: str = Field(description="its beginning, UTC")
    submitted: int
    succeeded: int
    failed: int
    cancelled: int


class Stats(BaseModel):
    """The trail in numbers."""

    since: str = Field(alias="from")
    until: str
    event_count: int
    events: dict[str, int]
    outcomes: dict[str, int] = Field(description="of jobs that ended")
    confidence: ConfidenceHistogram
    models: list[ModelStats]
    days: list[Day]
    hours: list[Hour] = Field(description="those of the last 7 days in which jobs came or ended")
    slowest: list[dict[str, Any]]
    least_certain: list[dict[str, Any]]
    chain: Chain
    unsealed_count: int = Field(description="events that wait to be sealed; 10,000 also stands for more")
    oldest_unsealed_at: str | None
