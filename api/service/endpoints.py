"""What clients order of webhook endpoints: make, look, change, delete, try, and their secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.service.caller import Caller
from api.service.parts import Parts
from shared import errors, ids
from shared.webhooks import deliveries, endpoints
from shared.webhooks.record import JOB_URLS, Delivery, Endpoint

NOT_NULL = ("url", "event_types")
LONGEST_DESCRIPTION = 200


def create(parts: Parts, values: Mapping[str, Any], client: Caller) -> tuple[Endpoint, str]:
    """Make an endpoint; return it and its secret. Raises InvalidWebhookUrl or InvalidOption."""
    _check_description(values)
    parts.guard.check(values["url"])
    with parts.database.write() as connection:
        return endpoints.create(connection, **values, actor=client.actor, box=parts.box)


def list_all(parts: Parts) -> list[Endpoint]:
    """All endpoints, the built-in one first."""
    with parts.database.read() as connection:
        return endpoints.list_endpoints(connection)


def find(parts: Parts, endpoint_id: str) -> Endpoint:
    """The endpoint; raises EndpointNotFound."""
    endpoint = None
    if endpoint_id == JOB_URLS or ids.is_id(endpoint_id, "ep"):
        with parts.database.read() as connection:
            endpoint = endpoints.get(connection, endpoint_id)
    return _known(endpoint, endpoint_id)


def change(
    parts: Parts, endpoint_id: str, values: Mapping[str, Any], client: Caller, *, enabled: bool | None = None
) -> Endpoint:
    """Change what is named, and enable or disable.

    Raises EndpointNotFound, EndpointBuiltIn, InvalidWebhookUrl, InvalidOption.
    """
    _own(parts, endpoint_id)
    _check_description(values)
    if values.get("url") is not None:
        parts.guard.check(values["url"])
    for name in NOT_NULL:
        if name in values and values[name] is None:
            raise errors.InvalidOption(f"{name} cannot be null. Leave it out to keep it.", option=name)
    with parts.database.write() as connection:
        endpoint = endpoints.get(connection, endpoint_id)
        if endpoint is not None and values:
            endpoint = endpoints.change(connection, endpoint_id, actor=client.actor, **values)
        if endpoint is not None and enabled is not None and enabled != endpoint.is_enabled:
            if enabled:
                endpoint = endpoints.enable(connection, endpoint_id, actor=client.actor)
            else:
                endpoint = endpoints.disable(connection, endpoint_id, reason="operator", actor=client.actor)
    return _known(endpoint, endpoint_id)


def delete(parts: Parts, endpoint_id: str, client: Caller) -> None:
    """Delete an endpoint and cancel what is queued for it. Raises EndpointNotFound, EndpointBuiltIn."""
    _own(parts, endpoint_id)
    with parts.database.write() as connection:
        if not endpoints.remove(connection, endpoint_id, actor=client.actor):
            raise errors.EndpointNotFound(endpoint_id=endpoint_id[:64])
        deliveries.cancel(connection, endpoint_id, actor=client.actor)


def ping(parts: Parts, endpoint_id: str) -> Delivery:
    """Send a test message once. Raises EndpointNotFound, EndpointBuiltIn, EndpointDisabled."""
    endpoint = _own(parts, endpoint_id)
    if not endpoint.is_enabled:
        raise errors.EndpointDisabled(endpoint_id=endpoint.id, reason=endpoint.disabled_reason)
    with parts.database.write() as connection:
        return deliveries.plan_ping(connection, endpoint)


def secrets(parts: Parts, endpoint_id: str) -> list[str]:
    """The secrets that sign now, the newest first; raises EndpointNotFound."""
    find(parts, endpoint_id)
    with parts.database.read() as connection:
        found = endpoints.secrets_of(connection, [endpoint_id], box=parts.box)[endpoint_id]
    if not found:  # deleted in between
        raise errors.EndpointNotFound(endpoint_id=endpoint_id[:64])
    return found


def rotate_secret(parts: Parts, endpoint_id: str, client: Caller) -> list[str]:
    """Give an endpoint a new secret; return all that sign now. Raises EndpointNotFound."""
    find(parts, endpoint_id)
    overlap_seconds = parts.settings.webhook_rotation_hours * 3600
    with parts.database.write() as connection:
        endpoints.rotate_secret(
            connection, endpoint_id, overlap_seconds=overlap_seconds, actor=client.actor, box=parts.box
        )
    return secrets(parts, endpoint_id)


def _check_description(values: Mapping[str, Any]) -> None:
    text = values.get("description") or ""
    if len(text) > LONGEST_DESCRIPTION or "\0" in text:
        rule = f"description must hold {LONGEST_DESCRIPTION} characters at most, and no NUL."
        raise errors.InvalidOption(rule, option="description")


def _own(parts: Parts, endpoint_id: str) -> Endpoint:
    """An endpoint that somebody made; raises EndpointNotFound or EndpointBuiltIn."""
    endpoint = find(parts, endpoint_id)
    if endpoint.id == JOB_URLS:
        raise errors.EndpointBuiltIn(endpoint_id=endpoint.id)
    return endpoint


def _known(endpoint: Endpoint | None, endpoint_id: str) -> Endpoint:
    if endpoint is None:
        raise errors.EndpointNotFound(endpoint_id=endpoint_id[:64])
    return endpoint
