"""`python -m tests.e2e.chaos`: the long form of the chaos test. Prints its seed and what came of it."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from pathlib import Path

from tests import tiny_model
from tests.e2e.chaos.storm import SYSTEMS, Storm, run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--jobs", type=int, default=600)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--on", choices=[*SYSTEMS, "both"], default="both")
    chosen = parser.parse_args()
    storm = Storm(chosen.seed, chosen.jobs, chosen.seconds)
    is_good = True
    for kind in SYSTEMS if chosen.on == "both" else [chosen.on]:
        folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        print(f"seed {storm.seed}, {kind}: {storm.jobs} jobs; logs in {folder} if it goes wrong", flush=True)
        report = run(kind, storm, folder, tiny_model.write(folder / "tiny" / "model.onnx"))
        print(report, flush=True)
        is_good = is_good and report.is_good
        if report.is_good:
            shutil.rmtree(folder)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
