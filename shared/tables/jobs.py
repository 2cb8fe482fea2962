"""Jobs, their results, and what belongs to them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, SmallInteger, String, Table, Text, text

from shared.tables.columns import JSON_OR_NULL, OF_KEY, QUEUED, RUNNING, SERIAL, UtcDateTime, metadata

_WITH_DEADLINE = text("deadline_at IS NOT NULL AND state IN ('queued', 'running')")
_OPEN_OF_KEY = text("key_id IS NOT NULL AND state IN ('queued', 'running')")

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(30), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("max_attempts", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("not_before", UtcDateTime),
    Column("published_at", UtcDateTime),
    Column("publish_count", Integer, nullable=False),
    Column("lease_until", UtcDateTime),
    Column("lease_token", String(32)),
    Column("owner", String(200)),
    Column("reference", String(200)),
    Column("client_ip", String(45)),
    Column("sha256", String(64), nullable=False),
    Column("media_type", String(64), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("page_count", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("options", JSON_OR_NULL, nullable=False),
    Column("options_sha256", String(64)),
    Column("batch_id", String(30)),
    Column("copied_from", String(30)),
    Column("promoted_at", UtcDateTime),
    Column("webhook", String(2000)),
    Column("key_id", String(30)),
    Column("request_id", String(64)),
    Column("traceparent", String(55)),
    Column("error", JSON_OR_NULL),
    Column("timings_ms", JSON_OR_NULL),
    Column("pages_done", Integer, nullable=False, server_default="0"),
    Column("filename", String(255)),
    Column("metadata", JSON_OR_NULL),
    Column("deadline_at", UtcDateTime),
    Index("ix_jobs_state_id", "state", "id"),
    Index("ix_jobs_sha256_id", "sha256", "id"),
    Index(
        "ix_jobs_reference_id",
        "reference",
        "id",
        sqlite_where=text("reference IS NOT NULL"),
        postgresql_where=text("reference IS NOT NULL"),
    ),
    Index(
        "ix_jobs_batch_id_id",
        "batch_id",
        "id",
        sqlite_where=text("batch_id IS NOT NULL"),
        postgresql_where=text("batch_id IS NOT NULL"),
    ),
    Index(
        "ix_jobs_finished_at",
        "finished_at",
        sqlite_where=text("finished_at IS NOT NULL"),
        postgresql_where=text("finished_at IS NOT NULL"),
    ),
    Index("ix_jobs_key_id_id", "key_id", "id", sqlite_where=OF_KEY, postgresql_where=OF_KEY),
    Index("ix_jobs_open_key_id", "key_id", sqlite_where=_OPEN_OF_KEY, postgresql_where=_OPEN_OF_KEY),
    Index("ix_jobs_deadline_at", "deadline_at", sqlite_where=_WITH_DEADLINE, postgresql_where=_WITH_DEADLINE),
    # The sweeper's two worries, each as small as the work in flight.
    Index("ix_jobs_queued", "published_at", "priority", "id", sqlite_where=QUEUED, postgresql_where=QUEUED),
    Index("ix_jobs_running", "lease_until", sqlite_where=RUNNING, postgresql_where=RUNNING),
)

results = Table(
    "results",
    metadata,
    Column("job_id", String(30), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("reader_sha256", String(64)),
    Column("document", JSON_OR_NULL, nullable=False),
)

# Of jobs under way; they become the result when the job succeeds. `page` is JSON that nobody asks into.
pages = Table(
    "pages",
    metadata,
    Column("job_id", String(30), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("page_number", Integer, primary_key=True, autoincrement=False),
    Column("stored_at", UtcDateTime, nullable=False),
    Column("reader_sha256", String(64)),
    Column("page", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("character_count", Integer, nullable=False),
    Column("confidence", Float(53)),
    Column("min_confidence", Float(53)),
    Column("timings_ms", JSON_OR_NULL, nullable=False),
)

# What people say that a line holds. Rows are added, never changed: the last one of a line is what it holds now.
corrections = Table(
    "corrections",
    metadata,
    Column("id", SERIAL, primary_key=True, autoincrement=True),
    Column("job_id", String(30), ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("page_number", Integer, nullable=False),
    Column("line_number", Integer, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("key_id", String(30)),
    Column("client_ip", String(45)),
    Index("ix_corrections_job_id_id", "job_id", "id"),
)

# Which jobs were sent from which browser; `visitor` is SHA-256 of what its cookie holds.
sent = Table(
    "sent",
    metadata,
    Column("visitor", String(64), primary_key=True),
    Column("job_id", String(30), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_sent_job_id", "job_id"),
)

batches = Table(
    "batches",
    metadata,
    Column("id", String(30), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("reference", String(200)),
    Column("client_ip", String(45)),
    Column("document_count", Integer, nullable=False),
    Column("key_id", String(30)),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("scope", String(100), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("subject", String(30), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_idempotency_keys_created_at", "created_at"),
)

broker_epochs = Table(
    "broker_epochs",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("epoch", String(32), nullable=False),
)
