"""What ``ocrelay doctor`` finds, and that each finding has its fix."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from models.bringing import shelf
from models.card import ModelCard
from models.detector import DetectorCard
from shared import registry
from shared.audit.actor import OPERATOR
from shared.database import Database
from shared.registry.record import Role
from shared.settings import Settings
from tests import tiny_db, tiny_foreign
from worker import doctor
from worker.commands import doctor as command


def test_a_machine_that_has_everything_passes(tmp_path: Path, tiny_model_path: Path) -> None:
    findings = doctor.examine(Settings.load(data_dir=tmp_path / "new", model=str(tiny_model_path)))
    assert [finding.subject for finding in findings if not finding.is_good] == []
    assert {finding.subject for finding in findings} == {
        "Python", "numpy", "cv2", "onnxruntime", "PIL.Image", "pi_heif", "pypdfium2",
        "Database", "Broker", "Model", "Stronger model", "Line finder",
    }  # fmt: skip
    assert not (tmp_path / "new").exists(), "looking must not change anything"


def test_a_machine_without_a_stronger_model_is_told_how_to_get_one(tmp_path: Path) -> None:
    findings = {finding.subject: finding for finding in doctor.examine(Settings.load(data_dir=tmp_path))}
    assert "ocrelay models install ppocr-v6" in findings["Stronger model"].says
    wanted = doctor.examine(Settings.load(data_dir=tmp_path, quality="best"))
    assert not {finding.subject: finding for finding in wanted}["Stronger model"].is_good


def test_a_stronger_model_is_named(tmp_path: Path) -> None:
    own = tiny_foreign.write(tmp_path / "own.onnx")
    findings = doctor.examine(Settings.load(data_dir=tmp_path, models=str(own)))
    assert "own" in {finding.subject: finding for finding in findings}["Stronger model"].says


def test_what_was_activated_is_looked_at_and_not_what_the_settings_name(tmp_path: Path, migrated_sqlite: Path) -> None:
    shutil.copy(migrated_sqlite, tmp_path / "ocrelay.sqlite3")
    settings = Settings.load(data_dir=tmp_path, models_dir=tmp_path / "installed")
    file, folder = tiny_foreign.write(tmp_path / "own.onnx"), settings.models_folder
    given = {
        Role.RECOGNISER: ("Model", shelf.add(file, "own", folder)),
        Role.STRONGER: ("Stronger model", shelf.add(file, "other", folder)),
        Role.DETECTOR: ("Line finder", shelf.add_detector(tiny_db.write(tmp_path / "db.onnx"), "db", folder)),
    }
    activate(settings, {role: card for role, (_, card) in given.items()})
    for role, (subject, card) in given.items():
        found = {one.subject: one for one in doctor.examine(settings)}[subject]
        assert found.is_good and f"{card.name} {card.version}" in found.says
        shutil.rmtree(folder / card.name)
        gone = {one.subject: one for one in doctor.examine(settings)}[subject]
        assert not gone.is_good and f"{card.name}" in gone.says
        assert f"`ocrelay models activate NAME --role {role}`" in gone.fix and "`ocrelay models add FILE`" in gone.fix


def activate(settings: Settings, cards: Mapping[Role, ModelCard | DetectorCard]) -> None:
    database = Database(settings.database)
    with database.write() as connection:
        for role, card in cards.items():
            told = {"kind": str(role.kind), "version": card.version, "sha256": card.sha256, "card": {}, "path": ""}
            registry.note(connection, name=card.name, **told, actor=OPERATOR)
            known = registry.find(connection, card.name)
            assert known is not None
            registry.activate(connection, known, role, actor=OPERATOR)
    database.close()


@pytest.mark.parametrize(
    ("setting", "value", "subject"),
    [
        ("model", "no-such-model", "Model"),
        ("redis_url", "redis://127.0.0.1:9/0", "Broker"),
        ("database_url", "postgresql://nobody@127.0.0.1:9/none", "Database"),
        ("database_url", "mysql://localhost/x", "Database"),
    ],
)
def test_what_is_missing_is_named_with_its_fix(tmp_path: Path, setting: str, value: str, subject: str) -> None:
    findings = doctor.examine(Settings.load(data_dir=tmp_path, **{setting: value}))
    (bad,) = [finding for finding in findings if finding.subject == subject]
    assert not bad.is_good
    assert "OCRELAY_" in bad.fix


def test_an_old_python_is_named() -> None:
    assert not doctor.check_python((3, 10, 9)).is_good
    assert doctor.check_python((3, 11, 0)).is_good


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
@pytest.mark.parametrize("library", ["numpy", "cv2", "onnxruntime", "PIL.Image", "pi_heif", "pypdfium2"])
def test_a_native_library_that_cannot_be_imported_has_a_fix_on_each_system(
    library: str, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setitem(sys.modules, library, None)
    finding = doctor.check_library(library)
    assert not finding.is_good
    assert finding.fix.endswith(".")


def test_what_the_processor_cannot_run_ends_no_doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dies = tmp_path / "python"
    dies.write_text("#!/bin/sh\nkill -ILL $$\n")
    dies.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(dies))
    findings = {one.subject: one for one in doctor.examine(Settings.load(data_dir=tmp_path / "new"))}
    assert "illegal instruction" in findings["numpy"].says and "`host`" in findings["numpy"].fix
    assert findings["Database"].is_good and not findings["Model"].is_good and "numpy" in findings["Model"].says


def test_models_are_looked_at_where_only_a_format_lacks_its_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    findings = {one.subject: one for one in doctor.examine(Settings.load(data_dir=tmp_path / "new"))}
    assert not findings["pi_heif"].is_good and findings["Model"].is_good


def test_the_command_fails_when_something_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCRELAY_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("OCRELAY_MODEL", "no-such-model")
    result = CliRunner().invoke(command)
    assert result.exit_code == 1
    assert "FAIL  Model" in result.output
    assert "Fix: Set OCRELAY_MODEL" in result.output
