"""The registry in both databases: noted, activated, rolled back, held, and on record."""

from __future__ import annotations

from shared import registry, workers
from shared.audit import trail
from shared.audit.actor import OPERATOR, worker
from shared.database import Database
from shared.registry.record import KnownModel, Role, RolloutState
from tests.actors import CLIENT

CHILD = worker("node/1")


def noted(database: Database, name: str, sha256: str = "") -> KnownModel:
    with database.write() as connection:
        told = {"kind": "recogniser", "version": "1", "card": {"licence": "0BSD"}, "path": f"/models/{name}"}
        registry.note(connection, name=name, sha256=sha256 or name * 8, actor=OPERATOR, **told)  # type: ignore[arg-type]
        found = registry.find(connection, name)
        assert found is not None
        return found


def now(database: Database) -> str | None:
    with database.read() as connection:
        return registry.current(connection)[Role.RECOGNISER].model


def events_of(database: Database) -> list[tuple[str, str, str | None, str | None]]:
    with database.read() as connection:
        return [(one.event, one.actor, one.model, one.subject) for one in trail.list_events(connection)][::-1]


def test_a_model_is_noted_once_and_anew_when_its_file_is_another(database: Database) -> None:
    first = noted(database, "a")
    assert noted(database, "a") == first
    assert noted(database, "a", "ff").sha256 == "ff"
    with database.write() as connection:
        assert [model.name for model in registry.list_models(connection)] == ["a"]
        assert registry.forget(connection, "a", actor=OPERATOR)
        assert not registry.forget(connection, "a", actor=OPERATOR)
    assert [event for event, *_ in events_of(database)] == ["model.added", "model.added", "model.removed"]


def test_each_role_has_the_newest_generation_and_before_the_first_what_the_settings_name(database: Database) -> None:
    a, b = noted(database, "a"), noted(database, "b")
    with database.write() as connection:
        assert registry.current(connection) == {}
        assert registry.roll_back(connection, Role.RECOGNISER, actor=OPERATOR) is None
        first = registry.activate(connection, a, Role.RECOGNISER, actor=OPERATOR)
        other = registry.activate(connection, a, Role.STRONGER, actor=OPERATOR)
        second = registry.activate(connection, b, Role.RECOGNISER, actor=CLIENT)
        assert registry.current(connection) == {Role.RECOGNISER: second, Role.STRONGER: other}
        assert first.number < other.number < second.number
        back = registry.roll_back(connection, Role.RECOGNISER, actor=CLIENT)
        assert back is not None and back.model == "a"
        last = registry.roll_back(connection, Role.STRONGER, actor=OPERATOR)
        assert last is not None and last.model is None
    assert events_of(database)[2:] == [
        ("model.activated", "operator", "a", "recogniser"),
        ("model.activated", "operator", "a", "stronger"),
        ("model.activated", "client", "b", "recogniser"),
        ("model.rolled_back", "client", "a", "recogniser"),
        ("model.rolled_back", "operator", None, "stronger"),
    ]


def test_a_rollout_is_held_once_and_the_model_of_before_comes_back(database: Database) -> None:
    a, b = noted(database, "a"), noted(database, "b")
    with database.write() as connection:
        registry.activate(connection, a, Role.RECOGNISER, actor=OPERATOR)
        bad = registry.activate(connection, b, Role.RECOGNISER, actor=OPERATOR)
    with database.write() as connection:
        assert registry.hold(connection, bad, reason="it reads nonsense", actor=CHILD) is not None
    with database.write() as connection:
        assert registry.hold(connection, bad, reason="another child", actor=CHILD) is None
    assert now(database) == "a"
    assert events_of(database)[-1] == ("model.held", "node/1", "a", "recogniser")
    with database.write() as connection:  # what was held is never come back to
        registry.roll_back(connection, Role.RECOGNISER, actor=OPERATOR)
    assert now(database) is None


def test_a_settled_rollout_is_held_no_more(database: Database) -> None:
    a = noted(database, "a")
    with database.write() as connection:
        good = registry.activate(connection, a, Role.RECOGNISER, actor=OPERATOR)
        assert registry.settle(connection, good.number) and not registry.settle(connection, good.number)
        settled = registry.current(connection)[Role.RECOGNISER]
        assert settled.state is RolloutState.SETTLED
        assert registry.hold(connection, settled, reason="a new machine lacks it", actor=CHILD) is None
    assert now(database) == "a"


def test_a_change_ends_what_children_said_they_read_with(database: Database) -> None:
    model = {"name": "m", "version": "1", "sha256": "0"}
    a = noted(database, "a")
    with database.write() as connection:
        workers.register(connection, node="n", host="h", pid=1, model=model, reader_sha256="r")
        registry.activate(connection, a, Role.RECOGNISER, actor=OPERATOR)
        assert [child.reader_sha256 for child in workers.live_children(connection)] == [None]
