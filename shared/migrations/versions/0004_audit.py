"""The audit trail: partitioned by month on PostgreSQL, chained by seals, and closed to changes on both databases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.audit import addresses, partitions
from shared.tables import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

GENESIS = "0" * 64
OLD_INDEXES = {name: [name, "id"] for name in ("client_ip", "job_id", "occurred_at", "sha256")}
ALWAYS = {"occurred_at_id": ["occurred_at", "id"], "event": ["event", "occurred_at", "id"]}
WHERE_GIVEN = ("job_id", "sha256", "ip_key", "key_id", "outcome", "subject", "confidence", "model", "model_version")
NEW_COLUMNS = ("key_id", "ip_key", "duration_ms")
ALLOWED = {"audit_events": "chain.purging = 1 OR OLD.id > chain.last_id", "audit_seals": "chain.purging = 1"}
REFUSAL = "sealed audit events are never changed; old ones leave by OCRELAY_KEEP_AUDIT_SECONDS alone"


def upgrade() -> None:
    """Carry the rows over, then make indexes, chain and triggers."""
    op.add_column("audit_events", sa.Column("key_id", sa.String(length=32), nullable=True))
    op.add_column("audit_events", sa.Column("ip_key", sa.String(length=33), nullable=True))
    op.add_column("audit_events", sa.Column("duration_ms", sa.BigInteger(), nullable=True))
    _fill_ip_keys()
    for name in OLD_INDEXES:
        op.drop_index(f"ix_audit_events_{name}_id", "audit_events")
    if _is_postgres():
        _partition()
    for name, columns in ALWAYS.items():
        op.create_index(f"ix_audit_events_{name}", "audit_events", columns, unique=False)
    for name in WHERE_GIVEN:
        given = sa.text(f"{name} IS NOT NULL")
        columns = [name, "occurred_at", "id"]
        op.create_index(
            f"ix_audit_events_{name}", "audit_events", columns, unique=False, sqlite_where=given, postgresql_where=given
        )
    _create_chain()
    for statement in _postgres_triggers() if _is_postgres() else _sqlite_triggers():
        op.execute(statement)


def downgrade() -> None:
    """Back to a plain table without chain."""
    tables = ("audit_events", "audit_seals")
    if _is_postgres():
        for table in tables:
            op.execute(f"DROP TRIGGER {table}_closed ON {table}")
            op.execute(f"DROP FUNCTION {table}_closed()")
    else:
        for table in tables:
            for order in ("update", "delete"):
                op.execute(f"DROP TRIGGER {table}_no_{order}")
    op.drop_table("audit_seals")
    op.drop_table("audit_chain")
    for name in (*ALWAYS, *WHERE_GIVEN):
        op.drop_index(f"ix_audit_events_{name}", "audit_events")
    if _is_postgres():
        _copy_into("")
        op.create_primary_key("pk_audit_events", "audit_events", ["id"])
    for name in NEW_COLUMNS:
        op.drop_column("audit_events", name)
    for name, columns in OLD_INDEXES.items():
        op.create_index(f"ix_audit_events_{name}_id", "audit_events", columns, unique=False)


def _is_postgres() -> bool:
    return op.get_context().dialect.name == "postgresql"


def _fill_ip_keys() -> None:
    connection = op.get_bind()
    found = connection.execute(sa.text("SELECT DISTINCT client_ip FROM audit_events WHERE client_ip IS NOT NULL"))
    statement = sa.text("UPDATE audit_events SET ip_key = :key WHERE client_ip = :client_ip")
    for (client_ip,) in found.all():
        connection.execute(statement, {"key": addresses.sort_key(client_ip), "client_ip": client_ip})


def _partition() -> None:
    connection = op.get_bind()
    oldest = connection.execute(sa.text("SELECT coalesce(min(occurred_at), clock_timestamp()) FROM audit_events"))
    first = partitions.month_of(oldest.scalar_one())
    now = connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    last = partitions.month_of(now)
    for _ in range(partitions.MONTHS_AHEAD):
        last = partitions.after(last)
    _copy_into("PARTITION BY RANGE (occurred_at)", partitions.first_partitions(min(first, last), last))
    op.create_primary_key("pk_audit_events", "audit_events", ["id", "occurred_at"])


def _copy_into(kind: str, more: list[str] | None = None) -> None:
    """Make the table anew with the same columns, of another kind, and carry the rows and the counter over."""
    op.execute("ALTER TABLE audit_events DROP CONSTRAINT pk_audit_events")
    op.execute("ALTER TABLE audit_events RENAME TO audit_events_old")
    op.execute(f"CREATE TABLE audit_events (LIKE audit_events_old INCLUDING DEFAULTS) {kind}")
    for statement in more or []:
        op.execute(statement)
    op.execute("INSERT INTO audit_events SELECT * FROM audit_events_old")
    op.execute("ALTER SEQUENCE audit_events_id_seq OWNED BY audit_events.id")
    op.execute("DROP TABLE audit_events_old")


def _create_chain() -> None:
    op.create_table(
        "audit_seals",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sealed_at", UtcDateTime(), nullable=False),
        sa.Column("until_at", UtcDateTime(), nullable=False),
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("digests", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_seals")),
    )
    op.create_index("ix_audit_seals_hash", "audit_seals", ["hash"], unique=False)
    chain = op.create_table(
        "audit_chain",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("purged_number", sa.BigInteger(), nullable=False),
        sa.Column("purged_hash", sa.String(length=64), nullable=False),
        sa.Column("purged_id", sa.BigInteger(), nullable=False),
        sa.Column("purging", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_chain")),
    )
    zero = {"number": 0, "last_id": 0, "purged_number": 0, "purged_id": 0, "purging": 0}
    op.execute(chain.insert().values(id=1, hash=GENESIS, purged_hash=GENESIS, **zero))


def _postgres_triggers() -> list[str]:
    statements = []
    for table, allowed in ALLOWED.items():
        statements += [
            f"""
            CREATE FUNCTION {table}_closed() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NOT EXISTS (SELECT FROM audit_chain AS chain WHERE {allowed}) THEN
                    RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
            END $$
            """,
            f"CREATE TRIGGER {table}_closed BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_closed()",
        ]
    return statements


def _sqlite_triggers() -> list[str]:
    return [
        f"CREATE TRIGGER {table}_no_{order.lower()} BEFORE {order} ON {table} "  # noqa: S608
        f"WHEN NOT EXISTS (SELECT 1 FROM audit_chain AS chain WHERE {allowed}) "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        for table, allowed in ALLOWED.items()
        for order in ("UPDATE", "DELETE")
    ]
