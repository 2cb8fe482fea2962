"""What those who run the service order of API keys: look at them, make one, end one."""

from __future__ import annotations

from collections.abc import Collection

from api.service.caller import Caller
from api.service.parts import Parts
from shared import errors, keys
from shared.keys import record
from shared.keys.record import ApiKey, Scope

DAY_SECONDS = 86_400
MOST_DAYS = 36_500


def list_all(parts: Parts) -> list[ApiKey]:
    """All keys, the oldest first; those that are good no longer, too."""
    with parts.database.read() as connection:
        return keys.list_keys(connection)


def create(
    parts: Parts, name: str, scopes: Collection[Scope], client: Caller, *, days: float | None = None
) -> tuple[ApiKey, str]:
    """Make a key; return it and its text, which is stored nowhere. Raises InvalidOption."""
    if not record.is_name(name):
        raise errors.InvalidOption(f"The name must be {record.NAME_RULE}.", option="name")
    if not scopes:
        raise errors.InvalidOption(f"Choose at least one scope of {', '.join(Scope)}.", option="scopes")
    if days is not None and not 0 < days <= MOST_DAYS:
        raise errors.InvalidOption(f"days must be more than 0, and {MOST_DAYS} at most.", option="days")
    lifetime_seconds = None if days is None else days * DAY_SECONDS
    with parts.database.write() as connection:
        return keys.create(connection, name=name, scopes=scopes, lifetime_seconds=lifetime_seconds, actor=client.actor)


def revoke(parts: Parts, key_id: str, client: Caller) -> ApiKey:
    """End a key for good; raises KeyNotFound."""
    with parts.database.write() as connection:
        key = keys.revoke(connection, key_id, actor=client.actor)
    if key is None:
        raise errors.KeyNotFound(key_id=key_id[:64])
    return key
