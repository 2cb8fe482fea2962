"""Publishing never fails a submission, and never holds it for long."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from shared import queue
from shared.queue import Breaker
from shared.settings import Settings


def test_a_broker_that_is_not_there_is_an_answer_and_no_error(tmp_path: Path) -> None:
    app = queue.create_app(Settings.load(), f"redis+socket://{tmp_path}/none.sock?virtual_host=0", role="client")
    assert queue.publish(app, "job_1") is False
    assert queue.depth(app) is None


def test_after_a_failure_the_broker_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    app = queue.create_app(Settings.load(), f"redis+socket://{path}?virtual_host=0", role="client")
    assert queue.publish(app, "job_1") is False
    with socket.socket(socket.AF_UNIX) as server:  # whoever connects now is seen
        server.bind(str(path))
        server.listen()
        server.settimeout(0.2)
        assert queue.publish(app, "job_2") is False
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_breaker_closes_by_itself() -> None:
    breaker = Breaker(seconds=0.05)
    assert not breaker.is_open()
    breaker.trip()
    assert breaker.is_open()
    time.sleep(0.06)
    assert not breaker.is_open()


def test_every_process_agrees_on_what_must_be_equal() -> None:
    client, worker = (queue.celery_config(Settings.load(), "redis://h/0", role=role) for role in ("client", "worker"))
    for name in ("visibility_timeout", "task_queues", "task_serializer", "accept_content", "task_default_queue"):
        assert client[name] == worker[name]
    for name in ("visibility_timeout", "global_keyprefix"):
        assert client["broker_transport_options"][name] == worker["broker_transport_options"][name]
    assert client["visibility_timeout"] > 2 * client["task_time_limit"]
