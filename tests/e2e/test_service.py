"""The whole system by HTTP: API, broker, worker and database as real processes, with the model that is shipped."""

from __future__ import annotations

import difflib
import json
import os
import signal
import sqlite3
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from api.formats.table import FORMATS
from shared import jobs, workers
from shared.audit import trail
from shared.database import Database
from shared.settings import Settings
from tests.e2e.test_up import alive, descendants
from tests.ports import free_port
from tests.services import BrokerServer, Process, wait_until
from tests.unit.api.conftest import png

SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
ENGLISH = "The quick brown fox jumps over the lazy dog, 1234567890."
CHINESE = "春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。"
WAIT_SECONDS = 60


class System:
    """A running `ocrelay up`."""

    def __init__(self, settings: Settings, folder: Path, name: str = "up") -> None:
        self.settings = settings
        self.up = Process(settings, "up", output=folder / f"{name}.log")
        wait_until(lambda: "ready http" in self.up.said or self.up.status is not None, seconds=120, what="ready")
        assert self.up.status is None, self.up.said
        self.url = next(line for line in self.up.said.splitlines() if line.startswith("ready ")).split()[1]
        self.database = Database(settings.database)

    def call(self, path: str, body: bytes | None = None, wait: int = WAIT_SECONDS) -> tuple[int, dict[str, Any]]:
        request = urllib.request.Request(self.url + path, data=body, headers={"Prefer": f"wait={wait}"})
        request.add_header("Content-Type", "application/octet-stream")
        try:
            with urllib.request.urlopen(request, timeout=wait + 30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def submit(self, content: bytes, options: str = "layout=line", wait: int = WAIT_SECONDS) -> dict[str, Any]:
        status, job = self.call(f"/v1/jobs?{options}&dedupe=false", content, wait)  # each one is really read
        assert status in (200, 202), job
        return job

    def children(self) -> list[workers.WorkerChild]:
        with self.database.read() as connection:
            return workers.live_children(connection)

    def end(self) -> None:
        self.database.close()
        self.up.end()


@pytest.fixture(params=["sqlite and valkey", "postgres and redis"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def own_broker(kind: str, start_broker: Callable[[str], BrokerServer]) -> BrokerServer | None:
    """Debian's Redis where it is used; None where the system brings its own."""
    return start_broker("redis-server") if kind == "postgres and redis" else None


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path, own_broker: BrokerServer | None) -> Settings:
    given: dict[str, Any] = {"data_dir": tmp_path / "data", "port": free_port(), "workers": 2, "api_processes": 2}
    if own_broker is not None:
        given |= {"database_url": request.getfixturevalue("postgres_url"), "redis_url": own_broker.url}
    return Settings.load(**given)


@pytest.fixture
def system(settings: Settings, tmp_path: Path) -> Iterator[System]:
    system = System(settings, tmp_path)
    yield system
    system.end()


def similarity(a: str, b: str) -> float:
    return difflib.SequenceMatcher(None, a, b, autojunk=False).ratio()


def test_an_image_becomes_text_and_the_trail_of_it_stays(system: System) -> None:
    job = system.submit((SAMPLES / "line-english.png").read_bytes())
    assert (job["state"], job["attempt"], job["error"]) == ("succeeded", 1, None)
    assert similarity(job["result"]["text"], ENGLISH) > 0.97
    assert 0.9 < job["result"]["min_confidence"] <= job["result"]["confidence"] <= 1
    line = job["result"]["pages"][0]["lines"][0]
    assert [word["text"] for word in line["words"]][:3] == ["The", "quick", "brown"]
    assert job["timings_ms"]["total"] >= job["timings_ms"]["recognition"] > 0
    chinese = system.submit((SAMPLES / "line-chinese.png").read_bytes())
    assert similarity(chinese["result"]["text"], CHINESE) > 0.9
    page = system.submit((SAMPLES / "page.png").read_bytes(), "layout=page")
    assert len(page["result"]["pages"][0]["lines"]) == 9
    with system.database.read() as connection:
        events = trail.list_events(connection, job_id=job["id"])
    assert [event.event for event in reversed(events)] == ["job.submitted", "job.claimed", "job.succeeded"]
    last = events[0]
    assert (last.client_ip, last.sha256) == ("127.0.0.1", job["document"]["sha256"])
    assert (last.confidence, last.model) == (job["result"]["confidence"], job["result"]["model"]["name"])


def test_each_format_comes_out_of_the_running_service(system: System) -> None:
    job = system.submit((SAMPLES / "page.png").read_bytes(), "layout=page")
    words = {word["text"] for line in job["result"]["pages"][0]["lines"] for word in line["words"]}
    for form in FORMATS:
        with urllib.request.urlopen(f"{system.url}{job['links']['result']}?format={form.name}") as answer:
            content = answer.read()
        assert answer.headers.get_content_type() == form.media_type
        if form.is_text:
            assert "workers" in content.decode() and "任" in content.decode()
        else:
            document = pypdfium2.PdfDocument(content)
            text = document[0].get_textpage().get_text_range()
            assert len(document) == 1 and all(word in text for word in words)
            document.close()


def test_a_client_that_sends_too_much_gets_the_answer_and_no_broken_pipe(system: System) -> None:
    """11 MiB in base64, 40 MiB raw, and a large body to nowhere: urllib reports a reset connection as an error."""
    too_much = [("/v1/jobs", 40 << 20, 413), ("/v1/jobs", (11 << 20) * 4 // 3, 413), ("/v1/nowhere", 5 << 20, 404)]
    for path, size, status in too_much:
        answered, problem = system.call(path, b"A" * size)
        assert (answered, problem["status"]) == (status, status)


def test_what_only_decoding_shows_fails_the_job_and_no_worker(system: System) -> None:
    wait_until(lambda: len(system.children()) == 2, what="both worker children")
    before = {child.pid for child in system.children()}
    whole = (SAMPLES / "receipt.jpg").read_bytes()
    cut = system.submit(whole[: len(whole) // 2], "layout=page")
    assert (cut["state"], cut["error"]["code"], cut["error"]["phase"]) == ("failed", "truncated_image", "decode")
    blank = system.submit(png(40, 40), "layout=page")
    assert (blank["state"], blank["result"]["text"], blank["result"]["confidence"]) == ("succeeded", "", None)
    assert {child.pid for child in system.children()} == before


def gone_by_kill(pid: int) -> bool:
    """Kill -9; False where the process had ended by itself since it was listed."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def kill_broker(system: System, own_broker: BrokerServer | None) -> None:
    """Kill -9; the embedded one is started again by `up`, the other one by us."""
    if own_broker is not None:
        own_broker.kill()
        own_broker.start()
        return

    def killed() -> bool:  # after the last kill it may not have come back yet
        servers = [pid for pid, args in descendants(system.up.pid).items() if "valkey-server" in args]
        gone = [gone_by_kill(pid) for pid in servers]
        return any(gone)

    wait_until(killed, what="an embedded broker to kill")


def kill_a_child(system: System) -> None:
    """Kill -9 of one worker child that lives; one may end by itself in the moment in which its broker dies."""

    def killed() -> bool:
        living = descendants(system.up.pid)
        for child in system.children():
            if child.pid in living:
                return gone_by_kill(child.pid)
        return False

    wait_until(killed, what="a worker child to kill")


def test_no_job_is_lost_or_done_twice_when_broker_and_child_are_killed(
    system: System, own_broker: BrokerServer | None
) -> None:
    """200 jobs by 8 clients; twice the broker dies by kill -9 and comes back, and a worker child dies."""
    names = ["line-english.png", "line-chinese.png", "line-mixed.png", "page.png"]
    images = [(SAMPLES / name).read_bytes() for name in names]
    accepted: list[str] = []
    lock = threading.Lock()

    def client(number: int) -> None:
        for index in range(25):
            job = system.submit(images[(number + index) % len(images)], "layout=auto", wait=0)
            with lock:
                accepted.append(job["id"])

    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(client, number) for number in range(8)]
        for at_least in (30, 110):
            wait_until(lambda at_least=at_least: len(accepted) >= at_least, what=f"{at_least} submissions")
            kill_broker(system, own_broker)
            kill_a_child(system)
        for one in running:
            one.result()

    def open_jobs() -> int:
        with system.database.read() as connection:
            counts = jobs.counts(connection)
        return counts["queued"] + counts["running"]

    wait_until(lambda: open_jobs() == 0, seconds=180, what="the end of every job")
    assert len(set(accepted)) == 200
    with system.database.read() as connection:
        counts = jobs.counts(connection)
        ends = [
            [event.event for event in trail.list_events(connection, job_id=job_id)].count("job.succeeded")
            for job_id in accepted
        ]
    assert counts["succeeded"] == 200, counts
    assert ends == [1] * 200


def test_stopped_in_the_middle_it_goes_on_with_the_next_start(settings: Settings, tmp_path: Path) -> None:
    first = System(settings, tmp_path, "first")
    below = descendants(first.up.pid)
    page = (SAMPLES / "page.png").read_bytes()
    ids = [first.submit(page, "layout=page", wait=0)["id"] for _ in range(12)]
    first.up.signal(signal.SIGTERM)
    assert first.up.wait() == 0
    assert alive(below) == []
    first.end()
    second = System(settings, tmp_path, "second")
    try:
        states = {second.call(f"/v1/jobs/{job_id}")[1]["state"] for job_id in ids}
    finally:
        second.end()
    assert states == {"succeeded"}


def test_a_restart_of_the_machine_loses_nothing(settings: Settings, tmp_path: Path) -> None:
    """Every process dies at once, the broker with its memory; the next start finds the jobs in SQL."""
    first = System(settings, tmp_path, "first")
    ids = [first.submit((SAMPLES / "page.png").read_bytes(), "layout=page", wait=0)["id"] for _ in range(6)]
    below = descendants(first.up.pid)
    for pid in (first.up.pid, *below):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    first.end()
    second = System(settings, tmp_path, "second")
    try:
        states = {second.call(f"/v1/jobs/{job_id}")[1]["state"] for job_id in ids}
    finally:
        second.end()
    assert states == {"succeeded"}


@pytest.mark.parametrize("kind", ["sqlite and valkey"], indirect=True)
def test_sqlite_itself_finds_nothing_wrong_afterwards(system: System) -> None:
    system.submit((SAMPLES / "line-mixed.png").read_bytes())
    file = system.settings.data_dir / "ocrelay.sqlite3"
    system.end()
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
