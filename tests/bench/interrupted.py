"""A folder read by `ocrelay submit --output --resume` while the service and the command die and a limit holds it up.

    python -m tests.bench.interrupted FOLDER [--images 400] [--limit 120]

FOLDER holds images, however deep. The server takes so many submissions a minute of one address. When a quarter of them
is accepted it is stopped and started again; at a half it is killed with -9, with all that belongs to it, and started
again; at seven tenths the command is killed with -9 and given again. Then every image must have one output and one job,
and nothing may have been printed twice. Ends with 1 where that is not so.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

from shared import clock
from shared.jobs import Job, State, list_jobs
from shared.settings import Settings
from tests.e2e.test_service import System
from tests.e2e.test_up import descendants
from tests.ports import free_port
from tests.services import wait_until

ENDINGS = (".png", ".jpg", ".jpeg")
STOP_AT, KILL_SERVICE_AT, KILL_COMMAND_AT = 0.25, 0.5, 0.7  # of the images
SECONDS = 3600.0


class Trial:
    """The service, the command, and the folder that it reads."""

    def __init__(self, folder: Path, images: list[Path], limit: int) -> None:
        self._folder = folder
        self.scans, self.texts = folder / "scans", folder / "texts"
        for number, image in enumerate(images):
            place = self.scans / f"{number % 7}" / f"{number:04}-{image.name}"
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(image, place)
        self._settings = Settings.load(
            data_dir=folder / "data",
            port=free_port(),
            workers=2,
            api_processes=1,
            submit_limit_per_ip=f"{limit}/minute",
        )
        self._starts = itertools.count()
        self.outputs: list[Path] = []
        self.system = self._start()

    def _start(self) -> System:
        return System(self._settings, self._folder, f"up-{next(self._starts)}")

    def end(self) -> None:
        self.system.end()

    def jobs(self) -> list[Job]:
        with self.system.database.read() as connection:
            return list_jobs(connection, limit=10_000)

    def command(self) -> subprocess.Popen[bytes]:
        """`ocrelay submit`, begun or gone on with; what it prints goes into files."""
        printed, told = (self._folder / f"command-{len(self.outputs)}.{kind}" for kind in ("out", "err"))
        self.outputs.append(printed)
        line = [sys.executable, "-m", "shared.cli", "submit", self.scans, "--output", self.texts, "--resume"]
        with printed.open("wb") as out, told.open("wb") as err:
            return subprocess.Popen([*line, "--server", self.system.url, "--jobs", "8"], stdout=out, stderr=err)

    def wait_for(self, count: int) -> None:
        wait_until(lambda: len(self.jobs()) >= count, seconds=SECONDS, what=f"{count} jobs")

    def restart(self) -> None:
        """In order."""
        self.system.up.signal(signal.SIGTERM)
        self.system.up.wait()
        self.system.end()
        self.system = self._start()

    def kill_service(self) -> None:
        """`up` and all below it, at once."""
        for pid in (self.system.up.pid, *descendants(self.system.up.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.system.end()
        self.system = self._start()


def measure(folder: Path, count: int, limit: int) -> bool:
    """Go through all of it; print what happened and what came out."""
    images = sorted(path for path in folder.rglob("*") if path.suffix in ENDINGS)[:count]
    count, started = len(images), clock.monotonic()

    def say(text: str) -> None:
        print(f"{clock.monotonic() - started:6.0f} s  {text}", flush=True)

    with tempfile.TemporaryDirectory() as scratch:
        trial = Trial(Path(scratch), images, limit)
        try:
            command = trial.command()
            say(f"{count} images, {limit} submissions a minute")
            trial.wait_for(round(STOP_AT * count))
            say(f"{len(trial.jobs())} accepted: the service is stopped and started")
            trial.restart()
            trial.wait_for(round(KILL_SERVICE_AT * count))
            say(f"{len(trial.jobs())} accepted: the service is killed with -9 and started")
            trial.kill_service()
            trial.wait_for(round(KILL_COMMAND_AT * count))
            say(f"{len(trial.jobs())} accepted: the command is killed with -9 and given again")
            command.kill()
            command.wait()
            command = trial.command()
            status = command.wait(SECONDS)
            say(f"the command ended with status {status}")
            return is_whole(trial, count, status)
        finally:
            trial.end()


def is_whole(trial: Trial, count: int, status: int) -> bool:
    """Account for every image, and say what is wrong."""
    jobs = trial.jobs()
    files = [path.relative_to(trial.texts) for path in trial.texts.rglob("*") if path.is_file()]
    named = Counter(job.filename for job in jobs)
    printed = Counter(line for output in trial.outputs for line in output.read_text().splitlines())
    found = {
        "outputs": (len(files), count),
        "jobs": (len(jobs), count),
        "jobs that succeeded": (sum(job.state == State.SUCCEEDED for job in jobs), count),
        "documents with two jobs": (sum(many > 1 for many in named.values()), 0),
        "lines printed twice": (sum(many > 1 for many in printed.values()), 0),
        "status": (status, 0),
    }
    for what, (got, wanted) in found.items():
        print(f"{what:24} {got:5}, wanted {wanted}: {'kept' if got == wanted else 'MISSED'}")
    print(f"{'lines printed':24} {len(printed):5}")
    for output in trial.outputs:
        told = output.with_suffix(".err").read_text().splitlines()
        print(f"{output.stem} told, in {len(told)} lines, at last: {told[-1] if told else 'nothing'}")
    return all(got == wanted for got, wanted in found.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--limit", type=int, default=120)
    given = parser.parse_args()
    raise SystemExit(0 if measure(given.folder, given.images, given.limit) else 1)


if __name__ == "__main__":
    main()
