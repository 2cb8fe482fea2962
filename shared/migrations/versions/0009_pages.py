"""Pages are stored as they are read: what a job has done outlives its worker."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.tables import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and count for jobs that have succeeded what they have done: all of their pages."""
    op.add_column("jobs", sa.Column("pages_done", sa.Integer(), server_default="0", nullable=False))
    op.execute("UPDATE jobs SET pages_done = page_count WHERE state = 'succeeded'")
    op.create_table(
        "pages",
        sa.Column("job_id", sa.String(length=30), nullable=False),
        sa.Column("page_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stored_at", UtcDateTime(), nullable=False),
        sa.Column("reader_sha256", sa.String(length=64), nullable=True),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("character_count", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Float(precision=53), nullable=True),
        sa.Column("min_confidence", sa.Float(precision=53), nullable=True),
        sa.Column("timings_ms", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_pages_job_id_jobs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "page_number", name=op.f("pk_pages")),
    )


def downgrade() -> None:
    """Drop them; jobs that are under way begin again."""
    op.drop_table("pages")
    op.drop_column("jobs", "pages_done")
