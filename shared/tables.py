"""The SQL tables, for SQLite and PostgreSQL alike. A test holds them equal to ``shared/migrations``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.types import TypeDecorator, TypeEngine


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC.

    PostgreSQL: ``timestamp with time zone``. SQLite: text ``YYYY-MM-DD HH:MM:SS.mmm``, which sorts as time does and is
    exactly what ``database_now`` yields there.
    """

    impl = String(23)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column type of the database."""
        return dialect.type_descriptor(TIMESTAMP(timezone=True) if dialect.name == "postgresql" else String(23))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Turn an aware datetime into what the database stores."""
        if value is None or dialect.name == "postgresql":
            return value
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.") + f"{value.microsecond // 1000:03d}"

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Turn what the database stores into an aware datetime in UTC."""
        if value is None:
            return None
        if isinstance(value, str):
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        moment: datetime = value.astimezone(UTC)
        return moment


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Json = JSON(none_as_null=True)
_Serial = BigInteger().with_variant(Integer, "sqlite")
_QUEUED = text("state = 'queued'")
_RUNNING = text("state = 'running'")
_OF_KEY = text("key_id IS NOT NULL")
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
    Column("options", _Json, nullable=False),
    Column("options_sha256", String(64)),
    Column("batch_id", String(30)),
    Column("copied_from", String(30)),
    Column("promoted_at", UtcDateTime),
    Column("webhook", String(2000)),
    Column("key_id", String(30)),
    Column("request_id", String(64)),
    Column("traceparent", String(55)),
    Column("error", _Json),
    Column("timings_ms", _Json),
    Column("pages_done", Integer, nullable=False, server_default="0"),
    Column("filename", String(255)),
    Column("metadata", _Json),
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
    Index("ix_jobs_key_id_id", "key_id", "id", sqlite_where=_OF_KEY, postgresql_where=_OF_KEY),
    Index("ix_jobs_open_key_id", "key_id", sqlite_where=_OPEN_OF_KEY, postgresql_where=_OPEN_OF_KEY),
    Index("ix_jobs_deadline_at", "deadline_at", sqlite_where=_WITH_DEADLINE, postgresql_where=_WITH_DEADLINE),
    # The sweeper's two worries, each as small as the work in flight.
    Index("ix_jobs_queued", "published_at", "priority", "id", sqlite_where=_QUEUED, postgresql_where=_QUEUED),
    Index("ix_jobs_running", "lease_until", sqlite_where=_RUNNING, postgresql_where=_RUNNING),
)

results = Table(
    "results",
    metadata,
    Column("job_id", String(30), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("reader_sha256", String(64)),
    Column("document", _Json, nullable=False),
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
    Column("timings_ms", _Json, nullable=False),
)

# What people say that a line holds. Rows are added, never changed: the last one of a line is what it holds now.
corrections = Table(
    "corrections",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
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


def _where_given(name: str) -> dict[str, Any]:
    """Options of an index that leaves out the rows without a value."""
    given = text(f"{name} IS NOT NULL")
    return {"sqlite_where": given, "postgresql_where": given}


# On PostgreSQL partitioned by month of occurred_at, with the primary key (id, occurred_at): see audit_partitions.
audit_events = Table(
    "audit_events",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("event", String(40), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("job_id", String(30)),
    Column("attempt", Integer),
    Column("client_ip", String(45)),
    Column("sha256", String(64)),
    Column("confidence", Float(53)),
    Column("min_confidence", Float(53)),
    Column("model", String(200)),
    Column("model_version", String(100)),
    Column("model_sha256", String(64)),
    Column("outcome", String(16)),
    Column("code", String(64)),
    Column("subject", String(30)),
    Column("key_id", String(32)),
    Column("ip_key", String(33)),
    Column("duration_ms", BigInteger),
    # Each filter of the trail with the order of its pages.
    Index("ix_audit_events_occurred_at_id", "occurred_at", "id"),
    Index("ix_audit_events_event", "event", "occurred_at", "id"),
    *(
        Index(f"ix_audit_events_{name}", name, "occurred_at", "id", **_where_given(name))
        for name in (
            "job_id", "sha256", "ip_key", "key_id", "outcome", "subject", "confidence", "model", "model_version"
        )
    ),
    sqlite_autoincrement=True,  # an id is never used twice, also after a purge
)  # fmt: skip

audit_seals = Table(
    "audit_seals",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("sealed_at", UtcDateTime, nullable=False),
    Column("until_at", UtcDateTime, nullable=False),
    Column("first_id", BigInteger, nullable=False),
    Column("last_id", BigInteger, nullable=False),
    Column("event_count", Integer, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("digests", LargeBinary, nullable=False),
    Index("ix_audit_seals_hash", "hash"),
)

audit_chain = Table(
    "audit_chain",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("last_id", BigInteger, nullable=False),
    Column("purged_number", BigInteger, nullable=False),
    Column("purged_hash", String(64), nullable=False),
    Column("purged_id", BigInteger, nullable=False),
    Column("purging", SmallInteger, nullable=False),
    Column("born_at", UtcDateTime),  # when this database was made, or what was left of it began
)

worker_children = Table(
    "worker_children",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("node", String(150), nullable=False),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("model", String(200), nullable=False),
    Column("model_version", String(100), nullable=False),
    Column("model_sha256", String(64), nullable=False),
    Column("reader_sha256", String(64)),
    Column("stronger", String(200)),
    Column("stronger_version", String(100)),
    Column("stronger_sha256", String(64)),
    Column("on_hand", _Json),  # SHA-256 of each recogniser of its machine, by name
    Column("detector", String(200)),
    Column("detector_version", String(100)),
    Column("detector_sha256", String(64)),
    Column("detectors", _Json),  # SHA-256 of each detector of its machine, by name
    Column("fault", String(500)),
    Column("started_at", UtcDateTime, nullable=False),
    Column("heartbeat_at", UtcDateTime, nullable=False),
    Column("rss_bytes", BigInteger),
)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", String(30), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("url", String(2000)),
    Column("description", String(200)),
    Column("event_types", _Json, nullable=False),
    Column("disabled_at", UtcDateTime),
    Column("disabled_reason", String(64)),
)

webhook_secrets = Table(
    "webhook_secrets",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
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
    Column("payload", _Json, nullable=False),
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
    Index("ix_deliveries_key_id_id", "key_id", "id", sqlite_where=_OF_KEY, postgresql_where=_OF_KEY),
    Column("request_id", String(64)),
    Index("ix_deliveries_job_id_id", "job_id", "id"),
    Index("ix_deliveries_endpoint_id_id", "endpoint_id", "id"),
    Index("ix_deliveries_finished_at", "finished_at"),
    Index("ix_deliveries_queued", "due_at", sqlite_where=_QUEUED, postgresql_where=_QUEUED),
    Index("ix_deliveries_running", "lease_until", sqlite_where=_RUNNING, postgresql_where=_RUNNING),
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

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(30), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("scopes", _Json, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("old_sha256", String(64)),
    Column("old_until", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("revision", Integer, nullable=False),  # grows with every change: the sum over all keys tells of any
)

models = Table(
    "models",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("version", String(100), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("card", _Json, nullable=False),
    Column("path", String(4096), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("added_by", String(200), nullable=False),
)

model_generations = Table(
    "model_generations",
    metadata,
    Column("number", _Serial, primary_key=True, autoincrement=True),
    Column("role", String(16), nullable=False),
    Column("model", String(200)),  # NULL: the model that the settings name
    Column("sha256", String(64)),
    Column("state", String(16), nullable=False),
    Column("reason", String(500)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(200), nullable=False),
    Index("ix_model_generations_role_number", "role", "number"),
    sqlite_autoincrement=True,
)

model_takeups = Table(
    "model_takeups",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # of the generation
    Column("child", String(200), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("reason", String(500)),
    Column("at", UtcDateTime, nullable=False),
)

# Who is signed in on the pages: SHA-256 of what the cookie holds, and of the text of the key that it was exchanged for.
sessions = Table(
    "sessions",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("key_id", String(30), ForeignKey("api_keys.id", ondelete="CASCADE"), nullable=False),
    Column("key_sha256", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime, nullable=False),
    Index("ix_sessions_last_used_at", "last_used_at"),
)

# What /metrics says of the past: sums over the audit trail, kept by the sweeper; see shared/audit/tallies.py.
tallies = Table(
    "tallies",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("label", String(200), primary_key=True),
    Column("bucket", String(16), primary_key=True),
    Column("value", Float(53), nullable=False),
)

tally_cursor = Table(
    "tally_cursor",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("audit_id", _Serial, nullable=False),
    Column("swept_at", UtcDateTime, nullable=False),
)
