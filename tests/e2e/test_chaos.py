"""The promise, in a storm: no accepted job is lost, none ends twice, no delivery is dropped. `make chaos` is longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.chaos.storm import SYSTEMS, Storm, run


@pytest.mark.parametrize("kind", SYSTEMS)
def test_everything_is_accounted_for_after_a_storm(kind: str, tmp_path: Path, tiny_model_path: Path) -> None:
    report = run(kind, Storm(seed=1, jobs=160, seconds=30), tmp_path, tiny_model_path)
    print(report)
    assert report.is_good, str(report)
    assert len(report.diary.accepted) == 160
    assert report.harms.keys() >= {"worker", "worker child", "api", "sweeper", "broker", "broker flushed"}
    assert report.job_attempts["poison"].keys() == {4}, "all of the poison was tried as often as allowed"
