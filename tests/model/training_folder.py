"""A small training folder, and the commands of training."""

from __future__ import annotations

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
    """Fetch a few fonts and texts into build/, where a second run finds them."""
    place = ROOT / "build" / "training-smoke"
    run("models.training.fetch_packages", str(place), "--list", str(PACKAGES))
    run("models.training.corpus", str(place))
    return place
