"""The shapes of batches and of orders for many jobs, as the OpenAPI document states them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from api.jobs.schemas import JobDocument
from shared.options import MAX_REFERENCE_LENGTH, REFERENCE_PATTERN


class RetryQuery(BaseModel):
    """Which failed jobs to try again."""

    model_config = ConfigDict(extra="forbid")

    code: str | None = Field(None, pattern="^[a-z_]{1,64}$", description="of their error")
    reference: str | None = Field(None, max_length=MAX_REFERENCE_LENGTH, pattern=REFERENCE_PATTERN)
    batch_id: str | None = Field(None, pattern="^bat_[0-9a-z]{26}$")
    limit: int = Field(100, ge=1, le=1000)


class Retried(BaseModel):
    """Which failed jobs were queued again."""

    retried: list[str] = Field(description="their ids")
    document_missing: list[str] = Field(description="jobs that stay failed because their upload is gone")


class BatchCounts(BaseModel):
    """Number of jobs in each state."""

    queued: int
    running: int
    succeeded: int
    failed: int
    cancelled: int
    deleted: int


class BatchLinks(BaseModel):
    """Where the parts of a batch are found."""

    self: str
    jobs: str
    results: str


class BatchDocument(BaseModel):
    """A batch and how far it is."""

    id: str
    created_at: str
    reference: str | None
    document_count: int
    counts: BatchCounts
    is_finished: bool = Field(description="whether none of its jobs is open")
    links: BatchLinks


class BatchJobs(BaseModel):
    """All jobs of a batch, with their results."""

    jobs: list[JobDocument] = Field(description="in the order of the documents; deleted ones are missing")


class Cancelled(BaseModel):
    """Which jobs of a batch were cancelled."""

    cancelled: list[str] = Field(description="their ids; the other jobs had ended before")


class BatchAnswer(BatchDocument):
    """A batch as it was accepted."""

    jobs: list[JobDocument] = Field(description="in the order of the documents")


class BatchPath(BaseModel):
    """Path of one batch."""

    batch_id: str
