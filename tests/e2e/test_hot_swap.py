"""Models are activated in a running system: no job fails, each result names its reader, a bad model is held."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from models import golden
from models.bringing import shelf
from shared import registry
from shared.audit import trail
from shared.settings import Settings
from tests import tiny_foreign
from tests.e2e.test_service import SAMPLES, System
from tests.ports import free_port
from tests.services import wait_until
from worker.models.commands import models

LINE = (SAMPLES / "line-english.png").read_bytes()
SWAPS, JOBS_EACH = 6, 10


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("swap")
    shelf.add(tiny_foreign.write(folder / "own.onnx"), "own", folder / "installed")
    given = {"models": "crnn-zh-en", "models_dir": folder / "installed"}
    settings = Settings.load(data_dir=folder / "data", port=free_port(), workers=2, api_processes=1, **given)
    system = System(settings, folder)
    wait_until(lambda: len(system.children()) == 2, what="both children live")
    yield system
    system.end()


def order(system: System, *arguments: str) -> Result:
    environment = {"OCRELAY_MODELS_DIR": str(system.settings.models_folder), "OCRELAY_MODELS": "crnn-zh-en"}
    data = ["--data", str(system.settings.data_dir)]
    return CliRunner().invoke(models, [*arguments, *data], env=environment)


def read(system: System, _: object = None) -> str:
    job = system.submit(LINE, "layout=line&quality=fast")
    assert job["state"] == "succeeded", job
    return str(job["result"]["model"]["name"])


def test_what_lies_on_the_machine_is_known_without_anybodys_doing(system: System) -> None:
    def known() -> list[str]:
        with system.database.read() as connection:
            return [model.name for model in registry.list_models(connection)]

    wait_until(lambda: known() == ["crnn-zh-en", "detector-lines", "own"], what="the models are noted")


def test_no_job_fails_while_two_models_are_activated_in_turn(system: System) -> None:
    held = [max(child.rss_bytes or 0 for child in system.children())]
    with ThreadPoolExecutor(4) as clients:
        for swap in range(SWAPS):
            name = ("own", "crnn-zh-en")[swap % 2]
            before = [clients.submit(read, system) for _ in range(JOBS_EACH)]
            done = order(system, "activate", name)
            assert done.exit_code == 0, done.output
            assert {job.result() for job in before} <= {"own", "crnn-zh-en"}
            assert list(clients.map(lambda _: read(system), range(4))) == [name] * 4  # claimed after the order
    wait_until(lambda: {child.model for child in system.children()} == {"crnn-zh-en"}, what="all follow")
    held.append(max(child.rss_bytes or 0 for child in system.children()))
    assert held[1] < held[0] + 200 * 2**20, held


def test_wait_shows_child_by_child_and_copies_are_of_the_active_model(system: System) -> None:
    content = (SAMPLES / "line-mixed.png").read_bytes()
    done = order(system, "activate", "crnn-zh-en", "--wait")
    assert done.exit_code == 0 and done.output.count("taken  crnn-zh-en") == 2, done.output
    first = system.call("/v1/jobs?layout=line", content)[1]
    assert system.call("/v1/jobs?layout=line", content)[1]["copied_from"] == first["id"]
    assert order(system, "activate", "own").exit_code == 0
    again = system.call("/v1/jobs?layout=line", content)[1]
    assert (again["copied_from"], again["result"]["model"]["name"]) == (None, "own")
    assert order(system, "rollback", "--wait").exit_code == 0
    assert read(system) == "crnn-zh-en"


def test_a_model_whose_golden_lines_fail_is_held(system: System, tmp_path: Path) -> None:
    shelf.add(tiny_foreign.write(tmp_path / "bad.onnx"), "bad", system.settings.models_folder)
    golden.write_beside(system.settings.models_folder / "bad" / "model.onnx", {"english": "something else"})
    done = order(system, "activate", "bad", "--wait")
    assert done.exit_code == 1 and "must read 'something else'" in done.output, done.output
    assert {read(system) for _ in range(4)} == {"crnn-zh-en"}
    with system.database.read() as connection:
        events = [event.event for event in trail.list_events(connection, limit=500)]
    assert events.count("model.held") == 1
