"""Where the CPU time of a job goes: by process, and by stage in each, on both databases.

    python -m tests.bench.cost [--jobs 400] [--clients 8] [--workers 2] [--layout line] [--database sqlite]
                               [--functions 20]

The whole service runs as `ocrelay up` starts it. Processes are read from `/proc` (user and system time, PostgreSQL's
too) in a run that nobody disturbs; stages come of a second run with a sampler in each process
(`tests/bench/sampled`), whose shares are laid over the times of the first. Milliseconds of CPU for a job.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from sqlalchemy.engine import make_url

from api.client.demo import log_of, running
from shared.database import journal_mode
from tests.bench.cost_stages import READING, is_ours, short, stage_of
from tests.bench.throughput import CASES, percentile, through_the_service
from tests.services import postgres_server

ROOT = str(Path(__file__).parents[2])
SAMPLED = Path(__file__).parent / "sampled"
TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
PROCESSES = ("API", "worker children", "worker parent", "sweeper", "broker", "up", "PostgreSQL")


class Run(NamedTuple):
    """What one run took."""

    cpu_ms: dict[str, float]  # of a job, by process
    stages: dict[str, Counter[str]]  # nanoseconds, by process and stage
    functions: dict[str, Counter[str]]  # the same by our function nearest to the leaf, and the leaf
    pace: float  # jobs a second
    milliseconds: list[float]  # of each job


def processes(postgres: str) -> dict[int, str]:
    """Every process of the service, and of the PostgreSQL server over a folder, by its id."""
    parents, commands = {}, {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):  # it ended just now
                continue
            parents[int(folder.name)], commands[int(folder.name)] = parent, command
    below = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in below} - below:
        below |= more
    kinds = {pid: kind_of(commands[pid], commands.get(parents[pid], "")) for pid in parents if pid in below}
    mine = {pid: kind for pid, kind in kinds.items() if kind}
    servers = {pid for pid, command in commands.items() if postgres and f"-D {postgres}" in command}
    return mine | {pid: "PostgreSQL" for pid, parent in parents.items() if pid in servers or parent in servers}


def kind_of(command: str, parent: str) -> str:
    words, above = command.split(), parent.split()
    if any("valkey" in word or "redis-server" in word for word in words[:1]):
        return "broker"
    if "shared.cli" not in words and not any(word.endswith("ocrelay") for word in words):
        return ""
    for word, kind in (("sweeper", "sweeper"), ("api", "API"), ("up", "up")):
        if word in words:
            return kind
    if "worker" in words:
        return "worker children" if "worker" in above else "worker parent"
    return ""


def spent_ms(postgres: str) -> dict[int, tuple[str, float]]:
    """CPU time of each process so far."""
    found = {}
    for pid, kind in processes(postgres).items():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        found[pid] = kind, (int(fields[11]) + int(fields[12])) * TICK_MS
    return found


@contextmanager
def environment(**names: str) -> Iterator[None]:
    """Variables for the processes that are started in the block."""
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def run(args: argparse.Namespace, url: str | None, folder: Path, *, sampled: bool) -> Run:
    counts, postgres = folder / "counts", str(make_url(url).query.get("host", "")) if url else ""
    counts.mkdir(parents=True)
    names = {"OCRELAY_DATABASE_URL": url} if url else {}
    if sampled:
        path = os.pathsep.join([str(SAMPLED), *filter(None, [os.environ.get("PYTHONPATH")])])
        names |= {"PYTHONPATH": path, "COST_FOLDER": str(counts)}
    data = folder / "data"
    with environment(**names), log_of(data), running(data, args.workers) as server:
        through_the_service(server, args.layout, CASES[args.layout], 40, args.clients)  # warm
        (counts / "go").touch()
        time.sleep(0.3)
        before = spent_ms(postgres)
        spent, seconds = through_the_service(server, args.layout, CASES[args.layout], args.jobs, args.clients)
        cpu: Counter[str] = Counter()
        kinds = {}
        for pid, (kind, now) in spent_ms(postgres).items():
            cpu[kind] += (now - before.get(pid, (kind, 0.0))[1]) / (args.jobs + args.clients)
            kinds[pid] = kind
        (counts / "go").unlink()
        time.sleep(1)
    stages, functions = read_counts(counts, kinds)
    return Run(dict(cpu), stages, functions, args.jobs / seconds, spent)


def read_counts(counts: Path, kinds: dict[int, str]) -> tuple[dict[str, Counter[str]], dict[str, Counter[str]]]:
    stages: dict[str, Counter[str]] = defaultdict(Counter)
    functions: dict[str, Counter[str]] = defaultdict(Counter)
    for file in counts.glob("*.stacks"):
        kind = kinds.get(int(file.stem), "up")
        for line in file.read_text().splitlines():
            spent, _, text = line.partition(" ")
            stack = text.split(";")
            stages[kind][stage_of([short(frame, ROOT) for frame in stack])] += int(spent)
            ours = next((short(frame, ROOT) for frame in stack if is_ours(frame, ROOT)), "none of ours")
            functions[kind][f"{ours} | {short(stack[0], ROOT)}"] += int(spent)
    return stages, functions


def report(name: str, plain: Run, sampled: Run, functions: int) -> None:
    total = outside = 0.0
    for process in PROCESSES:
        if process not in plain.cpu_ms:
            continue
        cpu = plain.cpu_ms[process]
        total += cpu
        print(f"| {name} | **{process}** | | **{cpu:.2f}** |")
        stages = sampled.stages.get(process, Counter())
        own = stages.pop("(the bench itself)", 0)
        whole = sum(stages.values())
        for stage, spent in stages.most_common():
            print(f"| {name} | {process} | {stage} | {cpu * spent / whole:.2f} |")
        outside += cpu * (1 - stages[READING] / whole) if whole else cpu
        if functions:
            for function, spent in sampled.functions[process].most_common(functions):
                print(f"    {cpu * spent / (whole + own):.3f} {function}")
    print(f"| {name} | **all** | | **{total:.2f}** |")
    print(f"| {name} | **all but the reading** | | **{outside:.2f}** |")
    times = plain.milliseconds
    print(f"\n{name}: {plain.pace:.1f} jobs a second, {median(times):.0f} ms, 95 % {percentile(times, 0.95):.0f} ms\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="CPU time of a job by process and stage.")
    parser.add_argument("--jobs", type=int, default=400)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--layout", choices=sorted(CASES), default="line")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--functions", type=int, default=0, help="show so many functions of each process, too")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, postgres_server(durable=True) as server:
        for name in ("sqlite", "postgresql") if args.database == "both" else (args.database,):
            shown = f"SQLite, {journal_mode()}" if name == "sqlite" else "PostgreSQL"
            runs = [
                run(
                    args,
                    None if name == "sqlite" else server.new_database(),
                    Path(folder) / f"{name}-{sampled}",
                    sampled=sampled,
                )
                for sampled in (False, True)
            ]
            print("| database | process | stage | ms of CPU a job |\n|---|---|---|---|")
            report(shown, *runs, args.functions)


if __name__ == "__main__":
    main()
