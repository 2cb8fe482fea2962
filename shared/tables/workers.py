"""Worker children, and the models that they read with."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from shared.tables.columns import JSON_OR_NULL, SERIAL, UtcDateTime, metadata

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
    Column("on_hand", JSON_OR_NULL),  # SHA-256 of each recogniser of its machine, by name
    Column("detector", String(200)),
    Column("detector_version", String(100)),
    Column("detector_sha256", String(64)),
    Column("detectors", JSON_OR_NULL),  # SHA-256 of each detector of its machine, by name
    Column("fault", String(500)),
    Column("started_at", UtcDateTime, nullable=False),
    Column("heartbeat_at", UtcDateTime, nullable=False),
    Column("rss_bytes", BigInteger),
)

models = Table(
    "models",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("version", String(100), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("card", JSON_OR_NULL, nullable=False),
    Column("path", String(4096), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("added_by", String(200), nullable=False),
)

model_generations = Table(
    "model_generations",
    metadata,
    Column("number", SERIAL, primary_key=True, autoincrement=True),
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
