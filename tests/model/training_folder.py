"""A small training folder, and the commands of training."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / "models" / "training" / "packages-smoke.txt"


def run(*arguments: str) -> str:
    """Run a module of ours; return what it printed."""
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def make() -> Path:
    """Fetch a few fonts and texts into build/, where a second run finds them.

    Of the processes that share a run of tests, the first makes it: its texts are not written anew under the others.
    """
    place = ROOT / "build" / "training-smoke"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "made-for").open("a+") as made_for:
        fcntl.flock(made_for, fcntl.LOCK_EX)
        made_for.seek(0)
        this_run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
        if this_run is None or made_for.read() != this_run:
            _fill(place)
            made_for.truncate(0)
            made_for.write(this_run or "")
    return place


def _fill(place: Path) -> None:
    run("models.training.fetch_packages", str(place), "--list", str(PACKAGES))
    run("models.training.corpus", str(place))
