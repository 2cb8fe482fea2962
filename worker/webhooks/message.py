"""The message of one attempt: the exact bytes, and the headers that sign them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Any

from standardwebhooks import Webhook

from shared.webhooks.record import Delivery

MAX_BODY_BYTES = 20_000
"""Source: Standard Webhooks 1.0, "Payload size"."""


def body_of(delivery: Delivery, *, base_url: str) -> str:
    """Return the JSON of a delivery, its links made absolute, always under 20 kB.

    It is the same at every attempt, unless the operator changes the server's URL in between.
    """
    payload = delivery.payload
    data: dict[str, Any] = dict(payload["data"])
    if "links" in data:
        data["links"] = {name: base_url + path for name, path in data["links"].items()}
    body = _json({**payload, "data": data})
    if len(body.encode()) >= MAX_BODY_BYTES and data.get("error"):
        data["error"] = {**data["error"], "details": {}}  # the one part without a bound; the job itself still has it
        body = _json({**payload, "data": data})
    return body


def headers_of(delivery_id: str, body: str, secrets: Sequence[str], *, at: datetime) -> dict[str, str]:
    """Return the headers of one attempt: fresh time, one signature for each secret.

    Args:
        delivery_id: The same on every attempt, so that the receiver knows a repetition.
        body: Exactly what is sent.
        secrets: The newest first; several while a secret is rotated.
        at: Aware, in UTC: the library takes any other for UTC.
    """
    return {
        "Content-Type": "application/json",
        "User-Agent": f"ocrelay/{version('ocrelay')}",
        "webhook-id": delivery_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(delivery_id, at, body) for secret in secrets),
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
