"""Which model each role has: generations that are added, rolled back and held, each with its audit event.

Nothing is written until somebody activates a model; up to then each role has the model that the settings name.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, or_, select, update

from shared import errors, workers
from shared.audit import trail
from shared.audit.actor import Actor
from shared.database import AnyRow, database_now
from shared.registry.record import Generation, KnownModel, Role, RolloutState
from shared.tables import model_generations as generations
from shared.tables import models, worker_children

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


def roll_back(connection: Connection, role: Role, *, actor: Actor) -> Generation:
    """Give a role the model that it had before, and that can be opened; before the first one it had the settings'.

    Raises:
        NothingToRollBack: It never got one, or none of those that it had can be opened any more.
    """
    now = current(connection).get(role)
    if now is None:
        raise errors.NothingToRollBack(role=str(role))
    name, sha256, gone = _before(connection, now)
    if name is None and now.model is None:
        told = f"Not all workers can open {', '.join(gone)} any more. Install or add it anew, or activate another one."
        raise errors.NothingToRollBack(told if gone else None, role=str(role), **({"gone": gone} if gone else {}))
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
    trail.record(
        connection,
        event=trail.Event.MODEL_HELD,
        actor=actor,
        model={"name": generation.model, "sha256": generation.sha256},
        subject=str(generation.role),
        code=errors.ModelHeld.code,
    )
    name, sha256, _ = _before(connection, generation)
    return _add(connection, generation.role, name, sha256, actor=actor, event=trail.Event.MODEL_ROLLED_BACK)


def settle(connection: Connection, number: int) -> bool:
    """End a rollout that everybody has followed: from now on, one child that fails is that child's own trouble."""
    mine = generations.c.number == number
    query = update(generations).where(mine, generations.c.state == str(RolloutState.ROLLING))
    return connection.execute(query.values(state=str(RolloutState.SETTLED))).rowcount == 1


def _before(connection: Connection, generation: Generation) -> tuple[str | None, str | None, list[str]]:
    """Return name and hash of the newest other model that the role had before, that was not held and can be opened.

    Without any, that is what the settings name. And the names of those that were passed over, for they are gone.
    """
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
        .group_by(generations.c.model, generations.c.sha256)
        .order_by(func.max(generations.c.number).desc())
    )
    places = _places(connection)
    gone: list[str] = []
    for name, sha256 in connection.execute(query):
        if name is None or all(has.get(name) == sha256 for has in places):
            return name, sha256, gone
        gone.append(name)
    return None, None, gone


def _places(connection: Connection) -> list[dict[str, str]]:
    """Return SHA-256 of each model by name, as each child that lives has it; without children, as it is known."""
    children = workers.live_children(connection)
    known = {row.name: row.sha256 for row in connection.execute(select(models.c.name, models.c.sha256))}
    return [{**child.models, **child.finders} for child in children] or [known]


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
