"""`ocrelay models` beside a database: what comes and goes is in the registry and on record, what is active stays."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shared import registry
from shared.audit import trail
from shared.database import Database
from shared.registry.record import Role
from shared.settings import Settings
from tests import tiny_foreign
from worker.models.commands import models


@pytest.fixture
def data(tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a database, and a folder of models of its own."""
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copy(migrated_sqlite, folder / "ocrelay.sqlite3")
    monkeypatch.setenv("OCRELAY_MODELS", "crnn-zh-en")
    monkeypatch.setenv("OCRELAY_MODELS_DIR", str(tmp_path / "installed"))
    return folder


def call(data: Path, *arguments: object) -> Result:
    return CliRunner().invoke(models, [*(str(one) for one in arguments), "--data", str(data)])


def on_record(data: Path) -> tuple[list[str], list[tuple[str, str | None]]]:
    database = Database(Settings.load(data_dir=data).database)
    with database.read() as connection:
        names = [model.name for model in registry.list_models(connection)]
        events = [(event.event, event.model) for event in trail.list_events(connection)][::-1]
    database.close()
    return names, events


@pytest.mark.parametrize("arguments", [["activate", "crnn-zh-en"], ["rollback"]])
def test_where_no_service_has_run_the_data_folder_is_asked_for_and_none_is_made(
    data: Path, tmp_path: Path, arguments: list[str]
) -> None:
    refused = call(tmp_path / "elsewhere", *arguments)
    assert refused.exit_code == 1 and "There is no database" in refused.output and "--data" in refused.output
    assert not (tmp_path / "elsewhere").exists()


def test_what_is_added_and_removed_is_in_the_registry_and_on_record(data: Path, tmp_path: Path) -> None:
    assert call(data, "add", tiny_foreign.write(tmp_path / "own.onnx")).exit_code == 0
    assert on_record(data)[0] == ["own"]
    assert call(data, "remove", "own").exit_code == 0
    assert on_record(data) == ([], [("model.added", "own"), ("model.removed", "own")])


def test_an_active_model_cannot_be_removed_until_another_one_is(data: Path, tmp_path: Path) -> None:
    call(data, "add", tiny_foreign.write(tmp_path / "own.onnx"))
    for role in (Role.RECOGNISER, Role.STRONGER):
        assert call(data, "activate", "own", "--role", role).exit_code == 0
        refused = call(data, "remove", "own")
        assert refused.exit_code == 1 and f"own is active as {role}" in refused.output
        assert (tmp_path / "installed" / "own" / "model.onnx").is_file() and on_record(data)[0] == ["own"]
        assert call(data, "rollback", "--role", role).exit_code == 0
    assert call(data, "remove", "own").exit_code == 0


def test_the_stronger_model_of_the_settings_cannot_be_removed_until_another_one_is(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("own", "other"):
        call(data, "add", tiny_foreign.write(tmp_path / "own.onnx"), "--name", name)
    monkeypatch.setenv("OCRELAY_MODELS", "crnn-zh-en,own")
    assert "own is active as stronger" in call(data, "remove", "own").output
    assert on_record(data)[0] == ["other", "own"]
    assert call(data, "activate", "other", "--role", "stronger").exit_code == 0
    assert call(data, "remove", "own").exit_code == 0


def test_the_model_that_the_settings_let_read_cannot_be_removed(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call(data, "add", tiny_foreign.write(tmp_path / "own.onnx"))
    monkeypatch.setenv("OCRELAY_MODEL", "own")
    assert "own is active as recogniser" in call(data, "remove", "own").output
    assert call(data, "activate", "crnn-zh-en").exit_code == 0
    assert call(data, "remove", "own").exit_code == 0


@pytest.mark.parametrize("name", ["crnn-zh-en", "detector-lines"])
def test_what_is_shipped_is_neither_removed_nor_does_its_name_go_to_another(
    data: Path, tmp_path: Path, name: str
) -> None:
    options = ["--name", "lines", "--detector"] if name.startswith("detector-") else ["--name", name]
    added = call(data, "add", tiny_foreign.write(tmp_path / "own.onnx"), *options)
    removed = call(data, "remove", name)
    for refused in (added, removed):
        assert refused.exit_code == 1 and "is shipped with ocrelay and cannot be removed" in refused.output
        assert "remove that one" not in refused.output
    assert on_record(data) == ([], [])


@pytest.mark.parametrize("name", ["nobody", "n" * 300, "n" * 5000, "no\0body", "no\nbody"])
def test_a_model_that_is_not_there_leaves_the_registry_as_it_is(data: Path, name: str) -> None:
    for command in ("remove", "activate"):
        done = call(data, command, name)
        assert done.exit_code == 1 and "There is no model" in done.output, done.output
    shown = CliRunner().invoke(models, ["show", name])
    assert shown.exit_code == 1 and "There is no model" in shown.output
    assert on_record(data) == ([], [])


def test_the_list_says_what_was_activated(data: Path, tmp_path: Path) -> None:
    call(data, "add", tiny_foreign.write(tmp_path / "own.onnx"))
    call(data, "activate", "own")
    listed = {line.split()[0]: line.split()[2] for line in call(data, "list").output.splitlines()}
    assert (listed["own"], listed["crnn-zh-en"]) == ("reads", "-")


def test_a_database_of_another_version_is_said_and_the_model_is_kept(data: Path, tmp_path: Path) -> None:
    (data / "ocrelay.sqlite3").unlink()
    database = Database(Settings.load(data_dir=data).database)
    with database.write():
        pass
    database.close()
    done = call(data, "add", tiny_foreign.write(tmp_path / "own.onnx"))
    assert done.exit_code == 0 and "The registry was not told" in done.output
    assert call(data, "remove", "own").exit_code == 1


def test_the_trial_of_a_model_that_computes_for_ever_is_ended(data: Path, tmp_path: Path) -> None:
    file = tiny_foreign.write(tmp_path / "own.onnx", tiny_foreign.Foreign(endless=True))
    code = "from worker.models import commands; commands.MOST_TRIAL_SECONDS = 1; commands.models()"
    command = [sys.executable, "-c", code, "add", str(file), "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith(f"Error: {file} was tried for more than 1 seconds")
    assert not (tmp_path / "installed").exists() and on_record(data) == ([], [])
