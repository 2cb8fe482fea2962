"""What a job is: its states, its row, and what a submission brings along."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from shared import errors
from shared.audit.actor import Actor, client
from shared.options import DEFAULT_PRIORITY, MAX_REFERENCE_LENGTH, PRIORITIES, PriorityName, select_pages
from shared.telemetry.trace import Trace

StateName = Literal["queued", "running", "succeeded", "failed", "cancelled"]
"""The values of `State`, for schemas; a test holds the two together."""


class State(StrEnum):
    """Where a job stands. Each line says who moves a job in and who moves it out."""

    QUEUED = "queued"
    """In: submit; fail, release and expire while attempts are left; retry. Out: claim, cancel, lapse."""
    RUNNING = "running"
    """In: claim. Out: succeed, fail, release, expire, cancel, lapse; claim again when the lease has run out."""
    SUCCEEDED = "succeeded"
    """In: succeed; submit, where the result is copied. Out: nobody, but erase removes the job."""
    FAILED = "failed"
    """In: fail; release and expire at the last attempt (code poison_job); lapse. Out: retry."""
    CANCELLED = "cancelled"
    """In: cancel. Out: retry."""


FINAL_STATES = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})


@dataclass(frozen=True)
class Submission:
    """What is known of a document when it is accepted. Its bytes are already durable."""

    sha256: str
    media_type: str
    size_bytes: int
    page_count: int
    width: int
    height: int
    options: dict[str, Any]
    client_ip: str | None
    reference: str | None = None
    filename: str | None = None
    metadata: dict[str, str] | None = None
    deadline_seconds: float | None = None
    priority: PriorityName = DEFAULT_PRIORITY
    batch_id: str | None = None
    webhook: str | None = None
    key_id: str | None = None
    request_id: str | None = None
    traceparent: str | None = None

    @property
    def actor(self) -> Actor:
        """Who submits it."""
        return client(self.key_id, self.client_ip)

    @property
    def options_sha256(self) -> str:
        """SHA-256 of the options in one spelling: two submissions with the same one want the same work."""
        spelled = json.dumps(self.options, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(spelled.encode()).hexdigest()

    def __post_init__(self) -> None:
        if self.priority not in PRIORITIES:
            raise errors.InvalidOption(f"priority must be one of {', '.join(PRIORITIES)}.", option="priority")
        if self.reference is not None and (len(self.reference) > MAX_REFERENCE_LENGTH or "\0" in self.reference):
            raise errors.InvalidOption(
                f"reference must hold at most {MAX_REFERENCE_LENGTH} characters, without NUL. Shorten it.",
                option="reference",
            )


@dataclass(frozen=True)
class Job:
    """One row of ``jobs``, with the result where it was asked for. Times are aware, UTC, by the database's clock."""

    id: str
    """``job_`` + 26 characters that sort by the time of submission."""
    state: State
    """Where it stands."""
    priority: PriorityName
    """Which queue it waits in."""
    attempt: int
    """Number of the try; 0 before the first claim."""
    max_attempts: int
    """The attempt after which it fails for good."""
    created_at: datetime
    """When it was accepted."""
    started_at: datetime | None
    """When the current or last attempt was claimed; None while it waits."""
    finished_at: datetime | None
    """When it reached a final state."""
    not_before: datetime | None
    """A retry waits until then; None: due at once."""
    published_at: datetime | None
    """When its message was last given to the broker; None: the sweeper will publish it."""
    publish_count: int
    """How often its message was given to the broker since it last came into the queue."""
    lease_until: datetime | None
    """Until then it belongs to its owner; only while running."""
    lease_token: str | None
    """Secret of the current claim; a finish without it is refused."""
    owner: str | None
    """``NODE/TASK`` of the worker that claimed it last; kept after the end."""
    reference: str | None
    """The client's own name for it."""
    filename: str | None
    """What the document is called at the client; only ever given back."""
    metadata: dict[str, str] | None
    """The client's own names and texts; only ever given back."""
    deadline_at: datetime | None
    """It fails where it has not ended by then; None: it may take as long as it takes."""
    client_ip: str | None
    """Who submitted it."""
    sha256: str
    """Of the uploaded bytes; the name of the blob."""
    media_type: str
    """Found from the content."""
    size_bytes: int
    """Of the upload."""
    page_count: int
    """1 but for multi-page documents."""
    width: int
    """Pixels of the first page, as stored."""
    height: int
    """Pixels of the first page, as stored."""
    options: dict[str, Any]
    """What the client asked for: layout, profile, …"""
    options_sha256: str | None
    """Of the options, so that an equal job is found; None: accepted by a version that did not note it."""
    batch_id: str | None
    """The batch that it came in, if it did."""
    copied_from: str | None
    """The job whose result it was given when it was submitted; None: it was or will be read itself."""
    promoted_at: datetime | None
    """When the sweeper last put it into the first queue because it had waited too long."""
    webhook: str | None
    """URL that is told of the end, beside the endpoints; checked when it was submitted."""
    key_id: str | None
    """The API key that submitted it; None: there were no keys."""
    request_id: str | None
    """The request that submitted it, for log lines."""
    traceparent: str | None
    """W3C trace context of that request, for log lines and spans; None: nobody traces."""
    error: dict[str, Any] | None
    """The last failure: {code, message, retryable, phase, details}; also set while a retry waits."""
    timings_ms: dict[str, float] | None
    """Milliseconds by stage, see `shared.result.Timings`."""
    pages_done: int = 0
    """So many of its pages are read and stored; a later attempt goes on after them."""
    result: dict[str, Any] | None = None
    """The recognised document; only from ``get``, once succeeded."""
    queue_position: int | None = None
    """1 = next to be claimed; only from ``get``, while queued."""
    others_wait: bool = False
    """Whether others waited to be claimed as well; only from ``claim``."""

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in FINAL_STATES

    @property
    def pages_total(self) -> int:
        """So many pages shall be read: all of the document, or those that were chosen."""
        try:
            return len(select_pages(self.options.get("pages"), self.page_count))
        except errors.InvalidOption:  # stored by a version that counted otherwise
            return self.page_count

    @property
    def trace(self) -> Trace:
        """The request that it came with."""
        return Trace(self.request_id, self.traceparent)
