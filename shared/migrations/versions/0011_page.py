"""What people do on the pages: the lines that they correct, their sign-ins, and what they sent from which browser."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.tables import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "corrections",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=True, nullable=False),
        sa.Column("job_id", sa.String(length=30), nullable=False),
        sa.Column("page_number", sa.Integer(), nullable=False),
        sa.Column("line_number", sa.Integer(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("key_id", sa.String(length=30), nullable=True),
        sa.Column("client_ip", sa.String(length=45), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_corrections_job_id_jobs", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_corrections"),
    )
    op.create_index("ix_corrections_job_id_id", "corrections", ["job_id", "id"])
    op.create_table(
        "sessions",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=30), nullable=False),
        sa.Column("key_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("last_used_at", UtcDateTime, nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name="fk_sessions_key_id_api_keys", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("sha256", name="pk_sessions"),
    )
    op.create_index("ix_sessions_last_used_at", "sessions", ["last_used_at"])
    op.create_table(
        "sent",
        sa.Column("visitor", sa.String(length=64), nullable=False),
        sa.Column("job_id", sa.String(length=30), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_sent_job_id_jobs", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("visitor", "job_id", name="pk_sent"),
    )
    op.create_index("ix_sent_job_id", "sent", ["job_id"])


def downgrade() -> None:
    """Undo it."""
    op.drop_table("sent")
    op.drop_table("sessions")
    op.drop_table("corrections")
