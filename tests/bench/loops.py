"""The same pipeline called in-process, by as many processes at once as there are worker children: a loop in each.

It reads with what a worker child reads with: the installed stronger model reads again what leaves a doubt, as
OCRELAY_QUALITY says.

python -m tests.bench.loops LAYOUT IMAGE      (reads a line with a number of seconds, answers with one of numbers)
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import models
from models import detector
from shared.settings import Settings
from worker.models.equipment import find_stronger, prepare_libraries
from worker.ocr.pipeline import Options, recognize_document

WARM = 3


class Loops:
    """Processes that are ready to read one image again and again."""

    def __init__(self, processes: list[subprocess.Popen[str]]) -> None:
        self._processes = processes

    def run(self, seconds: float, *, count: int | None = None) -> tuple[float, list[float]]:
        """Let the first `count` of them (all, if None) read for so long.

        Returns:
            Documents a second of them together, and the milliseconds of each document.
        """
        busy = self._processes[:count]
        for process in busy:
            told(process.stdin).write(f"{seconds}\n")
            told(process.stdin).flush()
        pace, milliseconds = 0.0, []
        for process in busy:
            spent = [float(number) for number in told(process.stdout).readline().split()]
            pace += len(spent) / (sum(spent) / 1000)
            milliseconds += spent
        return pace, milliseconds


def told(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


@contextmanager
def loops(layout: str, image: Path, count: int) -> Iterator[Loops]:
    """So many processes with a warm model each, until the block ends."""
    command = [sys.executable, "-m", "tests.bench.loops", layout, str(image)]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for _ in range(count)
        ]
        for process in processes:
            assert told(process.stdout).readline() == "ready\n"
        yield Loops(processes)
        for process in processes:
            told(process.stdin).close()


def main(layout: str, image: Path) -> None:
    prepare_libraries()
    settings = Settings.load()
    recognizer, finder, stronger = models.load(), detector.load(), find_stronger(settings)
    content = image.read_bytes()
    options = Options(layout=layout, quality=settings.quality)  # type: ignore[arg-type]

    def read() -> float:
        started = time.perf_counter()
        recognize_document(content, recognizer, options, detector=finder, stronger=stronger.load if stronger else None)
        return (time.perf_counter() - started) * 1000

    for _ in range(WARM):
        read()
    print("ready", flush=True)
    for line in sys.stdin:
        until = time.perf_counter() + float(line)
        spent = [read()]
        while time.perf_counter() < until:
            spent.append(read())
        print(*(f"{one:.3f}" for one in spent), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
