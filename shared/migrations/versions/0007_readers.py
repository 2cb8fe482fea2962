"""Results are copied by everything that decides what is read, not by the recogniser's file alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Name the column anew; what it holds of earlier versions equals no reader, so none of it is copied."""
    op.execute("ALTER TABLE results RENAME COLUMN model_sha256 TO reader_sha256")
    op.add_column("worker_children", sa.Column("reader_sha256", sa.String(length=64), nullable=True))


def downgrade() -> None:
    """Undo it."""
    op.execute("ALTER TABLE results RENAME COLUMN reader_sha256 TO model_sha256")
    with op.batch_alter_table("worker_children") as children:
        children.drop_column("reader_sha256")
