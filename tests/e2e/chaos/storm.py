"""A storm over a running system: clients work while all that can die is killed; then everything is accounted for."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

from shared import errors
from shared.database import Database
from tests.e2e.chaos import checks, systems
from tests.e2e.chaos.clients import Client, Diary, call
from tests.e2e.chaos.documents import Document, document
from tests.e2e.chaos.systems import System
from tests.receiver import Answer, Message, Receiver
from tests.services import wait_until

CLIENTS = 4
SYSTEMS: dict[str, Callable[..., AbstractContextManager[System]]] = {
    "embedded": systems.embedded,
    "fleet": systems.fleet,
}
FULL = "disk of the uploads full"
PATHS = {"/every-job": True, "/this-job": False}
DELIVERED_SECONDS = 180.0


@dataclass(frozen=True)
class Storm:
    """How much, and how long; the same seed draws the same harms in the same order."""

    seed: int
    jobs: int
    seconds: float

    @property
    def pause_seconds(self) -> float:
        """Between two submissions of a client, so that the clients have work for the whole storm."""
        return self.seconds * CLIENTS / self.jobs


class MoodyReceiver:
    """Takes webhooks, or fails in one of many ways, until it is told to behave."""

    def __init__(self, chance: random.Random) -> None:
        self.taken: list[Message] = []
        self._chance, self._lock = chance, threading.Lock()
        self._is_moody = True
        self.receiver = Receiver(self._answer)

    def behave(self) -> None:
        self._is_moody = False

    def _answer(self, message: Message) -> Answer:
        with self._lock:
            status = self._chance.choice([204, 204, 204, 500, 429, 301, 503, 0]) if self._is_moody else 204
            if status == 204:
                self.taken.append(message)
        if status == 0:  # longer than anybody waits for it
            time.sleep(3)
            return Answer(503)
        return Answer(status, {"Retry-After": "1"} if status == 429 else {})


@dataclass
class Report:
    """What happened, and what is wrong. A good storm leaves the four lists empty."""

    system: str
    storm: Storm
    harms: Counter[str]
    diary: Diary
    job_attempts: dict[str, Counter[int]]
    delivery_attempts: Counter[int]
    lost: list[str]
    doubled: list[str]
    dropped: list[str]
    untold: list[str]

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.dropped or self.untold)

    def __str__(self) -> str:
        lines = [f"## {self.system}, seed {self.storm.seed}", "", "| harm | times |", "|---|---|"]
        lines += [f"| {name} | {count} |" for name, count in sorted(self.harms.items())]
        lines += ["", "| documents | jobs by attempts |", "|---|---|"]
        lines += [f"| {kind} | {_spelled(found)} |" for kind, found in sorted(self.job_attempts.items())]
        lines += [f"| deliveries | {_spelled(self.delivery_attempts)} |", ""]
        answers = ", ".join(f"{status}: {count}" for status, count in sorted(self.diary.statuses.items(), key=str))
        lines += [f"Answers to clients: {answers}; {self.diary.replays} submissions were replayed by their key."]
        deliveries = sum(self.delivery_attempts.values())
        lines += [
            f"{len(self.diary.accepted)} jobs, {deliveries} deliveries: {len(self.lost)} lost, "
            f"{len(self.doubled)} double, {len(self.dropped)} dropped deliveries, {len(self.untold)} clients untold."
        ]
        for name in ("lost", "doubled", "dropped", "untold"):
            lines += [f"  {name}: {problem}" for problem in getattr(self, name)[:20]]
        return "\n".join(lines)


def _spelled(found: Counter[int]) -> str:
    return ", ".join(f"{count} in {attempts}" for attempts, count in sorted(found.items()))


def run(kind: str, storm: Storm, folder: Path, model: Path) -> Report:
    """Start a system, let the storm go over it, wait for the calm, and check everything."""
    harming, clients_chance = random.Random(storm.seed), random.Random(storm.seed + 1)
    moody = MoodyReceiver(random.Random(storm.seed + 2))
    uploads = folder / "data" / "blobs"
    try:
        with systems.small_disk(uploads) as is_small, SYSTEMS[kind](folder, model, harming.choice) as system:
            await_ready(system)
            register(system, moody.receiver.url("/every-job"))
            if is_small:
                system.harms[FULL] = lambda: fill_disk(system, uploads)
            diary = Diary()
            clients = [
                Client(
                    f"client {n}",
                    (document(number) for number in range(n, storm.jobs, CLIENTS)),
                    system.urls,
                    diary,
                    webhook=moody.receiver.url("/this-job"),
                    pause_seconds=storm.pause_seconds,
                    chance=random.Random(clients_chance.random()),
                )
                for n in range(CLIENTS)
            ]
            for client in clients:
                client.start()
            harms = blow(system, clients, storm, harming)
            moody.behave()
            while any(client.is_alive() for client in clients):
                system.tend()
                time.sleep(0.1)
            database = Database(system.settings.database)
            deliver_all(system, database)
            report = Report(
                system.name,
                storm,
                harms,
                diary,
                checks.attempts_by_kind(database, diary.accepted),
                checks.attempts_of_deliveries(database),
                lost=checks.lost(database, diary),
                doubled=checks.doubled(database) + checks.forged(database),
                dropped=checks.dropped(database, diary, moody.taken, PATHS),
                untold=diary.troubles + checks.misread(database, diary),
            )
            database.close()
            return report
    finally:
        moody.receiver.close()


def blow(system: System, clients: list[Client], storm: Storm, chance: random.Random) -> Counter[str]:
    """Harm the system: each way once, then any, until the time is over. Returns what was done how often."""
    done: Counter[str] = Counter()
    end = time.monotonic() + storm.seconds
    first = chance.sample(sorted(system.harms), len(system.harms))
    while time.monotonic() < end or first:
        system.tend()
        name = first[-1] if first else chance.choice(sorted(system.harms))
        if system.harms[name]():
            done[name] += 1
            first = first[:-1]
        time.sleep(chance.uniform(0.3, 1.5))
        if not any(client.is_alive() for client in clients) and not first:
            break
    return done


def await_ready(system: System) -> None:
    """Wait until everything is up; a system that never was is not worth a storm."""

    def is_ready() -> bool:
        system.tend()
        answers = [call(Diary(), "GET", f"{url}/readyz") for url in system.urls()]
        return all(answer is not None and answer.status == 200 for answer in answers)

    wait_until(is_ready, seconds=120, what="a system that is ready")


def register(system: System, url: str) -> None:
    """Make an endpoint that is told of every job."""
    body, headers = json.dumps({"url": url}).encode(), {"Content-Type": "application/json"}
    answer = call(Diary(), "POST", f"{system.urls()[0]}/v1/webhook-endpoints", body, headers)
    assert answer is not None and answer.status == 201, answer


def fill_disk(system: System, uploads: Path) -> bool:
    """Fill the disk of the uploads until a client is told of it, and make room again."""
    diary, headers = Diary(), {"Content-Type": "application/octet-stream"}
    ballast = systems.fill(uploads)
    try:
        for number in range(100):
            system.tend()
            probe = Document(10_000_000 + number, "plain", has_webhook=False)
            answer = call(diary, "POST", f"{system.urls()[0]}/v1/jobs?layout=line", probe.content, headers)
            if answer is not None:
                assert answer.status != 202, "accepted on a full disk"
                if answer.status == 507:
                    return True
            time.sleep(0.1)
        return False
    finally:
        ballast.unlink()


def deliver_all(system: System, database: Database) -> None:
    """Wait for every delivery; what waits for its next attempt gets it at once instead of by the schedule."""

    def all_delivered() -> bool:
        system.tend()
        with suppress(errors.DatabaseUnavailable):
            waiting = checks.waiting_deliveries(database)
            for delivery_id in waiting:
                call(Diary(), "POST", f"{system.urls()[0]}/v1/deliveries/{delivery_id}/redeliver")
            return not waiting and checks.undelivered(database) == 0
        return False

    with suppress(AssertionError):  # the report names what did not arrive
        wait_until(all_delivered, seconds=DELIVERED_SECONDS, what="every delivery")
