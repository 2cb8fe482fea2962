"""Keys, and who is signed in."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from shared.tables.columns import JSON_OR_NULL, UtcDateTime, metadata

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(30), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("scopes", JSON_OR_NULL, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("old_sha256", String(64)),
    Column("old_until", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("revision", Integer, nullable=False),  # grows with every change: the sum over all keys tells of any
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
