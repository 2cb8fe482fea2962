"""API keys, and the key that a job, a batch, a delivery and an audit event belong to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.tables import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_jobs_key_id_id", "jobs", ["key_id", "id"], "key_id IS NOT NULL"),
    ("ix_jobs_open_key_id", "jobs", ["key_id"], "key_id IS NOT NULL AND state IN ('queued', 'running')"),
    ("ix_deliveries_key_id_id", "deliveries", ["key_id", "id"], "key_id IS NOT NULL"),
)


def upgrade() -> None:
    """Make the table, the columns and their indexes."""
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=30), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("scopes", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("old_sha256", sa.String(length=64), nullable=True),
        sa.Column("old_until", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
    )
    for table in ("jobs", "batches", "deliveries"):
        op.add_column(table, sa.Column("key_id", sa.String(length=30), nullable=True))
    for name, table, columns, condition in INDEXES:
        where = sa.text(condition)
        op.create_index(name, table, columns, unique=False, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Remove them again."""
    for name, table, _, _ in INDEXES:
        op.drop_index(name, table)
    for table in ("jobs", "batches", "deliveries"):
        op.drop_column(table, "key_id")
    op.drop_table("api_keys")
