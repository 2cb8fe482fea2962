"""The wheel, installed elsewhere and used from outside the checkout: an editable install would hide a missing file."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
ROOMS = ("api", "worker", "shared", "models")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content alone; its libraries come from this environment."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(folder), str(wheel)], check=True, capture_output=True)
    return folder


def run(installed: Path, cwd: Path, *command: str) -> str:
    """Run a command outside the checkout, with the installed copy first on the path; return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def in_checkout(room: str, pattern: str) -> set[str]:
    """Files of a room that a checkout holds, training left out."""
    found = {str(path.relative_to(ROOT)) for path in (ROOT / room).rglob(pattern)}
    return {name for name in found if not name.startswith("models/training/")}


@pytest.mark.parametrize("room", ROOMS)
def test_every_module_of_a_room_is_inside(room: str, names: set[str]) -> None:
    modules = in_checkout(room, "*.py")
    assert f"{room}/__init__.py" in modules
    assert modules <= names


def test_what_modules_read_beside_them_is_inside(names: set[str]) -> None:
    beside = in_checkout("shared", "*.mako") | in_checkout("api", "*.conf") | in_checkout("api", "*.html")
    beside |= in_checkout("worker", "rule.json")
    assert len(beside) >= 4
    assert beside <= names


def test_every_served_model_is_inside(names: set[str]) -> None:
    assert in_checkout("models", "weights/*/model.onnx") | in_checkout("models", "weights/*/ngram.npz") <= names
    assert in_checkout("models", "golden_lines/*.png") | in_checkout("models", "weights/*/golden.json") <= names


def test_training_and_tests_stay_outside(names: set[str]) -> None:
    assert not [name for name in names if name.startswith(("models/training/", "tests/", "docs/"))]


def test_only_the_four_rooms_are_at_its_top(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(ROOMS)


def test_each_room_is_imported_from_the_installed_copy(installed: Path, tmp_path: Path) -> None:
    code = "import importlib, sys; [print(importlib.import_module(room).__file__) for room in sys.argv[1:]]"
    places = run(installed, tmp_path, sys.executable, "-c", code, *ROOMS).split()
    assert len(places) == len(ROOMS)
    assert all(Path(place).is_relative_to(installed) for place in places)


def test_the_console_script_lists_every_sub_command(installed: Path, tmp_path: Path) -> None:
    said = run(installed, tmp_path, str(installed / "bin" / "ocrelay"), "--help")
    listed = {line.split()[0] for line in said.partition("Commands:")[2].splitlines() if line.strip()}
    assert set(PROJECT["entry-points"]["ocrelay.commands"]) <= listed


@pytest.mark.parametrize("name", sorted(PROJECT["entry-points"]["ocrelay.commands"]))
def test_a_sub_command_starts_from_the_installed_copy(name: str, installed: Path, tmp_path: Path) -> None:
    said = run(installed, tmp_path, str(installed / "bin" / "ocrelay"), name, "--help")
    assert said.startswith(f"Usage: ocrelay {name}")


def test_the_database_is_migrated_from_the_installed_copy(installed: Path, tmp_path: Path) -> None:
    said = run(
        installed,
        tmp_path,
        "env",
        f"OCRELAY_DATA_DIR={tmp_path}/data",
        str(installed / "bin" / "ocrelay"),
        "migrate",
        "--create",
    )
    assert "up to date" in said
    assert (tmp_path / "data" / "ocrelay.sqlite3").stat().st_size > 0
