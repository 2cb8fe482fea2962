"""What people order of jobs: batches, keys that make a submission happen once, copies, and the broker's epoch."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.tables import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables and columns."""
    op.create_table(
        "batches",
        sa.Column("id", sa.String(length=30), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=True),
        sa.Column("client_ip", sa.String(length=45), nullable=True),
        sa.Column("document_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=30), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "broker_epochs",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broker_epochs")),
    )
    op.execute("INSERT INTO broker_epochs (id, epoch) VALUES (1, '')")
    op.add_column("jobs", sa.Column("options_sha256", sa.String(length=64), nullable=True))
    op.add_column("jobs", sa.Column("batch_id", sa.String(length=30), nullable=True))
    op.add_column("jobs", sa.Column("copied_from", sa.String(length=30), nullable=True))
    op.add_column("jobs", sa.Column("promoted_at", UtcDateTime(), nullable=True))
    op.add_column("results", sa.Column("model_sha256", sa.String(length=64), nullable=True))
    for name, columns, condition in (
        ("ix_jobs_batch_id_id", ["batch_id", "id"], "batch_id IS NOT NULL"),
        ("ix_jobs_finished_at", ["finished_at"], "finished_at IS NOT NULL"),
    ):
        where = sa.text(condition)
        op.create_index(name, "jobs", columns, unique=False, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Remove them again."""
    for name in ("ix_jobs_batch_id_id", "ix_jobs_finished_at"):
        op.drop_index(name, "jobs")
    op.drop_column("results", "model_sha256")
    for name in ("options_sha256", "batch_id", "copied_from", "promoted_at"):
        op.drop_column("jobs", name)  # not in batch mode: SQLite would build the table anew, and empty `results`
    for table in ("batches", "idempotency_keys", "broker_epochs"):
        op.drop_table(table)
