"""Jobs per second and latency through the whole service, beside the same pipeline called in-process, in one run.

    python -m tests.bench.throughput [--rounds 5] [--clients 8] [--workers 2]

The service and as many in-process loops as it has worker children take turns, round by round; both have the same cores.
`share` is the service's pace over that of the loops together: the median of the rounds, and each. `batch` is lines by
`POST /v1/batches`. `lone` is a line by itself on a service that does nothing else, above one loop. `others` are cores
that processes of others used meanwhile: where it is not near 0, the machine was not quiet. The peak memory is the
largest resident set that the kernel saw of any worker child.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from api.client.demo import log_of, running
from api.client.http import Client
from shared import workers
from shared.database import Database
from shared.settings import Settings
from tests.bench.loops import Loops, loops
from tests.bench.others import Others
from tests.services import peak_mib

SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
CASES = {"line": SAMPLES / "line-mixed.png", "page": SAMPLES / "page.png"}
JOBS = {"line": 240, "page": 64}
WAIT_SECONDS = 60
LOOP_SECONDS = 2.5
BATCH_COUNT, RETRY_AFTER_SECONDS = 50, 1.0
LONE_COUNT, LONE_PAUSE_SECONDS = 40, 0.02
BOUNDARY = "the-parts-of-a-batch"


class Round(NamedTuple):
    """Documents a second in-process and through the service, milliseconds of each job, cores that others used."""

    alone: float
    pace: float
    milliseconds: list[float]
    others: float


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, round(share * len(values)))]


def read_by_the_service(server: str, layout: str, image: Path) -> float:
    """Milliseconds from submission to finished answer of one job."""
    client = Client(server)
    started = time.perf_counter()
    job = client.finished(client.submit(image, {"layout": layout, "dedupe": "false"}, WAIT_SECONDS))
    assert job["state"] == "succeeded", job["error"]
    return (time.perf_counter() - started) * 1000


def through_the_service(server: str, layout: str, image: Path, count: int, clients: int) -> tuple[list[float], float]:
    """Milliseconds of each job, and the seconds for all of them."""
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(lambda _: read_by_the_service(server, layout, image), range(clients)))  # warm
        started = time.perf_counter()
        spent = list(pool.map(lambda _: read_by_the_service(server, layout, image), range(count)))
        return spent, time.perf_counter() - started


def in_batches(server: str, image: Path, clients: int) -> tuple[list[float], float]:
    """A batch of lines from each client at once: milliseconds to the last end of each, and the seconds for all of them.

    A client looks as often as it is told to, so the time is that of the ends, by the same clock.
    """
    content = image.read_bytes()
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="line.png"\r\n\r\n'.encode()
    body = (head + content + b"\r\n") * BATCH_COUNT + f"--{BOUNDARY}--\r\n".encode()

    def one(_: int) -> float:
        started = time.time()
        address = f"{server}/v1/batches?layout=line&dedupe=false"
        request = urllib.request.Request(address, body, method="POST")
        request.add_header("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
        client = Client(server)
        batch = client._call(request, 0)
        while not batch["is_finished"]:
            time.sleep(RETRY_AFTER_SECONDS)
            batch = client.get(f"/v1/batches/{batch['id']}")
        assert batch["counts"]["succeeded"] == BATCH_COUNT, batch["counts"]
        jobs = client.get(f"/v1/batches/{batch['id']}/jobs")["jobs"]
        return (max(map(ended, jobs)) - started) * 1000

    with ThreadPoolExecutor(clients) as pool:
        spent = list(pool.map(one, range(clients)))
        return spent, max(spent) / 1000


def ended(job: dict[str, Any]) -> float:
    return datetime.fromisoformat(job["finished_at"]).timestamp()


def turn(alone: Loops, work: Callable[[], tuple[list[float], float]], count: int) -> Round:
    """The loops, then the service with so many documents."""
    others = Others()
    pace, _ = alone.run(LOOP_SECONDS)
    spent, seconds = work()
    return Round(pace, count / seconds, spent, others.cores())


def report(case: str, rounds: list[Round]) -> None:
    shares = [one.pace / one.alone for one in rounds]
    spent = [milliseconds for one in rounds for milliseconds in one.milliseconds]
    cells = (
        case,
        f"{statistics.median(one.alone for one in rounds):.1f}",
        f"{statistics.median(one.pace for one in rounds):.1f}",
        f"{statistics.median(spent):.0f} / {percentile(spent, 0.95):.0f}",
        f"**{statistics.median(shares):.2f}** ({' '.join(f'{share:.2f}' for share in shares)})",
        f"{max(one.others for one in rounds):.2f}",
    )
    print(f"| {' | '.join(cells)} |", flush=True)


def lone(server: str, alone: Loops, image: Path) -> tuple[list[float], list[float]]:
    """Milliseconds of lines in one loop, and of lines that nothing else waits beside in the service."""
    _, inside = alone.run(LOOP_SECONDS / 5, count=1)
    spent = []
    for _ in range(LONE_COUNT):
        time.sleep(LONE_PAUSE_SECONDS)
        spent.append(read_by_the_service(server, "line", image))
    return inside, spent


def report_lone(rounds: list[tuple[list[float], list[float]]], others: float) -> None:
    above = {
        share: [percentile(spent, share) - percentile(inside, share) for inside, spent in rounds]
        for share in (0.5, 0.95)
    }
    middle, slow = (statistics.median(values) for values in above.values())
    each = "; ".join(f"{a:.0f}, {b:.0f}" for a, b in zip(*above.values(), strict=True))
    print(f"\nlone: {middle:.1f} ms above in-process at the median, {slow:.1f} at 95 % ({each}); others {others:.2f}")


def peak_memory_mib(data: Path) -> float:
    """Largest peak resident set of the worker children, by the kernel's own count (Linux)."""
    database = Database(Settings.load(data_dir=data).database, pool_size=1)
    with database.read() as connection:
        pids = [child.pid for child in workers.live_children(connection)]
    database.close()
    return max((peak_mib(pid) for pid in pids), default=float("nan"))


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed through the service against in-process.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cases", nargs="+", choices=["line", "batch", "page", "lone"])
    args = parser.parse_args()
    cases = args.cases or ["line", "batch", "page", "lone"]
    print(
        "| case | in-process, a second | service, a second | ms p50 / p95 | share | others |\n|---|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as folder, log_of(Path(folder)), running(Path(folder), args.workers) as server:

        def by_jobs(layout: str) -> tuple[list[float], float]:
            return through_the_service(server, layout, CASES[layout], JOBS[layout], args.clients)

        by_jobs("line")  # warm
        with loops("line", CASES["line"], args.workers) as alone:
            if "line" in cases:
                report("line", [turn(alone, lambda: by_jobs("line"), JOBS["line"]) for _ in range(args.rounds)])
            if "batch" in cases:
                count = args.clients * BATCH_COUNT
                batches = [
                    turn(alone, lambda: in_batches(server, CASES["line"], args.clients), count)
                    for _ in range(args.rounds)
                ]
                report("batch", batches)
            others = Others()
            singles = [lone(server, alone, CASES["line"]) for _ in range(args.rounds if "lone" in cases else 0)]
        if "page" in cases:
            with loops("page", CASES["page"], args.workers) as alone:
                report("page", [turn(alone, lambda: by_jobs("page"), JOBS["page"]) for _ in range(args.rounds)])
        if singles:
            report_lone(singles, others.cores())
        peak = peak_memory_mib(Path(folder))
    print(f"\n{args.clients} clients, {args.workers} worker children; peak of a child {peak:.0f} MiB")


if __name__ == "__main__":
    main()
