"""Endpoints, and what is delivered to them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from shared.tables.columns import JSON_OR_NULL, OF_KEY, QUEUED, RUNNING, SERIAL, UtcDateTime, metadata

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", String(30), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("url", String(2000)),
    Column("description", String(200)),
    Column("event_types", JSON_OR_NULL, nullable=False),
    Column("disabled_at", UtcDateTime),
    Column("disabled_reason", String(64)),
)

webhook_secrets = Table(
    "webhook_secrets",
    metadata,
    Column("id", SERIAL, primary_key=True, autoincrement=True),
    Column("endpoint_id", String(30), ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), nullable=False),
    Column("secret", String(120), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Index("ix_webhook_secrets_endpoint_id_id", "endpoint_id", "id"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String(30), primary_key=True),
    Column("endpoint_id", String(30), nullable=False),  # no foreign key: the log outlives its endpoint and its job
    Column("job_id", String(30)),
    Column("lane", String(300), nullable=False),
    Column("url", String(2000), nullable=False),
    Column("event_type", String(40), nullable=False),
    Column("payload", JSON_OR_NULL, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("lease_until", UtcDateTime),
    Column("lease_token", String(32)),
    Column("reason", String(64)),
    Column("key_id", String(30)),
    Index("ix_deliveries_key_id_id", "key_id", "id", sqlite_where=OF_KEY, postgresql_where=OF_KEY),
    Column("request_id", String(64)),
    Index("ix_deliveries_job_id_id", "job_id", "id"),
    Index("ix_deliveries_endpoint_id_id", "endpoint_id", "id"),
    Index("ix_deliveries_finished_at", "finished_at"),
    Index("ix_deliveries_queued", "due_at", sqlite_where=QUEUED, postgresql_where=QUEUED),
    Index("ix_deliveries_running", "lease_until", sqlite_where=RUNNING, postgresql_where=RUNNING),
)

delivery_attempts = Table(
    "delivery_attempts",
    metadata,
    Column("delivery_id", String(30), ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("duration_ms", Integer),
    Column("address", String(45)),
    Column("status", Integer),
    Column("error", String(64)),
    Column("detail", String(500)),
    Column("answer", Text),
)
