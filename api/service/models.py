"""What clients order of models: look at them, let one read, go back. Files are brought in on the workers' machines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from api.service.caller import Caller
from api.service.parts import Parts
from shared import clock, errors, registry, workers
from shared.registry.record import Generation, KnownModel, Role, RolloutState, Takeup

LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Rollout:
    """One generation and how far each worker child is with it."""

    generation: Generation
    is_current: bool
    """Whether it is what the role has now."""
    children: Sequence[Takeup]


@dataclass(frozen=True)
class Model:
    """A known model and who has it."""

    known: KnownModel
    roles: Sequence[Role]
    """What it does now, in any of the worker children."""
    workers: int
    """Worker children that can read with it when a job names it."""
    rollouts: Sequence[Rollout] = ()
    """The newest of each role that it was given."""


def list_all(parts: Parts) -> tuple[list[Model], list[Rollout]]:
    """All models, by name; and the newest generation of each role that ever got one."""
    with parts.database.read() as connection:
        children = workers.live_children(connection)
        known = [_model(model, children) for model in registry.list_models(connection)]
        return known, _rollouts(connection, registry.current(connection).values())


def overview(parts: Parts) -> tuple[list[Model], list[Rollout]]:
    """The same at once, and each model with the newest rollout of each role that it was given."""
    with parts.database.read() as connection:
        children = workers.live_children(connection)
        found = []
        for known in registry.list_models(connection):
            rollouts = _rollouts(connection, registry.newest_of(connection, known.name))
            found.append(_model(known, children, rollouts))
        return found, _rollouts(connection, registry.current(connection).values())


def find(parts: Parts, name: str) -> Model:
    """One model, with its rollouts; raises ModelNotFound."""
    with parts.database.read() as connection:
        known = _known(connection, name)
        rollouts = _rollouts(connection, registry.newest_of(connection, name))
        return _model(known, workers.live_children(connection), rollouts)


def activate(parts: Parts, name: str, role: Role, client: Caller) -> Rollout:
    """Let a model have a role from now on; raises ModelNotFound or ModelOfOtherKind."""
    with parts.database.write() as connection:
        known = _known(connection, name)
        if known.kind != role.kind:
            raise errors.ModelOfOtherKind(model=name, kind=known.kind, role=str(role))
        generation = registry.activate(connection, known, role, actor=client.actor)
        return _rollouts(connection, [generation])[0]


def roll_back(parts: Parts, role: Role, client: Caller) -> Rollout:
    """Give a role the model that it had before; raises NothingToRollBack."""
    with parts.database.write() as connection:
        generation = registry.roll_back(connection, role, actor=client.actor)
        return _rollouts(connection, [generation])[0]


def reload(parts: Parts, client: Caller, *, name: str | None, path: str | None, seconds: float) -> Rollout:
    """Let a model read every line, named or by the path of its file, and wait until everybody does, or so long.

    Raises:
        ModelPathRefused, ModelNotFound, ModelOfOtherKind: Nothing was changed.
        ModelHeld: A worker could not take it up, and everybody goes on with the one of before.
    """
    if path is not None:
        name = _name_at(parts, path)
    rollout = activate(parts, str(name), Role.RECOGNISER, client)
    until = clock.monotonic() + seconds
    while rollout.generation.state is RolloutState.ROLLING and rollout.children and clock.monotonic() < until:
        clock.sleep(LOOK_SECONDS)
        with parts.database.read() as connection:
            rollout = _rollouts(connection, [registry.get(connection, rollout.generation.number)])[0]
    if rollout.generation.state is RolloutState.HELD:
        raise errors.ModelHeld(model=rollout.generation.model, reason=rollout.generation.reason)
    return rollout


def _name_at(parts: Parts, path: str) -> str:
    """The model whose file or folder a path is, as the workers noted it or in the folder of models."""
    wanted, folder = Path(path), parts.settings.models_folder.resolve()
    try:
        real = wanted.resolve()
    except (OSError, RuntimeError, ValueError):
        raise errors.ModelPathRefused(path=path[:200]) from None
    with parts.database.read() as connection:
        for model in registry.list_models(connection):
            if real in (Path(model.path), Path(model.path).parent):
                return model.name
    if not wanted.is_absolute() or not real.is_relative_to(folder) or real == folder:
        raise errors.ModelPathRefused(path=path[:200], folder=str(folder))
    return real.relative_to(folder).parts[0]


def _known(connection: Connection, name: str) -> KnownModel:
    known = registry.find(connection, name)
    if known is None:
        raise errors.ModelNotFound(model=name[:100], known=[one.name for one in registry.list_models(connection)])
    return known


def _model(known: KnownModel, children: Sequence[workers.WorkerChild], rollouts: Sequence[Rollout] = ()) -> Model:
    mine = (known.name, known.sha256)  # equal bytes may have several names
    has = {
        Role.RECOGNISER: any((child.model, child.model_sha256) == mine for child in children),
        Role.STRONGER: any((child.stronger, child.stronger_sha256) == mine for child in children),
        Role.DETECTOR: any((child.detector, child.detector_sha256) == mine for child in children),
    }
    has_it = [known.sha256 in (child.models.get(known.name), child.finders.get(known.name)) for child in children]
    return Model(known, [role for role in Role if has[role]], sum(has_it), rollouts)


def _rollouts(connection: Connection, generations: Iterable[Generation]) -> list[Rollout]:
    newest = {one.number for one in registry.current(connection).values()}
    return [Rollout(one, one.number in newest, registry.by_child(connection, one.number)) for one in generations]
