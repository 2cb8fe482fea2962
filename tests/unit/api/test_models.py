"""Models over HTTP: looked at, activated, rolled back, reloaded; every change on record, every refusal before one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.service import bringing
from api.service.models import Model
from api.service.parts import Parts
from shared import registry, workers
from shared.audit import trail
from shared.audit.actor import OPERATOR, worker
from shared.registry.record import Generation, Role
from tests.services import wait_until

FOLDER = "models"


@pytest.fixture
def settings(settings: Any, tmp_path: Path) -> Any:
    return settings.model_copy(update={"models_dir": tmp_path / FOLDER, "sync_wait_seconds": 20})


@pytest.fixture
def known(parts: Parts) -> Parts:
    """Two recognisers and a detector that are known, and a worker child that reads with the first."""
    with parts.database.write() as connection:
        for name, kind in (("a", "recogniser"), ("b", "recogniser"), ("detector-c", "detector")):
            told = {"licence": "0BSD", "source": None, "characters": 5} if kind == "recogniser" else {}
            path = str(parts.settings.models_folder / name / "model.onnx")
            registry.note(
                connection, name=name, kind=kind, version="1", sha256=name[0] * 64, card=told, path=path, actor=OPERATOR
            )
    child(parts, "a")
    return parts


def child(parts: Parts, model: str, *, pid: int = 1, reader: str | None = "r", others: tuple[str, ...] = ("b",)) -> str:
    with parts.database.write() as connection:
        on_hand = {name: name * 64 for name in (model, *others)}
        told = {"name": model, "version": "1", "sha256": model * 64}
        finds = {"name": "detector-c", "version": "1", "sha256": "d" * 64}
        sha256 = reader and reader * 64
        return workers.register(
            connection, node="n", host="h", pid=pid, model=told, reader_sha256=sha256, on_hand=on_hand, detector=finds
        )


def events(parts: Parts) -> list[tuple[str, str, str | None, str | None]]:
    with parts.database.read() as connection:
        return [(one.event, one.actor, one.model, one.subject) for one in trail.list_events(connection)][::-1][3:]


def follow(parts: Parts, do: Callable[[Any, Generation], object]) -> threading.Thread:
    """Do what a worker child does, once a model was activated."""

    def work() -> None:
        def newest() -> Generation | None:
            with parts.database.read() as connection:
                return registry.current(connection).get(Role.RECOGNISER)

        wait_until(lambda: newest() is not None)
        found = newest()
        assert found is not None
        with parts.database.write() as connection:
            do(connection, found)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_all_models_are_listed_with_what_they_do(client: FlaskClient, known: Parts) -> None:
    answer = client.get("/v1/models").json
    found = {one["name"]: (one["kind"], one["roles"], one["workers"]) for one in answer["models"]}
    assert found == {
        "a": ("recogniser", ["recogniser"], 1),
        "b": ("recogniser", [], 1),
        "detector-c": ("detector", ["detector"], 1),
    }
    assert answer["active"] == []
    assert client.get("/v1/models/a").json["rollouts"] == []


def test_a_model_with_the_bytes_of_another_has_not_its_roles(client: FlaskClient, known: Parts) -> None:
    with known.database.write() as connection:
        twin = {"kind": "recogniser", "version": "1", "sha256": "a" * 64, "card": {}, "path": "/twin/model.onnx"}
        registry.note(connection, name="twin", **twin, actor=OPERATOR)
    roles = {one["name"]: one["roles"] for one in client.get("/v1/models").json["models"]}
    assert (roles["a"], roles["twin"]) == (["recogniser"], [])


@pytest.mark.parametrize("role", Role)
def test_what_has_a_role_is_not_offered_for_removal(known: Parts, role: Role) -> None:
    name = "detector-c" if role is Role.DETECTOR else "b"
    file = known.settings.models_folder / name / "model.onnx"
    file.parent.mkdir(parents=True)
    file.touch()
    with known.database.read() as connection:
        model = registry.find(connection, name)
    assert model is not None
    assert not bringing.is_removable(known, Model(model, [role], 1))
    assert bringing.is_removable(known, Model(model, [], 1))


def test_an_activation_is_followed_child_by_child_and_on_record(client: FlaskClient, known: Parts) -> None:
    other = child(known, "a", pid=2)
    ordered = client.post("/v1/models/b/activate")
    assert (ordered.status_code, ordered.json["model"], ordered.json["state"]) == (202, "b", "rolling")
    assert [one["state"] for one in ordered.json["children"]] == ["waiting", "waiting"]
    with known.database.write() as connection:
        generation = registry.current(connection)[Role.RECOGNISER]
        registry.take_up(connection, [generation.number], "n/1")
        registry.refuse(connection, generation.number, other, "it reads nonsense")
        registry.hold(connection, generation, reason=f"{other}: it reads nonsense", actor=worker(other))
    rollout = client.get("/v1/models/b").json["rollouts"][0]
    assert (rollout["state"], rollout["current"], rollout["reason"]) == ("held", False, "n/2: it reads nonsense")
    told = [(one["child"], one["state"], one["reason"]) for one in rollout["children"]]
    assert told == [("n/1", "taken", None), ("n/2", "refused", "it reads nonsense")]
    assert client.get("/v1/models").json["active"][0]["model"] is None
    assert events(known) == [
        ("model.activated", "client", "b", "recogniser"),
        ("model.held", "n/2", "b", "recogniser"),
        ("model.rolled_back", "n/2", None, "recogniser"),
    ]


def test_a_rollback_gives_what_was_before(client: FlaskClient, known: Parts) -> None:
    assert client.post("/v1/models/rollback").json["code"] == "nothing_to_roll_back"
    client.post("/v1/models/a/activate", json={"role": "stronger"})
    client.post("/v1/models/b/activate", json={"role": "stronger"})
    back = client.post("/v1/models/rollback", json={"role": "stronger"})
    assert (back.status_code, back.json["model"], back.json["role"]) == (202, "a", "stronger")
    assert events(known)[-1] == ("model.rolled_back", "client", "a", "stronger")


@pytest.mark.parametrize(
    ("call", "body", "refused"),
    [
        ("/v1/models/nobody/activate", None, (404, "model_not_found")),
        ("/v1/models/detector-c/activate", None, (409, "model_of_other_kind")),
        ("/v1/models/a/activate", {"role": "detector"}, (409, "model_of_other_kind")),
        ("/v1/models/a/activate", {"role": "king"}, (422, "invalid_option")),
        ("/v1/models/a/activate", {"colour": "red"}, (422, "unknown_option")),
        ("/v1/models/a/activate?role=stronger", None, (422, "unknown_option")),
        ("/api/model/reload", {}, (422, "invalid_option")),
        ("/api/model/reload", {"name": "a", "path": "/a"}, (422, "invalid_option")),
        ("/api/model/reload", {"name": "nobody"}, (404, "model_not_found")),
        ("/api/model/reload", {"path": "/etc/passwd"}, (422, "model_path_refused")),
        ("/api/model/reload", {"path": "a/model.onnx"}, (422, "invalid_option")),
        ("/api/model/reload", {"path": "FOLDER/../secret/model.onnx"}, (422, "model_path_refused")),
        ("/api/model/reload", {"path": "FOLDER"}, (422, "model_path_refused")),
        ("/api/model/reload", {"path": "FOLDER/nobody/model.onnx"}, (404, "model_not_found")),
        ("/api/model/reload", {"path": "/a\0b"}, (422, "model_path_refused")),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(
    client: FlaskClient, known: Parts, call: str, body: dict[str, str] | None, refused: tuple[int, str]
) -> None:
    folder = str(known.settings.models_folder)
    sent = body and {name: value.replace("FOLDER", folder) for name, value in body.items()}
    answer = client.post(call) if sent is None else client.post(call, json=sent)
    assert (answer.status_code, answer.json["code"]) == refused, answer.json
    assert events(known) == []


def test_who_names_a_model_that_is_nowhere_is_told_how_it_comes(client: FlaskClient, known: Parts) -> None:
    assert "`ocrelay models install ppocr-v6`" in client.post("/v1/models/ppocr-v6/activate").json["detail"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "Neither `name` nor `path` says which model; send one of them"),
        ({"name": "a", "path": "/a"}, "`name` and `path` both say which model; send one of them"),
    ],
)
def test_a_reload_says_whether_it_was_told_nothing_or_too_much(
    client: FlaskClient, known: Parts, body: dict[str, str], reason: str
) -> None:
    assert reason in client.post("/api/model/reload", json=body).json["detail"]


def test_a_link_out_of_the_folder_of_models_leads_nowhere(client: FlaskClient, known: Parts, tmp_path: Path) -> None:
    known.settings.models_folder.mkdir()
    (known.settings.models_folder / "link").symlink_to("/etc")
    answer = client.post("/api/model/reload", json={"path": str(known.settings.models_folder / "link" / "passwd")})
    assert answer.json["code"] == "model_path_refused"


@pytest.mark.parametrize("how", [{"name": "b"}, {"path": "FOLDER/b/model.onnx"}, {"path": "FOLDER/b"}])
def test_a_reload_waits_until_everybody_reads_with_it(client: FlaskClient, known: Parts, how: dict[str, str]) -> None:
    def settle(connection: Any, generation: Generation) -> None:
        registry.take_up(connection, [generation.number], "n/1")
        registry.settle(connection, generation.number)

    working = follow(known, settle)
    folder = str(known.settings.models_folder)
    answer = client.post("/api/model/reload", json={key: text.replace("FOLDER", folder) for key, text in how.items()})
    working.join()
    assert answer.status_code == 200
    assert answer.json == {"status": "success", "model": "b", "generation": 1, "workers": 1}


def test_a_reload_that_a_worker_cannot_follow_says_why(client: FlaskClient, known: Parts) -> None:
    def hold(connection: Any, generation: Generation) -> None:
        registry.refuse(connection, generation.number, "n/1", "it reads nonsense")
        registry.hold(connection, generation, reason="n/1: it reads nonsense", actor=worker("n/1"))

    working = follow(known, hold)
    answer = client.post("/api/model/reload", json={"name": "b"})
    working.join()
    assert (answer.status_code, answer.json["code"]) == (409, "model_held")
    assert answer.json["details"]["reason"] == "n/1: it reads nonsense"


def test_models_are_the_affair_of_admins(parts: Parts) -> None:
    from api.app import app_of
    from api.http.facts import of_routes
    from shared.keys.record import Scope

    stated = dict(of_routes(app_of(parts)))
    for route in ("GET /v1/models", "POST /v1/models/<name>/activate", "POST /v1/models/rollback"):
        facts = stated[route]
        assert facts is not None and facts.scope is Scope.ADMIN
