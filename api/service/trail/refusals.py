"""A request that was refused, for the audit trail."""

from __future__ import annotations

from api.service.caller import Caller
from api.service.parts import Parts
from shared.audit import trail
from shared.audit.actor import client as client_actor
from shared.telemetry import trace


def note_refusal(parts: Parts, client: Caller, code: str, *, key_id: str | None = None) -> None:
    """Write the event of a request that was answered with this error.

    Args:
        parts: Of the process.
        client: Who asked.
        code: Of the error.
        key_id: The key that was sent and did not do, where it is one of ours.
    """
    with parts.database.write() as connection:
        trail.record(
            connection,
            event=trail.Event.REFUSED,
            actor=client_actor(client.key_id or key_id, client.shown_address),
            outcome="refused",
            code=code,
            subject=(trace.current().request_id or "")[:30] or None,
        )
