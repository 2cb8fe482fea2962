"""Observability: the request of a job, the memory of a child, and sums over the audit trail for /metrics."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database import database_now
from shared.tables import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make tables and columns. The sums begin at the end of the trail: an upgrade is no event of its own."""
    op.add_column("jobs", sa.Column("request_id", sa.String(length=64), nullable=True))
    op.add_column("jobs", sa.Column("traceparent", sa.String(length=55), nullable=True))
    op.add_column("deliveries", sa.Column("request_id", sa.String(length=64), nullable=True))
    op.add_column("worker_children", sa.Column("rss_bytes", sa.BigInteger(), nullable=True))
    op.create_table(
        "tallies",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("bucket", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("name", "label", "bucket", name=op.f("pk_tallies")),
    )
    cursor = op.create_table(
        "tally_cursor",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("audit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("swept_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tally_cursor")),
    )
    last = sa.text("(SELECT coalesce(max(id), 0) FROM audit_events)")
    op.execute(cursor.insert().values(id=1, audit_id=last, swept_at=database_now()))


def downgrade() -> None:
    """Drop them."""
    op.drop_table("tally_cursor")
    op.drop_table("tallies")
    for table, columns in (
        ("worker_children", ["rss_bytes"]),
        ("deliveries", ["request_id"]),
        ("jobs", ["traceparent", "request_id"]),
    ):
        for column in columns:
            op.drop_column(table, column)
