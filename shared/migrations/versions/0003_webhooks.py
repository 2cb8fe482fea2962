"""Webhooks: endpoints with their secrets, deliveries with their attempts, and the URL that a job brings along."""

from __future__ import annotations

import base64
import secrets

import sqlalchemy as sa
from alembic import op

from shared.database import database_now
from shared.tables import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BUILT_IN = "ep_jobs"
"""The endpoint that stands for the URLs of single jobs: a secret, and no URL of its own."""


def upgrade() -> None:
    """Make the tables, and the built-in endpoint with a secret of its own."""
    op.add_column("jobs", sa.Column("webhook", sa.String(length=2000), nullable=True))
    op.add_column("audit_events", sa.Column("subject", sa.String(length=30), nullable=True))
    endpoints = op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.String(length=30), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=True),
        sa.Column("description", sa.String(length=200), nullable=True),
        sa.Column("event_types", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("disabled_at", UtcDateTime(), nullable=True),
        sa.Column("disabled_reason", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoints")),
    )
    of_endpoints = op.create_table(
        "webhook_secrets",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("endpoint_id", sa.String(length=30), nullable=False),
        sa.Column("secret", sa.String(length=120), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoints.id"],
            name=op.f("fk_webhook_secrets_endpoint_id_webhook_endpoints"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_secrets")),
    )
    op.create_index("ix_webhook_secrets_endpoint_id_id", "webhook_secrets", ["endpoint_id", "id"], unique=False)
    _create_deliveries()
    now = database_now()
    op.execute(endpoints.insert().values(id=BUILT_IN, created_at=now, event_types=[]))
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    op.execute(of_endpoints.insert().values(endpoint_id=BUILT_IN, secret=secret, created_at=now))


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(length=30), nullable=False),
        sa.Column("endpoint_id", sa.String(length=30), nullable=False),
        sa.Column("job_id", sa.String(length=30), nullable=True),
        sa.Column("lane", sa.String(length=300), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("event_type", sa.String(length=40), nullable=False),
        sa.Column("payload", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index("ix_deliveries_endpoint_id_id", "deliveries", ["endpoint_id", "id"], unique=False)
    op.create_index("ix_deliveries_finished_at", "deliveries", ["finished_at"], unique=False)
    op.create_index("ix_deliveries_job_id_id", "deliveries", ["job_id", "id"], unique=False)
    for name, column, state in (
        ("ix_deliveries_queued", "due_at", "queued"),
        ("ix_deliveries_running", "lease_until", "running"),
    ):
        condition = sa.text(f"state = '{state}'")
        op.create_index(name, "deliveries", [column], unique=False, sqlite_where=condition, postgresql_where=condition)
    op.create_table(
        "delivery_attempts",
        sa.Column("delivery_id", sa.String(length=30), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("address", sa.String(length=45), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(length=64), nullable=True),
        sa.Column("detail", sa.String(length=500), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
            name=op.f("fk_delivery_attempts_delivery_id_deliveries"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("delivery_id", "number", name=op.f("pk_delivery_attempts")),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("delivery_attempts", "deliveries", "webhook_secrets", "webhook_endpoints"):
        op.drop_table(table)
    op.drop_column("audit_events", "subject")
    op.drop_column("jobs", "webhook")
