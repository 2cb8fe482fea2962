"""What a delivery is: one event to one endpoint, its states, its row, its attempts and its schedule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, get_args

EventType = Literal["job.succeeded", "job.failed", "job.cancelled"]
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
"""What an endpoint may ask for. A ping goes to any endpoint, and only when somebody asks for it."""
PING = "ping"

JOB_URLS = "ep_jobs"
"""The built-in endpoint: it stands for the URLs that single jobs bring along, and holds the secret that signs them."""

SCHEDULE_SECONDS = (0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
"""Pause before each attempt of a round. Source: Standard Webhooks 1.0, "Deliverability and reliability"."""
JITTER = 0.1
"""Each pause is longer by up to this share, so that what failed together does not come back together."""
MAX_RETRY_AFTER_SECONDS = 24 * 3600

DeliveryStateName = Literal["queued", "running", "succeeded", "failed", "cancelled"]
"""The values of `DeliveryState`, for schemas; a test holds the two together."""


class DeliveryState(StrEnum):
    """Where a delivery stands. Each line says who moves it in and who moves it out."""

    QUEUED = "queued"
    """In: plan, redeliver; finish and give_back while the schedule goes on. Out: claim, cancel."""
    RUNNING = "running"
    """In: claim, which records the attempt. Out: finish, give_back, cancel."""
    SUCCEEDED = "succeeded"
    """In: finish with a status of 2xx. Out: redeliver."""
    FAILED = "failed"
    """In: finish after the last attempt of the schedule, or with 410. Out: redeliver."""
    CANCELLED = "cancelled"
    """In: cancel, when its endpoint is deleted. Out: nobody."""


@dataclass(frozen=True)
class Delivery:
    """One row of ``deliveries``. Times are aware, UTC, by the database's clock."""

    id: str
    """``dlv_`` + 26 characters; the header ``webhook-id`` of every attempt."""
    endpoint_id: str
    """Where it goes; ``ep_jobs`` for the URL of a single job."""
    job_id: str | None
    """What it tells about; None for a ping."""
    lane: str
    """Deliveries of one lane wait for one another: the endpoint, or the server of a job's URL."""
    url: str
    """Of the endpoint when it was planned; an attempt goes to the URL that the endpoint has by then."""
    event_type: str
    """``job.succeeded``, ``job.failed``, ``job.cancelled`` or ``ping``."""
    payload: dict[str, Any]
    """The body, but for the server's URL in its links."""
    state: DeliveryState
    """Where it stands."""
    attempt: int
    """Number of the last attempt; 0 before the first."""
    step: int
    """Place of the next attempt in the schedule, from 0; a redelivery begins again."""
    created_at: datetime
    """When it was planned."""
    due_at: datetime
    """When the next attempt may begin; only of meaning while queued."""
    finished_at: datetime | None
    """When it reached a final state."""
    lease_until: datetime | None
    """Until then the attempt under way belongs to its sweeper."""
    lease_token: str | None
    """Secret of the current claim; a finish without it is refused."""
    reason: str | None
    """Why it failed or was cancelled: ``schedule_over``, ``gone``, ``endpoint_deleted``."""
    key_id: str | None
    """The API key whose job brought the URL along; None: an endpoint's, or there were no keys."""
    request_id: str | None
    """The request that submitted the job, for log lines."""


@dataclass(frozen=True)
class DeliveryAttempt:
    """One row of ``delivery_attempts``: one POST, on record before it was made."""

    delivery_id: str
    """Which delivery."""
    number: int
    """From 1."""
    started_at: datetime
    """When it was recorded, just before the POST."""
    finished_at: datetime | None
    """When its outcome was recorded; None while it is under way."""
    duration_ms: int | None
    """From the look-up of the name to the end of the answer."""
    address: str | None
    """The address that was connected to."""
    status: int | None
    """HTTP status of the answer, where there was one."""
    error: str | None
    """Why there was no answer, or why a 3xx counts as failure; None for any other answer."""
    detail: str | None
    """The same for people."""
    answer: str | None
    """The first bytes of the answer's body."""


@dataclass(frozen=True)
class Outcome:
    """What became of one attempt."""

    status: int | None = None
    error: str | None = None
    detail: str | None = None
    address: str | None = None
    answer: str | None = None
    duration_ms: int = 0
    retry_after_seconds: float | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the receiver took it: 2xx and nothing else."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the receiver wants nothing any more."""
        return self.status == 410


@dataclass(frozen=True)
class Endpoint:
    """One row of ``webhook_endpoints``."""

    id: str
    """``ep_`` + 26 characters, or ``ep_jobs``."""
    created_at: datetime
    """When it was made."""
    url: str | None
    """Where its events go; None for ``ep_jobs``."""
    description: str | None
    """The operator's own words."""
    event_types: list[str]
    """Only these; empty: all."""
    disabled_at: datetime | None
    """Since when nothing is sent; None: it is enabled."""
    disabled_reason: str | None
    """``operator``, or ``gone`` after an answer of 410."""

    @property
    def is_enabled(self) -> bool:
        """Whether events are sent to it."""
        return self.disabled_at is None

    def wants(self, event_type: str) -> bool:
        """Whether it asked for events of this type."""
        return self.is_enabled and self.url is not None and (not self.event_types or event_type in self.event_types)
