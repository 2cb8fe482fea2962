"""Results are copied by everything that decides what is read; the age of the database is known for ever."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database import database_now
from shared.tables import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Name the column anew; what it holds of earlier versions equals no reader, so none of it is copied."""
    op.execute("ALTER TABLE results RENAME COLUMN model_sha256 TO reader_sha256")
    op.add_column("worker_children", sa.Column("reader_sha256", sa.String(length=64), nullable=True))
    op.add_column("audit_chain", sa.Column("born_at", UtcDateTime(), nullable=True))
    chain = sa.table("audit_chain", sa.column("born_at"))
    events = sa.table("audit_events", sa.column("occurred_at", UtcDateTime()))
    first = sa.select(sa.func.min(events.c.occurred_at)).scalar_subquery()
    op.execute(chain.update().values(born_at=sa.func.coalesce(first, database_now())))


def downgrade() -> None:
    """Undo it."""
    op.execute("ALTER TABLE results RENAME COLUMN reader_sha256 TO model_sha256")
    op.drop_column("worker_children", "reader_sha256")
    op.drop_column("audit_chain", "born_at")
