"""Worker children say which stronger model they have."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COLUMNS = {"stronger": 200, "stronger_version": 100, "stronger_sha256": 64}


def upgrade() -> None:
    """Add what is empty where there is none."""
    for name, length in COLUMNS.items():
        op.add_column("worker_children", sa.Column(name, sa.String(length=length), nullable=True))


def downgrade() -> None:
    """Undo it."""
    for name in COLUMNS:
        op.drop_column("worker_children", name)
