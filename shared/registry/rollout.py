"""Which model each role has: generations that are added, rolled back and held, each with its audit event.

Nothing is written until somebody activates a model; up to then each role has the model that the settings name.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, or_, select, update

from shared.audit import trail
from shared.audit.actor import Actor
from shared.database import AnyRow, database_now
from shared.registry.record import Generation, KnownModel, Role, RolloutState
from shared.tables import model_generations as generations
from shared.tables import worker_children

_NEWEST_OF_ROLES = select(func.max(generations.c.number)).group_by(generations.c.role)
_CURRENT = select(generations).where(generations.c.number.in_(_NEWEST_OF_ROLES))
_NEWEST = select(func.max(generations.c.number))


def current(connection: Connection) -> dict[Role, Generation]:
    """Return the newest generation of each role that ever got one."""
    return {found.role: found for found in map(_to_generation, connection.execute(_CURRENT))}


def newest(connection: Connection) -> int | None:
    """Return the number of the newest generation of any role: as long as it stays, so does what is current."""
    return connection.execute(_NEWEST).scalar()


def get(connection: Connection, number: int) -> Generation:
    """Return a generation that is known to be there."""
    return _to_generation(connection.execute(select(generations).where(generations.c.number == number)).one())


def newest_of(connection: Connection, model: str) -> list[Generation]:
    """Return the newest generation of each role that was given this model, by role."""
    newest = select(func.max(generations.c.number)).where(generations.c.model == model).group_by(generations.c.role)
    query = select(generations).where(generations.c.number.in_(newest)).order_by(generations.c.role)
    return [_to_generation(row) for row in connection.execute(query)]


def activate(connection: Connection, model: KnownModel, role: Role, *, actor: Actor) -> Generation:
    """Give a role a model. Children take it up with their next job, or within seconds."""
    return _add(connection, role, model.name, model.sha256, actor=actor, event=trail.Event.MODEL_ACTIVATED)


def roll_back(connection: Connection, role: Role, *, actor: Actor) -> Generation | None:
    """Give a role the model that it had before; before the first one it had the settings'. None: it never got one."""
    now = current(connection).get(role)
    if now is None:
        return None
    name, sha256 = _before(connection, now)
    return _add(connection, role, name, sha256, actor=actor, event=trail.Event.MODEL_ROLLED_BACK)


def hold(connection: Connection, generation: Generation, *, reason: str, actor: Actor) -> Generation | None:
    """End a rollout that a child cannot follow: everybody gets the model of before.

    Returns:
        What counts from now on; None: the rollout was over, held before, or is not the newest any more.
    """
    if current(connection).get(generation.role) != generation:
        return None
    mine = generations.c.number == generation.number
    query = update(generations).where(mine, generations.c.state == str(RolloutState.ROLLING))
    if connection.execute(query.values(state=str(RolloutState.HELD), reason=reason[:500])).rowcount != 1:
        return None
    name, sha256 = _before(connection, generation)
    return _add(connection, generation.role, name, sha256, actor=actor, event=trail.Event.MODEL_HELD)


def settle(connection: Connection, number: int) -> bool:
    """End a rollout that everybody has followed: from now on, one child that fails is that child's own trouble."""
    mine = generations.c.number == number
    query = update(generations).where(mine, generations.c.state == str(RolloutState.ROLLING))
    return connection.execute(query.values(state=str(RolloutState.SETTLED))).rowcount == 1


def _before(connection: Connection, generation: Generation) -> tuple[str | None, str | None]:
    """Return name and hash of the newest other model that the role had before and that was not held."""
    query = (
        select(generations.c.model, generations.c.sha256)
        .where(
            generations.c.role == str(generation.role),
            generations.c.number < generation.number,
            generations.c.state != str(RolloutState.HELD),
            or_(
                func.coalesce(generations.c.model, "") != (generation.model or ""),
                func.coalesce(generations.c.sha256, "") != (generation.sha256 or ""),
            ),
        )
        .order_by(generations.c.number.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return (row.model, row.sha256) if row else (None, None)


def _add(
    connection: Connection, role: Role, name: str | None, sha256: str | None, *, actor: Actor, event: trail.Event
) -> Generation:
    values = {
        "role": str(role),
        "model": name,
        "sha256": sha256,
        "state": str(RolloutState.ROLLING),
        "created_at": database_now(),
        "created_by": actor.name,
    }
    row = connection.execute(insert(generations).values(values).returning(*generations.c)).one()
    # No result is copied for a repeated upload until each child has said anew what it reads with.
    connection.execute(update(worker_children).values(reader_sha256=None))
    trail.record(connection, event=event, actor=actor, model={"name": name, "sha256": sha256}, subject=str(role))
    return _to_generation(row)


def _to_generation(row: AnyRow) -> Generation:
    return Generation(**{**row._mapping, "role": Role(row.role), "state": RolloutState(row.state)})
