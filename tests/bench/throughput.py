"""Jobs per second and latency through the whole service, beside the same pipeline called in-process, in one run.

    python -m tests.bench.throughput [--jobs 200] [--clients 8] [--workers 2]

Medians and 95th percentiles in milliseconds; `share` is the service's throughput over what as many in-process loops
would reach (workers x in-process pace, with one core for each). The peak memory is the largest resident set that
the kernel saw of any worker child.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2

import models
from api.client.demo import log_of, running
from api.client.http import Client
from models import detector
from shared import workers
from shared.database import Database
from shared.settings import Settings
from tests.services import peak_mib
from worker.ocr.pipeline import Options, recognize_document

SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
CASES = {"line": SAMPLES / "line-mixed.png", "page": SAMPLES / "page.png"}
WAIT_SECONDS = 60


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, round(share * len(values)))]


def in_process(layout: str, image: Path, count: int) -> list[float]:
    """Milliseconds of each of `count` calls, after a warm-up."""
    cv2.setNumThreads(1)
    recognizer, finder = models.load(), detector.load()
    content, options = image.read_bytes(), Options(layout=layout)  # type: ignore[arg-type]
    spent = []
    for _ in range(count + 3):
        started = time.perf_counter()
        recognize_document(content, recognizer, options, detector=finder)
        spent.append((time.perf_counter() - started) * 1000)
    return spent[3:]


def through_the_service(server: str, layout: str, image: Path, count: int, clients: int) -> tuple[list[float], float]:
    """Milliseconds from submission to finished answer of each job, and the seconds for all of them."""

    def one(_: int) -> float:
        client = Client(server)
        started = time.perf_counter()
        job = client.finished(client.submit(image, {"layout": layout, "dedupe": "false"}, WAIT_SECONDS))
        assert job["state"] == "succeeded", job["error"]
        return (time.perf_counter() - started) * 1000

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(one, range(clients)))  # warm
        started = time.perf_counter()
        spent = list(pool.map(one, range(count)))
        return spent, time.perf_counter() - started


def peak_memory_mib(data: Path) -> float:
    """Largest peak resident set of the worker children, by the kernel's own count (Linux)."""
    database = Database(Settings.load(data_dir=data).database, pool_size=1)
    with database.read() as connection:
        pids = [child.pid for child in workers.live_children(connection)]
    database.close()
    return max((peak_mib(pid) for pid in pids), default=float("nan"))


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed through the service against in-process.")
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    print("| case | in-process ms p50 / p95 | jobs/s in-process | service ms p50 / p95 | jobs/s service | share |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, log_of(Path(folder)), running(Path(folder), args.workers) as server:
        for layout, image in CASES.items():
            alone = in_process(layout, image, max(20, args.jobs // 4))
            spent, seconds = through_the_service(server, layout, image, args.jobs, args.clients)
            pace, single = args.jobs / seconds, 1000 / statistics.mean(alone)
            cells = (
                layout,
                f"{statistics.median(alone):.1f} / {percentile(alone, 0.95):.1f}",
                f"{single:.1f}",
                f"{statistics.median(spent):.0f} / {percentile(spent, 0.95):.0f}",
                f"{pace:.1f}",
                f"{pace / (single * args.workers):.2f}",
            )
            print(f"| {' | '.join(cells)} |")
        peak = peak_memory_mib(Path(folder))
    print(f"\n{args.jobs} jobs, {args.clients} clients, {args.workers} worker children; peak of a child {peak:.0f} MiB")


if __name__ == "__main__":
    main()
