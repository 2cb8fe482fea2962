"""How a worker child follows what was activated: opened beside the old one, refused alone, and never half."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.bringing import shelf
from models.card import ModelFileError
from shared import registry
from shared.audit.actor import OPERATOR
from shared.database import Database
from shared.registry.record import Generation, Role, RolloutState, TakeupState
from shared.settings import Settings
from tests import tiny_foreign
from worker.models.equipment import Equipment
from worker.models.following import Follower


@pytest.fixture
def settings(tmp_path: Path, migrated_sqlite: Path) -> Settings:
    shutil.copy(migrated_sqlite, tmp_path / "ocrelay.sqlite3")
    for name in ("own", "other"):
        shelf.add(tiny_foreign.write(tmp_path / f"{name}.onnx"), name, tmp_path / "installed")
    return Settings.load(data_dir=tmp_path, models="crnn-zh-en", models_dir=tmp_path / "installed", node_name="n")


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database)
    yield database
    database.close()


@pytest.fixture
def child(settings: Settings, database: Database) -> tuple[Follower, Equipment]:
    follower = Follower(settings, database)
    return follower, follower.load()


def order(database: Database, name: str, role: Role = Role.RECOGNISER) -> Generation:
    with database.write() as connection:
        model = registry.find(connection, name)
        assert model is not None
        return registry.activate(connection, model, role, actor=OPERATOR)


def test_without_an_order_the_settings_decide_and_a_look_changes_nothing(child: tuple[Follower, Equipment]) -> None:
    follower, has = child
    assert (has.recognizer.card.name, has.stronger) == ("crnn-zh-en", None)
    assert has.others.sha256s.keys() == {"crnn-zh-en", "own", "other"}
    assert follower.catch_up(has) is has and follower.look_around(has) is has


def test_each_role_is_followed_and_what_has_no_order_stays(
    child: tuple[Follower, Equipment], database: Database
) -> None:
    follower, has = child
    order(database, "own")
    order(database, "other", Role.STRONGER)
    order(database, "detector-lines", Role.DETECTOR)
    now = follower.catch_up(has)
    assert now.stronger is not None and now.detector is has.detector
    assert (now.recognizer.card.name, now.stronger.name) == ("own", "other")
    assert now.reader_sha256 != has.reader_sha256 and len(follower.taken) == 3
    with database.write() as connection:
        registry.roll_back(connection, Role.RECOGNISER, actor=OPERATOR)
    back = follower.catch_up(now)
    assert (back.recognizer.card.name, back.stronger) == ("crnn-zh-en", now.stronger)


def test_a_role_that_cannot_be_followed_is_held_and_the_others_are_followed(
    child: tuple[Follower, Equipment], database: Database, settings: Settings
) -> None:
    follower, has = child
    bad = order(database, "own")
    good = order(database, "other", Role.STRONGER)
    (settings.models_folder / "own" / "model.onnx").write_bytes(b"another file")
    assert follower.catch_up(has) is has
    with database.read() as connection:
        assert registry.get(connection, bad.number).state is RolloutState.HELD
        (refused,) = registry.by_child(connection, bad.number)
        assert refused.state is TakeupState.REFUSED and "is not the file that was activated" in str(refused.reason)
        assert registry.current(connection)[Role.RECOGNISER].model is None
    now = follower.catch_up(has)
    assert now.recognizer.card.name == "crnn-zh-en" and now.stronger is not None and now.stronger.name == "other"
    assert good.number in {one.number for one in follower.taken}


def test_a_settled_order_that_one_child_cannot_follow_is_that_childs_own_trouble(
    child: tuple[Follower, Equipment], database: Database, settings: Settings
) -> None:
    follower, has = child
    settled = order(database, "own")
    with database.write() as connection:
        registry.settle(connection, settled.number)
    shelf.remove("own", settings.models_folder)
    assert follower.catch_up(has) is has and follower.catch_up(has) is has
    assert follower.taken == [] and settled.number in follower.refused
    with database.read() as connection:
        assert registry.current(connection)[Role.RECOGNISER].model == "own"
    with pytest.raises(Exception, match="There is no model 'own' on this machine"):
        Follower(settings, database).load()


def test_what_reads_every_line_is_no_stronger_one(child: tuple[Follower, Equipment], database: Database) -> None:
    follower, has = child
    order(database, "crnn-zh-en", Role.STRONGER)
    assert follower.catch_up(has) is has
    with database.read() as connection:
        assert registry.current(connection)[Role.STRONGER].model is None


@pytest.mark.parametrize("sees_each", [True, False])
@pytest.mark.parametrize("first", [Role.STRONGER, Role.RECOGNISER])
def test_a_model_that_has_one_role_does_not_get_the_other(
    child: tuple[Follower, Equipment], database: Database, *, first: Role, sees_each: bool
) -> None:
    follower, has = child
    second = Role.RECOGNISER if first is Role.STRONGER else Role.STRONGER
    order(database, "own", first)
    if sees_each:
        has = follower.catch_up(has)
    late = order(database, "own", second)
    has = follower.catch_up(follower.catch_up(has))
    with database.read() as connection:
        assert registry.get(connection, late.number).state is RolloutState.HELD
        now = registry.current(connection)
    assert (now[first].model, now[second].model) == ("own", None)
    assert (has.recognizer.card.name == "own") is (first is Role.RECOGNISER)
    assert (has.stronger is not None and has.stronger.name == "own") is (first is Role.STRONGER)


@pytest.mark.parametrize("first", [Role.STRONGER, Role.RECOGNISER])
def test_a_child_that_starts_gives_no_model_both_roles_unless_that_was_settled(
    settings: Settings, child: tuple[Follower, Equipment], database: Database, first: Role
) -> None:
    second = Role.RECOGNISER if first is Role.STRONGER else Role.STRONGER
    order(database, "own", first)
    late = order(database, "own", second)
    with pytest.raises(ModelFileError, match=r"own .* already"):
        Follower(settings, database).load()
    has = Follower(settings, database).load()
    assert (has.recognizer.card.name == "own") is (first is Role.RECOGNISER)
    assert (has.stronger is not None) is (first is Role.STRONGER)
    with database.write() as connection:
        assert registry.get(connection, late.number).state is RolloutState.HELD
    again = order(database, "own", second)
    with database.write() as connection:
        registry.settle(connection, again.number)
    assert Follower(settings, database).load().recognizer is not None


def test_a_job_may_name_what_came_meanwhile(
    child: tuple[Follower, Equipment], settings: Settings, tmp_path: Path
) -> None:
    follower, has = child
    shelf.add(tiny_foreign.write(tmp_path / "new.onnx"), "new", settings.models_folder)
    now = follower.look_around(has)
    opened = now.others.open("new")
    assert opened is not None and opened.card.name == "new" and now.others.open("new") is opened
    assert has.others.open("new") is None and now.others.open("nobody") is None
    assert now.recognizer is has.recognizer


def test_a_model_that_reads_nothing_is_held_whatever_lies_beside_it(
    child: tuple[Follower, Equipment], database: Database, settings: Settings
) -> None:
    follower, has = child
    tiny_foreign.write(settings.models_folder / "mute" / "model.onnx", tiny_foreign.Foreign(sight=0.0))
    has = follower.look_around(has)
    ordered = order(database, "mute")
    assert follower.catch_up(has) is has
    with database.read() as connection:
        held = registry.get(connection, ordered.number)
        assert held.state is RolloutState.HELD and "reads nothing at all" in str(held.reason)


def test_an_empty_golden_file_does_not_switch_the_check_off(
    child: tuple[Follower, Equipment], database: Database, settings: Settings
) -> None:
    follower, has = child
    (settings.models_folder / "own" / "golden.json").write_text("{}")
    ordered = order(database, "own")
    assert follower.catch_up(has) is has
    with database.read() as connection:
        held = registry.get(connection, ordered.number)
        assert held.state is RolloutState.HELD and "names none of the golden lines" in str(held.reason)
