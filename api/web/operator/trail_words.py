"""What the events of the audit trail are called, and who did them."""

from __future__ import annotations

from flask_babel import LazyString, lazy_gettext

EVENTS: dict[str, LazyString] = {
    "job.submitted": lazy_gettext("document sent"),
    "job.claimed": lazy_gettext("reading begun"),
    "job.succeeded": lazy_gettext("document read"),
    "job.failed": lazy_gettext("reading failed"),
    "job.retried": lazy_gettext("attempt failed, another follows"),
    "job.released": lazy_gettext("given back by the worker"),
    "job.expired": lazy_gettext("worker fell silent"),
    "job.cancelled": lazy_gettext("document cancelled"),
    "job.requeued": lazy_gettext("tried again by hand"),
    "job.deleted": lazy_gettext("document deleted"),
    "job.read": lazy_gettext("result shown to another key"),
    "job.corrected": lazy_gettext("line corrected"),
    "request.refused": lazy_gettext("request refused"),
    "upload.deleted": lazy_gettext("upload deleted"),
    "delivery.succeeded": lazy_gettext("webhook delivered"),
    "delivery.failed": lazy_gettext("webhook failed"),
    "delivery.cancelled": lazy_gettext("webhook cancelled"),
    "delivery.redelivered": lazy_gettext("webhook sent again by hand"),
    "endpoint.created": lazy_gettext("webhook endpoint made"),
    "endpoint.changed": lazy_gettext("webhook endpoint changed"),
    "endpoint.disabled": lazy_gettext("webhook endpoint switched off"),
    "endpoint.deleted": lazy_gettext("webhook endpoint deleted"),
    "endpoint.secret_rotated": lazy_gettext("webhook secret replaced"),
    "key.created": lazy_gettext("key made"),
    "key.revoked": lazy_gettext("key revoked"),
    "key.rotated": lazy_gettext("key replaced"),
    "model.added": lazy_gettext("model added"),
    "model.removed": lazy_gettext("model removed"),
    "model.activated": lazy_gettext("model activated"),
    "model.rolled_back": lazy_gettext("model rolled back"),
    "model.held": lazy_gettext("model held back"),
    "session.opened": lazy_gettext("signed in"),
    "session.closed": lazy_gettext("signed out"),
}
ACTORS: dict[str, LazyString] = {
    "client": lazy_gettext("client"),
    "operator": lazy_gettext("operator"),
    "sweeper": lazy_gettext("sweeper"),
}
BROKEN: dict[str, LazyString] = {
    "event_changed": lazy_gettext("The event is not what was sealed: somebody changed it."),
    "event_deleted": lazy_gettext("The event was sealed and is gone."),
    "event_inserted": lazy_gettext("The event was not there when the events around it were sealed."),
    "seal_changed": lazy_gettext("The seal is not what was written: somebody changed it. Its events cannot be judged."),
    "seal_missing": lazy_gettext("The seal is gone, so nothing vouches for its events."),
    "head_changed": lazy_gettext("The end of the chain is not the last seal: somebody changed one of them."),
    "anchor_missing": lazy_gettext(
        "The chain does not hold the seal that you kept: it was written anew, or deleted by age."
    ),
}


def who(actor: str) -> str:
    """Who did it, in words; of a worker the machine."""
    return str(ACTORS.get(actor) or actor.rpartition("/")[0] or actor)
