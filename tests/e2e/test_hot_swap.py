"""Models are activated in a running system: no job fails, each result names its reader, a bad model is held."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from models import golden
from models.bringing import shelf
from models.recognizer import FILE_NAME, WEIGHTS
from shared import registry
from shared.audit import trail
from shared.registry.record import Role, RolloutState
from shared.settings import Settings
from tests import tiny_foreign
from tests.e2e.test_service import SAMPLES, System
from tests.e2e.test_up import alive
from tests.ports import free_port
from tests.services import wait_until
from worker.models.commands import models

LINE = (SAMPLES / "line-english.png").read_bytes()
SWAPS, JOBS_EACH = 6, 10
PATIENCE_SECONDS = 240
"""Says nothing about speed: the machine may be very busy."""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("swap")
    shelf.add(tiny_foreign.write(folder / "own.onnx"), "own", folder / "installed")
    given = {"models": "crnn-zh-en", "models_dir": folder / "installed"}
    settings = Settings.load(data_dir=folder / "data", port=free_port(), workers=2, api_processes=1, **given)
    system = System(settings, folder)
    wait_until(lambda: len(system.children()) == 2, seconds=PATIENCE_SECONDS, what="both children live")
    yield system
    system.end()


def order(system: System, *arguments: str) -> Result:
    environment = {"OCRELAY_MODELS_DIR": str(system.settings.models_folder), "OCRELAY_MODELS": "crnn-zh-en"}
    data = ["--data", str(system.settings.data_dir)]
    return CliRunner().invoke(models, [*arguments, *data], env=environment)


def post(system: System, path: str, body: dict[str, str]) -> dict[str, Any]:
    request = urllib.request.Request(system.url + path, data=json.dumps(body).encode(), method="POST")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
        return dict(json.load(answer))


def read(system: System, _: object = None, options: str = "quality=fast") -> str:
    job = system.submit(LINE, f"layout=line&{options}", wait=PATIENCE_SECONDS)
    while job["state"] in ("queued", "running"):
        job = system.call(f"/v1/jobs/{job['id']}")[1]
    assert job["state"] == "succeeded", job
    return str(job["result"]["model"]["name"])


def settled(system: System) -> bool:
    with system.database.read() as connection:
        return registry.current(connection)[Role.RECOGNISER].state is RolloutState.SETTLED


def known(system: System) -> list[str]:
    with system.database.read() as connection:
        return [model.name for model in registry.list_models(connection)]


def test_what_lies_on_the_machine_is_known_without_anybodys_doing(system: System) -> None:
    everything = ["crnn-zh-en", "detector-lines", "own"]
    wait_until(lambda: known(system) == everything, seconds=PATIENCE_SECONDS, what="the models are noted")
    listed = {one["name"]: one["workers"] for one in system.call("/v1/models")[1]["models"]}
    assert listed == {"crnn-zh-en": 2, "detector-lines": 2, "own": 2}


def test_a_job_that_names_an_installed_model_is_read_by_it_though_another_is_active(system: System) -> None:
    assert [read(system, options=f"model={name}") for name in ("own", "crnn-zh-en", "own")] == [
        "own", "crnn-zh-en", "own",
    ]  # fmt: skip
    status, problem = system.call("/v1/jobs?model=nobody", LINE)
    assert (status, problem["code"]) == (422, "unknown_model")
    assert problem["details"]["loaded"] == ["crnn-zh-en", "own"]
    content = (SAMPLES / "line-chinese.png").read_bytes()
    first = system.call("/v1/jobs?layout=line&model=own", content)[1]
    again = system.call("/v1/jobs?layout=line&model=own", content)[1]
    assert (again["copied_from"], again["result"]["model"]["name"]) == (first["id"], "own")
    assert system.call("/v1/jobs?layout=line&model=crnn-zh-en", content)[1]["copied_from"] is None


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
    wait_until(
        lambda: {child.model for child in system.children()} == {"crnn-zh-en"},
        seconds=PATIENCE_SECONDS,
        what="all follow",
    )
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
    done = order(system, "add", str(tiny_foreign.write(tmp_path / "bad.onnx")))
    assert done.exit_code == 0 and "bad" in known(system), done.output
    golden.write_beside(system.settings.models_folder / "bad" / "model.onnx", {"english": "something else"})
    done = order(system, "activate", "bad", "--wait")
    assert done.exit_code == 1 and "must read 'something else'" in done.output, done.output
    assert "  refused  ModelFileError: bad reads" in done.output
    assert {read(system) for _ in range(4)} == {"crnn-zh-en"}
    rollout = system.call("/v1/models/bad")[1]["rollouts"][0]
    assert (rollout["state"], rollout["current"]) == ("held", False)
    assert "refused" in [child["state"] for child in rollout["children"]]
    with system.database.read() as connection:
        events = [event.event for event in trail.list_events(connection, limit=500)]
    assert events.count("model.held") == 1
    assert order(system, "remove", "bad").exit_code == 0 and "bad" not in known(system)


def test_the_call_of_the_original_service_swaps_and_waits(system: System) -> None:
    assert order(system, "activate", "crnn-zh-en", "--wait").exit_code == 0
    answer = post(system, "/api/model/reload", {"path": str(system.settings.models_folder / "own" / "model.onnx")})
    assert (answer["status"], answer["model"], answer["workers"]) == ("success", "own", 2)
    assert read(system) == "own"
    refused = order(system, "remove", "own")
    assert refused.exit_code == 1 and "own is active as recogniser" in refused.output
    assert post(system, "/v1/models/rollback", {})["model"] == "crnn-zh-en"
    assert read(system) == "crnn-zh-en"


def test_a_detector_is_activated_like_a_recogniser(system: System) -> None:
    done = order(system, "activate", "detector-lines", "--role", "detector", "--wait")
    assert done.exit_code == 0 and done.output.count("taken  detector-lines") == 2, done.output
    assert order(system, "activate", "detector-lines").exit_code == 1
    page = system.submit((SAMPLES / "page.png").read_bytes(), "layout=page", wait=PATIENCE_SECONDS)
    assert len(page["result"]["pages"][0]["lines"]) == 9


def test_a_stronger_model_is_activated_and_reads_what_is_best(system: System) -> None:
    done = order(system, "activate", "own", "--role", "stronger", "--wait")
    assert done.exit_code == 0, done.output
    assert (read(system, options="quality=best"), read(system)) == ("own", "crnn-zh-en")
    told = {(one["name"], one["role"]) for one in system.call("/readyz")[1]["models"]}
    assert told == {("detector-lines", "finds"), ("crnn-zh-en", "reads"), ("own", "stronger")}
    same = order(system, "activate", "crnn-zh-en", "--role", "stronger", "--wait")
    assert same.exit_code == 1 and "reads every line already" in same.output
    assert read(system, options="quality=best") == "own"
    assert order(system, "activate", "own", "--role", "stronger").exit_code == 0


def test_a_child_that_is_killed_in_the_middle_of_a_swap_leaves_no_trace(system: System) -> None:
    shelf.add(WEIGHTS / "crnn-zh-en" / FILE_NAME, "second", system.settings.models_folder)
    with ThreadPoolExecutor(4) as clients:
        for turn in range(4):
            name = ("second", "crnn-zh-en")[turn % 2]
            sent = [clients.submit(read, system) for _ in range(6)]
            assert order(system, "activate", name).exit_code == 0
            time.sleep(turn * 0.25)  # before, while and after the new one is opened
            os.kill(next(child.pid for child in system.children() if alive({child.pid: child.id})), signal.SIGKILL)
            assert {job.result() for job in sent} <= {"second", "crnn-zh-en"}
            assert read(system) == name
    wait_until(lambda: settled(system), seconds=PATIENCE_SECONDS, what="the rollout settles")
    assert {child.model for child in system.children()} == {"crnn-zh-en"}
    assert system.call("/v1/models/second")[1]["rollouts"][0]["state"] != "held"
