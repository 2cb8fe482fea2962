"""Many jobs of mixed size through one service: memory and files of each process, the database, and the latency.

    python -m tests.bench.endurance [--jobs 10000] [--clients 8] [--workers 2] [--pages 0.04]

Every upload has bytes of its own. Every few hundred jobs the kernel is asked for the resident set and the open files of
each process. Slopes are least squares over the samples after the first fifth, when every process has seen all kinds of
jobs, with their standard error: of 1,000 jobs, in MiB and in files. A process that ended on the way is told with the
rest. Latencies are from submission to finished answer.
"""

from __future__ import annotations

import argparse
import random
import statistics
import struct
import tempfile
import threading
import time
import zlib
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from api.client.demo import log_of, running
from api.client.http import Client
from shared.settings import Settings
from tests.bench.cost import processes
from tests.bench.throughput import SAMPLES, percentile

LINES = [(SAMPLES / f"line-{name}.png").read_bytes() for name in ("mixed", "english", "chinese")]
PAGE = (SAMPLES / "page.png").read_bytes()
WAIT_SECONDS, SAMPLES_COUNT, WARM = 60, 60, 0.2
THOUSAND = 1000


class Sample(NamedTuple):
    """What a process holds after so many jobs."""

    done: int
    mib: float
    files: int


class Ended(NamedTuple):
    """A job that was read, and its milliseconds."""

    layout: str
    milliseconds: float


def with_number(png: bytes, number: int) -> bytes:
    """The same image in other bytes: a comment before its last chunk."""
    comment = b"tEXt" + b"Comment\0" + str(number).encode()
    chunk = struct.pack(">I", len(comment) - 4) + comment + struct.pack(">I", zlib.crc32(comment))
    return png[:-12] + chunk + png[-12:]


def sample_of(pid: int, done: int) -> Sample | None:
    """None where it has just ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
        files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return None
    rss = next((line for line in status if line.startswith("VmRSS:")), None)
    return rss and Sample(done, int(rss.split()[1]) / 1024, files)


def slope(samples: list[tuple[float, float]]) -> tuple[float, float]:
    """Of a line through points by least squares, and its standard error; (nan, nan) where there are too few."""
    if len(samples) < 4:
        return float("nan"), float("nan")
    xs, ys = zip(*samples, strict=True)
    middle_x, middle_y = statistics.mean(xs), statistics.mean(ys)
    spread = sum((x - middle_x) ** 2 for x in xs)
    steep = sum((x - middle_x) * (y - middle_y) for x, y in samples) / spread
    left = sum((y - middle_y - steep * (x - middle_x)) ** 2 for x, y in samples)
    return steep, (left / (len(samples) - 2) / spread) ** 0.5


class Run:
    """Jobs under way, and what was seen of the processes meanwhile."""

    def __init__(self, server: str, count: int, page_share: float) -> None:
        self._server = server
        self._count = count
        chance = random.Random(1)
        self._is_page = [chance.random() < page_share for _ in range(count)]
        self._lock = threading.Lock()
        self.ended: list[Ended] = []
        self.samples: dict[tuple[str, int], list[Sample]] = defaultdict(list)

    def one(self, number: int) -> None:
        is_page = self._is_page[number]
        content = with_number(PAGE if is_page else LINES[number % len(LINES)], number)
        layout = "page" if is_page else "line"
        client, started = Client(self._server), time.perf_counter()
        job = client.finished(client.send(content, {"layout": layout, "dedupe": "false"}, WAIT_SECONDS))
        assert job["state"] == "succeeded", job["error"]
        with self._lock:
            self.ended.append(Ended(layout, (time.perf_counter() - started) * 1000))
            done = len(self.ended)
        if done % max(1, self._count // SAMPLES_COUNT) == 0:
            self.look(done)

    def look(self, done: int) -> None:
        for pid, kind in processes("").items():
            found = sample_of(pid, done)
            if found is not None:
                self.samples[kind, pid].append(found)


def report_processes(run: Run, count: int) -> None:
    print("| process | MiB first, last | MiB a 1,000 jobs | files first, last | files a 1,000 jobs | seen until job |")
    print("|---|---|---|---|---|---|")
    for (kind, pid), all_samples in sorted(run.samples.items()):
        samples = sorted(all_samples)
        later = [one for one in samples if one.done >= WARM * count] or samples
        memory = slope([(one.done / THOUSAND, one.mib) for one in later])
        files = slope([(one.done / THOUSAND, float(one.files)) for one in later])
        cells = (
            f"{kind} {pid}",
            f"{later[0].mib:.1f}, {later[-1].mib:.1f}",
            f"{memory[0]:+.3f} ± {memory[1]:.3f}",
            f"{later[0].files}, {later[-1].files}",
            f"{files[0]:+.3f} ± {files[1]:.3f}",
            str(samples[-1].done),
        )
        print(f"| {' | '.join(cells)} |")


def report_latency(ended: list[Ended]) -> None:
    for name, part in (("first", ended[:THOUSAND]), ("last", ended[-THOUSAND:])):
        for layout in ("line", "page"):
            spent = [one.milliseconds for one in part if one.layout == layout]
            if spent:
                middle, slow = statistics.median(spent), percentile(spent, 0.95)
                print(f"{name} {len(part)}, {layout}: p50 {middle:.0f} ms, p95 {slow:.0f} ms of {len(spent)}")


def report_disk(folder: Path, count: int) -> None:
    file = Path(str(Settings.load(data_dir=folder).database).removeprefix("sqlite:///"))
    for path in (file, file.with_name(file.name + "-wal")):
        if path.exists():
            size = path.stat().st_size
            print(f"{path.name}: {size / 2**20:.1f} MiB, {size / count:.0f} bytes a job")


def main() -> None:
    parser = argparse.ArgumentParser(description="Many jobs of mixed size: memory, files, disk and latency.")
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--pages", type=float, default=0.04, help="share of them that are pages")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, log_of(Path(folder)), running(Path(folder), args.workers) as server:
        run, started = Run(server, args.jobs, args.pages), time.perf_counter()
        with ThreadPoolExecutor(args.clients) as pool:
            list(pool.map(run.one, range(args.jobs)))
        seconds = time.perf_counter() - started
        kinds = Counter(one.layout for one in run.ended)
        print(f"{len(run.ended)} jobs ({dict(kinds)}) in {seconds:.0f} s, {len(run.ended) / seconds:.1f} a second\n")
        report_processes(run, args.jobs)
        print()
        report_latency(run.ended)
        report_disk(Path(folder), args.jobs)


if __name__ == "__main__":
    main()
