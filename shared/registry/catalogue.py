"""The models that are known: noted when they are added, or by the first worker that finds them on its machine."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from shared.audit import trail
from shared.audit.actor import Actor
from shared.database import database_now
from shared.registry.record import KnownModel
from shared.tables import models


def note(
    connection: Connection,
    *,
    name: str,
    kind: str,
    version: str,
    sha256: str,
    card: dict[str, Any],
    path: str,
    actor: Actor,
) -> bool:
    """Write down a model, or that another file has its name now. False: it was known so already."""
    known = find(connection, name)
    if known is not None and (known.sha256, known.version) == (sha256, version):
        return False
    values = {
        "kind": kind,
        "version": version,
        "sha256": sha256,
        "card": card,
        "path": path,
        "added_at": database_now(),
        "added_by": actor.name,
    }
    if known is None:
        connection.execute(insert(models).values(name=name, **values))
    else:
        connection.execute(update(models).where(models.c.name == name).values(values))
    named = {"name": name, "version": version, "sha256": sha256}
    trail.record(connection, event=trail.Event.MODEL_ADDED, actor=actor, model=named, subject=kind)
    return True


def forget(connection: Connection, name: str, *, actor: Actor) -> bool:
    """Strike a model off the list. False: it was not on it."""
    known = find(connection, name)
    if known is None:
        return False
    connection.execute(delete(models).where(models.c.name == name))
    named = {"name": name, "version": known.version, "sha256": known.sha256}
    trail.record(connection, event=trail.Event.MODEL_REMOVED, actor=actor, model=named, subject=known.kind)
    return True


def find(connection: Connection, name: str) -> KnownModel | None:
    """Return the model of this name."""
    row = connection.execute(select(models).where(models.c.name == name)).mappings().one_or_none()
    return KnownModel(**row) if row else None


def list_models(connection: Connection) -> list[KnownModel]:
    """Return all models, by name."""
    return [KnownModel(**row) for row in connection.execute(select(models).order_by(models.c.name)).mappings()]
