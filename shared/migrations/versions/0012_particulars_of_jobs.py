"""What a client says of its job beside the document: its file name, its own metadata, a deadline."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.tables import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_WITH_DEADLINE = sa.text("deadline_at IS NOT NULL AND state IN ('queued', 'running')")


def upgrade() -> None:
    """Add the columns; jobs of before have none of it."""
    op.add_column("jobs", sa.Column("filename", sa.String(length=255), nullable=True))
    op.add_column("jobs", sa.Column("metadata", sa.JSON(), nullable=True))
    op.add_column("jobs", sa.Column("deadline_at", UtcDateTime(), nullable=True))
    op.create_index(
        "ix_jobs_deadline_at", "jobs", ["deadline_at"], sqlite_where=_WITH_DEADLINE, postgresql_where=_WITH_DEADLINE
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_jobs_deadline_at", "jobs")
    for name in ("deadline_at", "metadata", "filename"):
        op.drop_column("jobs", name)
