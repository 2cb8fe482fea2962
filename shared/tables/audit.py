"""The audit trail, its seals, and what is summed up from it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, SmallInteger, String, Table, text

from shared.tables.columns import SERIAL, UtcDateTime, metadata


def _where_given(name: str) -> dict[str, Any]:
    """Options of an index that leaves out the rows without a value."""
    given = text(f"{name} IS NOT NULL")
    return {"sqlite_where": given, "postgresql_where": given}


# On PostgreSQL partitioned by month of occurred_at, with the primary key (id, occurred_at): see audit_partitions.
audit_events = Table(
    "audit_events",
    metadata,
    Column("id", SERIAL, primary_key=True, autoincrement=True),
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
    Column("audit_id", SERIAL, nullable=False),
    Column("swept_at", UtcDateTime, nullable=False),
)
