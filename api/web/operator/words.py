"""What codes of models, keys and webhooks are called."""

from __future__ import annotations

from flask_babel import LazyString, lazy_gettext

ROLES: dict[str, LazyString] = {
    "recogniser": lazy_gettext("reads every line"),
    "stronger": lazy_gettext("reads again what leaves a doubt"),
    "detector": lazy_gettext("finds the lines"),
}
KINDS: dict[str, LazyString] = {
    "recogniser": lazy_gettext("recogniser"),
    "detector": lazy_gettext("line detector"),
}
ROLLOUTS: dict[str, LazyString] = {
    "rolling": lazy_gettext("workers are taking it up"),
    "settled": lazy_gettext("every worker has it"),
    "held": lazy_gettext("refused, the one of before came back"),
}
TAKEUPS: dict[str, LazyString] = {
    "waiting": lazy_gettext("not yet"),
    "taken": lazy_gettext("has it"),
    "refused": lazy_gettext("refused"),
}
SCOPES: dict[str, LazyString] = {
    "submit": lazy_gettext("send documents, and stop, repeat or delete its own"),
    "read": lazy_gettext("look at the documents and batches that it has sent itself, not at those of other keys"),
    "audit": lazy_gettext("look at everybody's, and at the audit trail"),
    "admin": lazy_gettext("everything, with models, webhooks and keys"),
}
KEY_STATES: dict[str, LazyString] = {
    "good": lazy_gettext("good"),
    "expired": lazy_gettext("expired"),
    "revoked": lazy_gettext("revoked"),
}
EVENTS: dict[str, LazyString] = {
    "job.succeeded": lazy_gettext("a document was read"),
    "job.failed": lazy_gettext("a document failed"),
    "job.cancelled": lazy_gettext("a document was stopped"),
    "ping": lazy_gettext("a test"),
}
DELIVERIES: dict[str, LazyString] = {
    "queued": lazy_gettext("to be sent"),
    "running": lazy_gettext("being sent"),
    "succeeded": lazy_gettext("arrived"),
    "failed": lazy_gettext("given up"),
    "cancelled": lazy_gettext("cancelled"),
}
REASONS: dict[str, LazyString] = {
    "schedule_over": lazy_gettext("no attempt was answered with success"),
    "gone": lazy_gettext("the receiver wants nothing any more"),
    "endpoint_deleted": lazy_gettext("the webhook was deleted"),
}
SOURCES: dict[str, LazyString] = {
    "trained from nothing by models/training on lines rendered from Debian's fonts and texts": lazy_gettext(
        "trained from nothing by models/training on lines rendered from Debian's fonts and texts"
    ),
    "trained from nothing by models/training/detector on pages rendered from Debian's fonts and texts": lazy_gettext(
        "trained from nothing by models/training/detector on pages rendered from Debian's fonts and texts"
    ),
}
"""Of the models that come along; others are shown as their cards say."""
MARKS = {
    "rolling": "running",
    "settled": "succeeded",
    "held": "failed",
    "waiting": "queued",
    "taken": "succeeded",
    "refused": "failed",
    "good": "succeeded",
    "expired": "cancelled",
    "revoked": "cancelled",
}
"""The state of a job whose sign and colour it has."""
