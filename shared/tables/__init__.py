"""The SQL tables, for SQLite and PostgreSQL alike. A test holds them equal to ``shared/migrations``."""

from shared.tables.access import api_keys, sessions
from shared.tables.audit import audit_chain, audit_events, audit_seals, tallies, tally_cursor
from shared.tables.columns import UtcDateTime, metadata
from shared.tables.jobs import batches, broker_epochs, corrections, idempotency_keys, jobs, pages, results, sent
from shared.tables.webhooks import deliveries, delivery_attempts, webhook_endpoints, webhook_secrets
from shared.tables.workers import model_generations, model_takeups, models, worker_children

__all__ = [
    "UtcDateTime",
    "api_keys",
    "audit_chain",
    "audit_events",
    "audit_seals",
    "batches",
    "broker_epochs",
    "corrections",
    "deliveries",
    "delivery_attempts",
    "idempotency_keys",
    "jobs",
    "metadata",
    "model_generations",
    "model_takeups",
    "models",
    "pages",
    "results",
    "sent",
    "sessions",
    "tallies",
    "tally_cursor",
    "webhook_endpoints",
    "webhook_secrets",
    "worker_children",
]
