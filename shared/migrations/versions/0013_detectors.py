"""What a worker child finds lines with, the detectors of its machine, and why it cannot work, where it cannot."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; children that live say it anew when they start."""
    op.add_column("worker_children", sa.Column("detector", sa.String(length=200), nullable=True))
    op.add_column("worker_children", sa.Column("detector_version", sa.String(length=100), nullable=True))
    op.add_column("worker_children", sa.Column("detector_sha256", sa.String(length=64), nullable=True))
    op.add_column("worker_children", sa.Column("detectors", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("worker_children", sa.Column("fault", sa.String(length=500), nullable=True))


def downgrade() -> None:
    """Drop them."""
    for name in ("fault", "detectors", "detector_sha256", "detector_version", "detector"):
        op.drop_column("worker_children", name)
