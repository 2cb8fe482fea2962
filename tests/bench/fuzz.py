"""Odd uploads, changed at random, against the header checks and the decoder, in a process of its own.

    python -m tests.bench.fuzz --minutes 10 --seed 1

What counts as found: the process dies, one file takes SLOW_SECONDS of the processor's time or HANG_SECONDS of the
clock's, the process grows beyond MOST_BYTES, or an exception comes out that is no DocumentError. Such files are kept in
build/fuzz. The exit status is 1 if there are any.
"""

from __future__ import annotations

import collections
import hashlib
import multiprocessing
import os
import random
import resource
import sys
import time
import traceback
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

import click

HANG_SECONDS = 20
SLOW_SECONDS = 2
MOST_BYTES = 1 << 30
LARGEST_SEED_BYTES = 300_000
FOUND = Path("build/fuzz")


def work(seed: int, minutes: float, current: str, began: Synchronized[float], results: Any) -> None:
    """Change, look, decode, until the time is over; the file in hand lies in `current`."""
    os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = "4000000"
    os.environ["OPENCV_LOG_LEVEL"] = "SILENT"
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libpng's and libjpeg's remarks
    from shared import errors
    from shared.limits import Limits
    from shared.uploads.header import inspect
    from tests.malformed import corpus
    from tests.malformed.mutate import mutated
    from worker.ocr.decode.pages import decode_pages
    from worker.ocr.decode.pdf import LayerPage

    limits = Limits(max_pixels=4_000_000)
    chance = random.Random(seed)
    seeds = [case.content for case in corpus.cases() if len(case.content) <= LARGEST_SEED_BYTES]
    outcomes: collections.Counter[str] = collections.Counter()
    slowest = 0.0
    deadline = time.monotonic() + minutes * 60
    file = os.open(current, os.O_RDWR | os.O_CREAT)
    while time.monotonic() < deadline:
        content = mutated(chance.choice(seeds), seeds, chance)
        os.pwrite(file, content, 0)
        os.ftruncate(file, len(content))
        began.value, started = time.monotonic(), time.process_time()
        try:
            inspect(content, limits)
            for page in decode_pages(content, limits, text_layer="auto" if chance.random() < 0.5 else "ignore"):
                assert isinstance(page, LayerPage) or (page.gray.ndim == 2 and page.gray.size <= limits.max_pixels)
            outcome = "succeeded"
        except errors.DocumentError as error:
            outcome = error.code
        except Exception:  # noqa: BLE001  (this is what is looked for)
            outcome = "UNDOCUMENTED"
            results.put(("undocumented", content, traceback.format_exc()))
        outcomes[outcome] += 1
        seconds = time.process_time() - started
        slowest = max(slowest, seconds)
        if seconds > SLOW_SECONDS:
            results.put(("slow", content, f"{seconds:.1f} s"))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        if peak > MOST_BYTES:
            results.put(("memory", content, f"{peak >> 20} MiB"))
            break
    began.value = 0.0
    results.put(("done", dict(outcomes), (slowest, peak >> 20)))


def keep(kind: str, content: bytes, why: str) -> None:
    """Store what was found."""
    FOUND.mkdir(parents=True, exist_ok=True)
    name = FOUND / f"{kind}-{hashlib.sha256(content).hexdigest()[:12]}"
    name.write_bytes(content)
    click.echo(f"{kind}: {name} ({len(content)} bytes)\n{why}")


def one_process(seed: int, minutes: float) -> tuple[collections.Counter[str], int, float, int]:
    """Let one process work; return outcomes, how much was found, the slowest file in seconds, and the peak in MiB."""
    current = f"/tmp/ocrelay-fuzz-{os.getpid()}"
    began: Synchronized[float] = multiprocessing.Value("d", 0.0)
    results: Any = multiprocessing.Queue()
    process = multiprocessing.Process(target=work, args=(seed, minutes, current, began, results))
    process.start()
    outcomes: collections.Counter[str] = collections.Counter()
    found, slowest, peak, is_done = 0, 0.0, 0, False
    while process.is_alive() or not results.empty():
        if results.empty():
            time.sleep(0.2)
            if began.value and time.monotonic() - began.value > HANG_SECONDS:
                keep("hang", Path(current).read_bytes(), f"longer than {HANG_SECONDS} s")
                found += 1
                process.kill()
                break
            continue
        kind, first, second = results.get()
        if kind == "done":
            outcomes.update(first)
            slowest, peak = second
            is_done = True
        else:
            keep(kind, first, second)
            found += 1
    process.join()
    if not is_done and process.exitcode:
        keep("crash", Path(current).read_bytes(), f"exit status {process.exitcode}")
        found += 1
    Path(current).unlink(missing_ok=True)
    return outcomes, found, slowest, peak


@click.command()
@click.option("--minutes", default=10.0, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(minutes: float, seed: int) -> None:
    """Fuzz for some minutes, going on with another seed after each find."""
    total: collections.Counter[str] = collections.Counter()
    found, slowest, peak, run = 0, 0.0, 0, 0
    deadline = time.monotonic() + minutes * 60
    while (left := (deadline - time.monotonic()) / 60) > 0.02:
        outcomes, new, slow, memory = one_process(seed + run * 1000, min(left, 2.0))
        total.update(outcomes)
        found, slowest, peak, run = found + new, max(slowest, slow), max(peak, memory), run + 1
    count = sum(total.values())
    click.echo(f"{count} files in {minutes:g} minutes, seed {seed}: {found} found")
    click.echo(f"slowest {slowest:.2f} s, peak {peak} MiB")
    for outcome, times in total.most_common():
        click.echo(f"{times / max(count, 1):7.2%}  {outcome}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
