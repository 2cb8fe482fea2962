"""What a job costs in SQL, as `tests.bench.overhead` counts it. Not how long it takes: that is for the bench."""

from __future__ import annotations

from pathlib import Path

from shared.database import Database
from tests.bench import overhead


def test_a_job_costs_three_write_transactions_and_few_statements(database: Database, tmp_path: Path) -> None:
    steps = overhead.run(database, tmp_path, 3)
    costs = {step: counted.most_common(1)[0][0] for step, counted in steps.statements.items()}
    assert costs == {"submit": (6, 1), "claim": (2, 1), "finish": (4, 1), "poll": (1, 0)}
