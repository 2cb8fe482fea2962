"""Webhooks from the real processes: the sweeper of `ocrelay up` delivers, and is killed while it does."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks

from shared.settings import Settings
from tests.e2e.test_up import descendants
from tests.receiver import Answer, Message, Receiver
from tests.services import Process, wait_until
from tests.unit.api.conftest import png

JOBS = 40
KILLS = 3


class System:
    """A running `ocrelay up` whose attempts to deliver last two seconds at most."""

    def __init__(self, folder: Path, model: Path) -> None:
        settings = Settings.load(
            data_dir=folder / "data", model=str(model), api_processes=1, webhook_allowed_networks="127.0.0.1",
            webhook_timeout_seconds=2,
        )  # fmt: skip
        arguments = ["up", "--data", str(folder / "data"), "--port", "0", "--workers", "1"]
        self.up = Process(settings, *arguments, output=folder / "up.log")
        wait_until(lambda: "ready http" in self.up.said or self.up.status is not None, seconds=90, what="ready")
        assert self.up.status is None, self.up.said
        self.url = next(line for line in self.up.said.splitlines() if line.startswith("ready ")).split()[1]

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        request.add_header(
            "Content-Type", "application/octet-stream" if isinstance(body, bytes) else "application/json"
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return dict(json.load(answer))

    def kill_sweeper(self) -> None:
        """Kill -9, as soon as there is one."""
        found: list[int] = []

        def look() -> bool:
            found[:] = [pid for pid, args in descendants(self.up.pid).items() if args.endswith("shared.cli sweeper")]
            return bool(found)

        wait_until(look, what="a sweeper")
        os.kill(found[0], signal.SIGKILL)


@pytest.fixture
def system(tmp_path: Path, tiny_model_path: Path) -> Iterator[System]:
    system = System(tmp_path, tiny_model_path)
    yield system
    system.up.end()


def test_no_delivery_is_lost_while_the_receiver_fails_and_the_sweeper_is_killed(system: System) -> None:
    chance, lock = random.Random(7), threading.Lock()

    def answer(_message: Message) -> Answer:
        with lock:
            return Answer(chance.choice([204, 204, 500, 429, 301]))

    receiver = Receiver(answer)
    endpoint = system.call("POST", "/v1/webhook-endpoints", {"url": receiver.url()})
    ids = set()
    for number in range(JOBS):
        ids.add(system.call("POST", f"/v1/jobs?layout=line&reference=no.{number}", png())["id"])
        if number % (JOBS // KILLS) == 5:
            receiver.wait_for(len(receiver.messages) + 1)
            system.kill_sweeper()

    def all_delivered() -> bool:
        listed = system.call("GET", f"/v1/deliveries?limit=200&endpoint_id={endpoint['id']}")["deliveries"]
        for delivery in listed:
            if delivery["state"] == "queued" and delivery["attempt"] > 1:  # its next pause is five minutes: no patience
                with suppress(urllib.error.HTTPError):  # 409: an attempt has just begun
                    system.call("POST", f"/v1/deliveries/{delivery['id']}/redeliver")
        return [delivery["state"] for delivery in listed] == ["succeeded"] * JOBS

    wait_until(all_delivered, seconds=240, what="every delivery")
    listed = system.call("GET", f"/v1/deliveries?limit=200&endpoint_id={endpoint['id']}")["deliveries"]
    assert {delivery["job_id"] for delivery in listed} == ids
    by_job: dict[str, set[str]] = {}
    verifier = standardwebhooks.Webhook(endpoint["secret"])
    for message in receiver.messages:
        event = verifier.verify(message.body, message.headers)
        assert event["data"]["links"]["self"].startswith(system.url + "/v1/jobs/")
        by_job.setdefault(event["data"]["id"], set()).add(message.webhook_id)
    assert by_job.keys() == ids
    assert {len(found) for found in by_job.values()} == {1}, "one webhook-id for each job, however often it came"
    for delivery in listed:
        attempts = system.call("GET", f"/v1/deliveries/{delivery['id']}")["attempts"]
        assert [attempt["number"] for attempt in attempts] == list(range(1, delivery["attempt"] + 1))
        assert attempts[-1]["status"] == 204
        assert all(attempt["finished_at"] for attempt in attempts)
    receiver.close()
