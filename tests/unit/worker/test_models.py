"""`ocrelay models`, and which model of a machine is the stronger one."""

from __future__ import annotations

import gc
import json
import weakref
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from models import ModelFileError
from models.bringing import packs
from models.recognizer import Place
from shared.registry.record import Generation, Role, RolloutState
from shared.settings import Settings
from tests import packs as made
from tests import tiny_db, tiny_foreign
from worker.models.commands import models
from worker.models.others import Others
from worker.models.stronger import find_stronger
from worker.models.wanted import settings_for


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The wheel of the only pack there is, and a folder of models of its own."""
    path = made.wheel(tmp_path)
    monkeypatch.setattr(packs, "PACKS", {"acme": made.pack(path)})
    monkeypatch.setenv("OCRELAY_MODELS", "crnn-zh-en,acme")
    monkeypatch.setenv("OCRELAY_MODELS_DIR", str(tmp_path / "installed"))
    return path


def call(*arguments: object) -> Result:
    return CliRunner().invoke(models, [str(one) for one in arguments])


def test_a_pack_is_installed_from_its_wheel_and_the_licence_is_named_and_shown(wheel: Path, tmp_path: Path) -> None:
    done = call("install", "acme", "--file", wheel)
    assert (done.exit_code, "0BSD" in done.output) == (0, True)
    shown = call("show", "acme").output
    assert json.loads(shown.partition("\n\n")[0])["source"] == "acme==1.0 acme/models/rec.onnx"
    assert "Do what you like." in shown
    assert find_stronger(Settings.load()) is not None
    listed = [line.split()[:4] for line in call("list").output.splitlines()]
    assert listed == [
        ["acme", "1.0", "stronger", "0BSD"],
        ["crnn-zh-en", listed[1][1], "reads", "Apache-2.0"],
        ["detector-acme", "1.0", "-", "0BSD"],
        ["detector-lines", listed[3][1], "finds", "Apache-2.0"],
    ]


@pytest.mark.parametrize("name", ["crnn-zh-en", "detector-lines"])
def test_what_is_shipped_is_ours_and_under_the_licence_of_the_project(name: str) -> None:
    shown = json.loads(call("show", name).output)
    assert (shown["name"], shown["licence"]) == (name, "Apache-2.0") and "models/training" in shown["source"]


def test_beside_a_reader_of_ones_own_the_shipped_one_is_not_called_stronger(
    wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("install", "acme", "--file", wheel)
    monkeypatch.setenv("OCRELAY_MODEL", "acme")
    does = {name: role for name, _, role, *_ in map(str.split, call("list").output.splitlines())}
    assert (does["acme"], does["crnn-zh-en"]) == ("reads", "-")
    given = registry_gave(Role.RECOGNISER, "acme") | registry_gave(Role.STRONGER, "crnn-zh-en")
    found = find_stronger(settings_for(Settings.load(), given))
    assert found is not None and found.name == "crnn-zh-en", "somebody has said so"


def test_a_model_that_another_took_the_place_of_is_gone_at_once(tmp_path: Path) -> None:
    path = tiny_foreign.write(tmp_path / "own.onnx")
    others = Others({name: Place(path, name) for name in "ab"}, dict.fromkeys("ab", "0"))
    gc.disable()  # which would come by at some time
    try:
        opened = others.open("a")
        assert opened is not None
        first = weakref.ref(opened)
        del opened
        assert others.open("b") is not None and first() is None
    finally:
        gc.enable()


def registry_gave(role: Role, name: str) -> dict[Role, Generation]:
    now = datetime.now(UTC)
    return {role: Generation(1, role, name, "0", RolloutState.SETTLED, None, now, "somebody")}


def test_without_a_name_the_first_pack_of_the_settings_is_installed(wheel: Path) -> None:
    assert call("install", "--file", wheel).exit_code == 0
    assert call("install").output.startswith("acme 1.0 is installed")


def test_who_wants_none_gets_none(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCRELAY_MODELS", "crnn-zh-en")
    done = call("install", "--optional")
    assert (done.exit_code, done.output) == (0, "OCRELAY_MODELS names no pack, so none is installed.\n")


def test_what_cannot_be_had_fails_with_the_way_out_or_is_done_without(wheel: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone.whl"
    strict, lenient = call("install", "acme", "--file", gone), call("install", "acme", "--file", gone, "--optional")
    assert strict.exit_code == 1 and "acme-1.0-py3-none-any.whl" in strict.output
    assert lenient.exit_code == 0 and len(lenient.output.splitlines()) == 1


def test_a_pack_that_is_not_installed_is_listed_with_the_command_that_does_it(wheel: Path) -> None:
    assert "ocrelay models install acme" in call("list").output
    for arguments in (["show", "acme"], ["activate", "acme"], ["activate", "detector-acme", "--role", "detector"]):
        refused = call(*arguments)
        assert refused.exit_code == 1 and "`ocrelay models install acme`" in refused.output
    assert find_stronger(Settings.load()) is None


def test_the_model_that_reads_every_line_is_not_the_stronger_one(wheel: Path) -> None:
    call("install", "acme", "--file", wheel)
    assert find_stronger(Settings.load(model="acme")) is None  # crnn-zh-en stands beside it, and is the fast one
    assert find_stronger(Settings.load(model="acme", models="acme")) is None
    assert find_stronger(Settings.load(models="crnn-zh-en")) is None


def test_a_damaged_model_is_refused_before_it_reads_anything(wheel: Path, tmp_path: Path) -> None:
    call("install", "acme", "--file", wheel)
    (tmp_path / "installed" / "acme" / "model.onnx").write_bytes(b"damaged")
    with pytest.raises(ModelFileError, match="models install acme"):
        find_stronger(Settings.load())


def test_a_model_of_ones_own_needs_no_card_beside_it(wheel: Path, tmp_path: Path) -> None:
    own = tiny_foreign.write(tmp_path / "own.onnx")
    found = find_stronger(Settings.load(models=f"crnn-zh-en,{own}"))
    assert found is not None
    card = found.load().card
    assert (found.name, found.version, found.sha256) == ("own", card.version, card.sha256)
    assert found.load() is found.load()


def test_a_model_of_ones_own_is_added_under_a_name_and_removed(wheel: Path, tmp_path: Path) -> None:
    file = tiny_foreign.write(tmp_path / "mine.onnx")
    added = call("add", file, "--name", "own.v1")
    assert added.exit_code == 0 and added.output.startswith("Added own.v1 ")
    assert "Any job may name it (model=own.v1) in a few seconds" in added.output
    found = find_stronger(Settings.load(models="crnn-zh-en,own.v1"))
    assert found is not None and found.load().card.name == "own.v1"
    assert call("add", file, "--name", "own.v1").exit_code == 1
    assert call("remove", "own.v1").exit_code == 0
    assert find_stronger(Settings.load(models="crnn-zh-en,own.v1")) is None


@pytest.mark.parametrize(
    ("given", "name", "reason"),
    [
        (tiny_foreign.Foreign(class_count=40), "own", "do not fit"),
        (tiny_foreign.Foreign(metadata={}), "own", "card.json"),
        (tiny_foreign.Foreign(domain="acme.ops"), "own", "custom operators"),
        (tiny_foreign.Foreign(), "crnn-zh-en", "already"),
        (tiny_foreign.Foreign(), "../own", "is no name"),
        (tiny_foreign.Foreign(), "detector-own", "is no name"),
        (tiny_foreign.Foreign(), "Detector-own", "is no name"),
        (tiny_foreign.Foreign(), "", "is no name"),
        (tiny_foreign.Foreign(), "own\n", "is no name"),
        (tiny_foreign.Foreign(), "Retry", "is no name"),
        (tiny_foreign.Foreign(), "CRNN-ZH-EN", "by case alone"),
    ],
)
def test_what_cannot_be_added_is_refused_with_the_reason_and_nothing_is_stored(
    wheel: Path, tmp_path: Path, *, given: tiny_foreign.Foreign, name: str, reason: str
) -> None:
    done = call("add", tiny_foreign.write(tmp_path / "mine.onnx", given), "--name", name)
    assert done.exit_code == 1 and reason in done.output
    assert not (tmp_path / "installed").exists() or not list((tmp_path / "installed").iterdir())


def test_two_models_do_not_differ_by_case_alone(wheel: Path, tmp_path: Path) -> None:
    file = tiny_foreign.write(tmp_path / "mine.onnx")
    assert call("add", file, "--name", "own").exit_code == 0
    done = call("add", file, "--name", "OWN")
    assert done.exit_code == 1 and "differs from the model 'own' by case alone" in done.output


def test_a_detector_that_could_not_be_removed_again_for_its_long_name_is_not_added(wheel: Path, tmp_path: Path) -> None:
    file = tiny_db.write(tmp_path / "db.onnx")
    assert "is no name" in call("add", file, "--detector", "--name", "d" * 92).output
    assert call("add", file, "--detector", "--name", "d" * 91).exit_code == 0
    assert call("remove", "detector-" + "d" * 91).exit_code == 0


def test_what_is_part_of_ocrelay_or_not_there_cannot_be_removed(wheel: Path) -> None:
    for name, reason in (("crnn-zh-en", "is shipped"), ("nowhere", "There is no model"), ("..", "There is no model")):
        done = call("remove", name)
        assert done.exit_code == 1 and reason in done.output


def test_the_stronger_model_of_the_settings_is_not_removed(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("install", "acme", "--file", wheel)
    refused = call("remove", "acme")
    assert refused.exit_code == 1 and "acme is active as stronger, for OCRELAY_MODELS names it" in refused.output
    assert (tmp_path / "installed" / "acme" / "model.onnx").is_file()
    assert call("remove", "detector-acme").exit_code == 0, "it has no role"
    (tmp_path / "installed" / "acme" / "model.onnx").write_bytes(b"damaged")
    assert call("remove", "acme").exit_code == 0, "nothing can read with it"


def test_a_pack_is_removed_with_its_detector(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call("install", "acme", "--file", wheel)
    monkeypatch.setenv("OCRELAY_MODELS", "crnn-zh-en")
    assert call("remove", "acme").output == "Removed acme and detector-acme.\n"
    assert list((tmp_path / "installed").iterdir()) == []


def test_packs_are_listed_with_their_licences_before_anything_is_fetched() -> None:
    found = json.loads(call("packs", "--json").output)
    assert [(one["name"], one["licence"]) for one in found] == [
        (name, pack.licence) for name, pack in packs.PACKS.items()
    ]
    assert all(one["licence"] in call("packs").output for one in found)


def test_a_stronger_model_whose_card_is_endless_is_refused(wheel: Path, tmp_path: Path) -> None:
    call("install", "acme", "--file", wheel)
    card = tmp_path / "installed" / "acme" / "card.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"version": "1" * 1000}))
    with pytest.raises(ModelFileError, match="`version`"):
        find_stronger(Settings.load())
