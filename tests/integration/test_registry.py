"""The registry in both databases: noted, activated, rolled back, held, and on record."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from shared import errors, registry, workers
from shared.audit import trail
from shared.audit.actor import OPERATOR, worker
from shared.database import Database, database_now
from shared.registry.record import KnownModel, Role, RolloutState
from shared.registry.takeups import KEPT_SECONDS
from shared.tables import model_takeups
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
        with pytest.raises(errors.NothingToRollBack, match="ever activated"):
            registry.roll_back(connection, Role.RECOGNISER, actor=OPERATOR)
        first = registry.activate(connection, a, Role.RECOGNISER, actor=OPERATOR)
        other = registry.activate(connection, a, Role.STRONGER, actor=OPERATOR)
        second = registry.activate(connection, b, Role.RECOGNISER, actor=CLIENT)
        assert registry.current(connection) == {Role.RECOGNISER: second, Role.STRONGER: other}
        assert first.number < other.number < second.number
        back = registry.roll_back(connection, Role.RECOGNISER, actor=CLIENT)
        assert back.model == "a"
        last = registry.roll_back(connection, Role.STRONGER, actor=OPERATOR)
        assert last.model is None
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
    assert events_of(database)[-2:] == [
        ("model.held", "node/1", "b", "recogniser"),
        ("model.rolled_back", "node/1", "a", "recogniser"),
    ]
    with database.write() as connection:  # what was held is never come back to
        registry.roll_back(connection, Role.RECOGNISER, actor=OPERATOR)
    assert now(database) is None


def test_a_second_rollback_goes_forth_again(database: Database) -> None:
    a, b = noted(database, "a"), noted(database, "b")

    def back() -> str | None:
        with database.write() as connection:
            return registry.roll_back(connection, Role.RECOGNISER, actor=OPERATOR).model

    with database.write() as connection:
        registry.activate(connection, a, Role.RECOGNISER, actor=OPERATOR)
    assert [back(), back()] == [None, "a"], "after the first activation the settings come back"
    with database.write() as connection:
        registry.activate(connection, b, Role.RECOGNISER, actor=OPERATOR)
    assert [back(), back(), back()] == ["a", "b", "a"]


def test_a_rollback_passes_over_models_that_are_gone_and_says_so_where_none_is_left(database: Database) -> None:
    a, b, c = (noted(database, name) for name in "abc")
    told = {"name": "m", "version": "1", "sha256": "0"}
    with database.write() as connection:
        for model in (a, b, c):
            registry.activate(connection, model, Role.RECOGNISER, actor=OPERATOR)
        on_hand = {one.name: one.sha256 for one in (a, b, c)}
        for pid, has in enumerate((on_hand, {**on_hand, "b": "another file"})):
            workers.register(connection, node="n", host="h", pid=pid, model=told, on_hand=has)
        assert registry.roll_back(connection, Role.RECOGNISER, actor=OPERATOR).model == "a"
        workers.forget_node(connection, "n")
        for gone in "abc":
            registry.forget(connection, gone, actor=OPERATOR)
        assert registry.roll_back(connection, Role.RECOGNISER, actor=OPERATOR).model is None
        with pytest.raises(errors.NothingToRollBack, match="a, c, b") as refused:
            registry.roll_back(connection, Role.RECOGNISER, actor=OPERATOR)
        assert refused.value.details["gone"] == ["a", "c", "b"]


def test_a_rollout_that_fails_goes_back_to_what_can_be_opened(database: Database) -> None:
    a, b, c = (noted(database, name) for name in "abc")
    with database.write() as connection:
        for model in (a, b):
            registry.activate(connection, model, Role.RECOGNISER, actor=OPERATOR)
        registry.forget(connection, "b", actor=OPERATOR)
        bad = registry.activate(connection, c, Role.RECOGNISER, actor=OPERATOR)
        back = registry.hold(connection, bad, reason="it reads nonsense", actor=CHILD)
    assert back is not None and back.model == "a"


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


def test_each_child_that_lives_is_told_of_whatever_it_did(database: Database) -> None:
    model = {"name": "m", "version": "1", "sha256": "0"}
    a = noted(database, "a")
    with database.write() as connection:
        for pid in (1, 2, 3):
            workers.register(connection, node="n", host="h", pid=pid, model=model, reader_sha256="r")
        good = registry.activate(connection, a, Role.RECOGNISER, actor=OPERATOR)
        registry.take_up(connection, [good.number], "n/1")
        registry.take_up(connection, [good.number], "n/1")  # it was registered anew
        registry.refuse(connection, good.number, "n/2", "it reads nonsense")
        registry.take_up(connection, [good.number], "n/9")  # and died since
        found = [(one.child, str(one.state), one.reason) for one in registry.by_child(connection, good.number)]
        assert found == [
            ("n/1", "taken", None),
            ("n/2", "refused", "it reads nonsense"),
            ("n/3", "waiting", None),
            ("n/9", "taken", None),
        ]
        assert registry.newest_of(connection, "a") == [good] and registry.newest_of(connection, "b") == []
        assert registry.forget_old(connection) == 0
        connection.execute(update(model_takeups).values(at=database_now(-KEPT_SECONDS - 1)))
        assert registry.forget_old(connection) == 3


def test_a_job_that_names_a_model_has_a_reader_of_its_own(database: Database) -> None:
    with database.write() as connection:
        told = {"name": "m", "version": "1", "sha256": "11"}
        workers.register(connection, node="n", host="h", pid=1, model=told, reader_sha256="r", on_hand={"b": "22"})
        (child,) = workers.live_children(connection)
    assert child.models == {"m": "11", "b": "22"}
    readers = {child.reader_of(model) for model in (None, "m", "b")}
    assert len(readers) == 3 and child.reader_of(None) == "r" and child.reader_of("nobody") is None
