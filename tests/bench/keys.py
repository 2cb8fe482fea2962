"""What API keys cost: the time to tell right from wrong, whether it betrays anything, and what wrong ones ask of SQL.

    python -m tests.bench.keys [--tries 20000] [--wrong 1000000]

The three kinds of keys come in random order, so that whatever else the machine does meets all of them. `chance` is the
probability that a try of one kind takes longer than one of another: 0.5 says that nobody can tell them apart by time.
"""

from __future__ import annotations

import argparse
import functools
import math
import random
import statistics
import tempfile
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path

from flask.testing import FlaskClient

from api.access.key_ring import KeyRing
from api.app import app_of
from api.service.parts import Parts
from api.service.waiting import Waiting
from shared import errors, ids, keys, queue
from shared.audit.actor import OPERATOR
from shared.database import Database
from shared.keys import record
from shared.keys.record import Scope
from shared.migrations import migrate
from shared.settings import Settings
from shared.telemetry import logs
from shared.uploads.blobs import Blobs
from tests.bench.overhead import COUNT, NO_BROKER
from tests.services import postgres_server

KEYS = 200
KINDS = ("right key", "wrong secret", "unknown id")


def texts_of(kind: str, right: Sequence[str]) -> str:
    """A key of this kind, a fresh one unless it is right."""
    text = random.choice(right)
    known = f"key_{text.split('_')[1]}"
    return {
        "right key": text,
        "wrong secret": record.new_text(known),
        "unknown id": record.new_text(ids.new("key")),
    }[kind]


def chance(one: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """Probability that `one` is larger (Mann-Whitney), and how many standard errors that is from 0.5."""
    ordered = sorted(other)
    wins = sum((bisect_left(ordered, value) + bisect_right(ordered, value)) / 2 for value in one)
    share = wins / (len(one) * len(other))
    error = math.sqrt((len(one) + len(other) + 1) / (12 * len(one) * len(other)))
    return share, (share - 0.5) / error


def race(name: str, tries: int, right: Sequence[str], attempt: Callable[[str], object]) -> None:
    """Time the kinds against one another."""
    order = list(KINDS) * tries
    random.shuffle(order)
    spent: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for kind in order:
        text = texts_of(kind, right)
        started = time.perf_counter()
        attempt(text)
        spent[kind].append((time.perf_counter() - started) * 1e6)
    for kind, times in spent.items():
        share, sigmas = chance(times, spent["unknown id"])
        slow = sorted(times)[int(len(times) * 0.95)]
        print(f"| {name} | {kind} | {statistics.median(times):.1f} | {slow:.1f} | {share:.4f} | {sigmas:+.1f} |")


def find_quietly(ring: KeyRing, address: Callable[[], str]) -> Callable[[str], object]:
    """Look for a key as the door does; a wrong one is no accident here."""

    def attempt(text: str) -> object:
        try:
            return ring.find(text, address())
        except errors.OcrelayError as error:
            return error

    return attempt


def flood(name: str, count: int, ring: KeyRing, right: Sequence[str], address: Callable[[], str]) -> None:
    """Count what wrong keys ask of the database."""
    attempt = find_quietly(ring, address)
    wrong = [texts_of(random.choice(KINDS[1:]), right) for _ in range(min(count, 5000))]
    before, started = COUNT.statements, time.perf_counter()
    for number in range(count):
        attempt(wrong[number % len(wrong)])
    seconds = time.perf_counter() - started
    print(f"| {name} | {count} | {seconds:.1f} | {COUNT.statements - before} |")


def ask(client: FlaskClient, text: str) -> object:
    """A request that a right key is not enough for, so that nothing else is done."""
    return client.get("/v1/jobs", headers={"X-API-Key": text})


def service_of(database: Database, folder: Path) -> Parts:
    settings = Settings.load(data_dir=folder, redis_url=NO_BROKER, wrong_keys_per_minute=10**9)
    celery = queue.create_app(settings, NO_BROKER, role="client")
    return Parts(settings, database, Blobs(settings.blobs_dir), celery, Waiting(database))


def main() -> None:
    parser = argparse.ArgumentParser(description="Time and SQL statements of right and wrong API keys.")
    parser.add_argument("--tries", type=int, default=20_000, help="of each kind, without HTTP; a tenth of it with")
    parser.add_argument("--wrong", type=int, default=1_000_000, help="wrong keys for the count of statements")
    args = parser.parse_args()
    logs.set_up(Settings.load(log_level="ERROR"))
    with tempfile.TemporaryDirectory() as folder, postgres_server() as server:
        for name, url in (("SQLite", f"sqlite:///{folder}/ocrelay.sqlite3"), ("PostgreSQL", server.new_database())):
            database = Database(url)
            migrate(database)
            with database.write() as connection:
                made = [
                    keys.create(connection, name=f"key {n}", scopes=[Scope.SUBMIT], actor=OPERATOR) for n in range(KEYS)
                ]
            right = [text for _, text in made]
            print(f"\n{name}, {KEYS} keys\n\n| | | µs, median | µs, 95 % | chance against `unknown id` | sigmas |")
            print("|---|---|---|---|---|---|")
            unlimited = KeyRing(database, wrong_per_minute=10**9)
            for text in right:
                unlimited.find(text, "bench")  # each is used for the first time, which is written down
            time.sleep(1)
            race("key ring", args.tries, right, find_quietly(unlimited, lambda: "bench"))
            client = app_of(service_of(database, Path(folder))).test_client()
            for text in right:
                ask(client, text)
            time.sleep(1)
            race("HTTP, another scope", args.tries // 10, right, functools.partial(ask, client))
            print("\n| wrong keys from | keys | s | SQL statements |\n|---|---|---|---|")
            flood("one address", args.wrong, KeyRing(database, wrong_per_minute=30), right, lambda: "192.0.2.1")
            flood(
                "a new address each time",
                args.wrong,
                KeyRing(database, wrong_per_minute=30),
                right,
                lambda: str(random.getrandbits(64)),
            )
            database.close()


if __name__ == "__main__":
    main()
