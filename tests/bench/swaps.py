"""Jobs without a pause while two models are activated in turn: does one fail, who read it, what does memory do.

And the same jobs for as long without any activation, to compare: memory grows as the straight line does that fits what
the largest child held after each swap, or after as long.

    python -m tests.bench.swaps [--swaps 20] [--seconds 5] [--jobs 500] [--workers 2]

Both models are the shipped one, the second under a name of its own and without the n-gram beside it, so that each swap
opens a whole model beside a whole model. The order that a job was claimed under is not known from outside; a job that
was sent after an order and ended before the next must name the model of that order.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from models.bringing import shelf
from models.recognizer import FILE_NAME, WEIGHTS
from shared import registry
from shared.audit.actor import OPERATOR
from shared.registry.record import Role
from shared.settings import Settings
from tests.e2e.test_service import SAMPLES, System
from tests.ports import free_port
from tests.services import wait_until

FIRST, SECOND = "crnn-zh-en", "second"
LINES = [(SAMPLES / f"line-{name}.png").read_bytes() for name in ("english", "chinese", "mixed")]
CLIENTS = 4
MIB = 2**20


class Run:
    """Clients that send one job after another, and one who swaps models meanwhile."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.ended = threading.Event()
        self.jobs: list[tuple[float, float, dict[str, Any]]] = []
        self.orders: list[tuple[float, str]] = []
        self.held: list[int] = []

    def send(self, number: int) -> None:
        """Send jobs until the end."""
        while not self.ended.is_set():
            start = time.monotonic()
            job = self.system.submit(LINES[number % len(LINES)], "layout=line&quality=fast")
            self.jobs.append((start, time.monotonic(), job))
            time.sleep(0.05)

    def swap(self, name: str) -> None:
        """Activate a model."""
        with self.system.database.write() as connection:
            model = registry.find(connection, name)
            assert model is not None
            registry.activate(connection, model, Role.RECOGNISER, actor=OPERATOR)
        self.orders.append((time.monotonic(), name))

    def memory(self) -> int:
        """Bytes that the largest child holds."""
        return max(child.rss_bytes or 0 for child in self.system.children())

    def wrong(self) -> int:
        """How many jobs lay wholly between two orders and name another model than that of the first."""
        count = 0
        for start, end, job in self.jobs:
            before = [name for at, name in self.orders if at < start]
            inside = [name for at, name in self.orders if start <= at <= end]
            if before and not inside and job["state"] == "succeeded":
                count += job["result"]["model"]["name"] != before[-1]
        return count


def measure(swaps: int, seconds: float, least: int, workers: int, folder: Path, *, is_still: bool) -> None:
    """Print what became of the jobs, and the memory after each swap; `is_still`: wait for as long instead."""
    shelf.add(WEIGHTS / FIRST / FILE_NAME, SECOND, folder / "installed")
    given = {"models": FIRST, "models_dir": folder / "installed", "workers": workers, "api_processes": 1}
    system = System(Settings.load(data_dir=folder / "data", port=free_port(), **given), folder)
    run = Run(system)
    try:
        wait_until(lambda: len(system.children()) == workers, seconds=180, what="all children live")
        clients = [threading.Thread(target=run.send, args=[number]) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        while len(run.held) < swaps or len(run.jobs) < least:
            if not is_still:
                run.swap((SECOND, FIRST)[len(run.orders) % 2])
            time.sleep(seconds)
            run.held.append(run.memory())
        run.ended.set()
        for client in clients:
            client.join()
    finally:
        run.ended.set()
        system.end()
    states = Counter(job["state"] for *_, job in run.jobs)
    names = Counter(job["result"]["model"]["name"] for *_, job in run.jobs if job["state"] == "succeeded")
    print(f"{len(run.jobs)} jobs, {len(run.orders)} swaps, one every {seconds:g} s")
    print(f"ended: {dict(states)}; read by: {dict(names)}")
    print(f"jobs that name another model than the one that was active: {run.wrong()}")
    print("memory of the largest child after each, MiB:", *(round(held / MIB) for held in run.held))
    late = run.held[len(run.held) // 2 :]
    print(f"it grows by {slope(run.held) / MIB:.2f} MiB each, {slope(late) / MIB:.2f} in the second half")


def slope(held: list[int]) -> float:
    """Bytes from one look to the next, by the straight line that fits best."""
    return float(np.polyfit(range(len(held)), held, 1)[0]) if len(held) > 1 else 0.0


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--swaps", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    for is_still in (True, False):
        print("without swaps" if is_still else "with swaps", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            measure(given.swaps, given.seconds, given.jobs, given.workers, Path(folder), is_still=is_still)


if __name__ == "__main__":
    main()
