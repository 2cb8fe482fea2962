"""What a job costs in SQL, as `tests.bench.overhead` counts it. Not how long it takes: that is for the bench."""

from __future__ import annotations

from pathlib import Path

from shared import keys
from shared.audit.actor import OPERATOR
from shared.database import Database
from shared.keys.record import Scope
from tests.bench import overhead

COSTS = {"submit": (5, 1), "claim": (2, 1), "finish": (3, 1), "poll": (1, 0)}


def test_a_job_costs_three_write_transactions_and_few_statements(database: Database, tmp_path: Path) -> None:
    assert costs(overhead.run(database, tmp_path, 3)) == COSTS


def test_a_key_makes_a_job_no_dearer(database: Database, tmp_path: Path) -> None:
    with database.write() as connection:
        _, text = keys.create(connection, name="test", scopes=[Scope.SUBMIT, Scope.READ], actor=OPERATOR)
    assert costs(overhead.run(database, tmp_path, 5, key=text)) == COSTS


def costs(steps: overhead.Steps) -> dict[str, tuple[int, int]]:
    """What each step usually costs; now and then one pays for what is done by time."""
    return {step: counted.most_common(1)[0][0] for step, counted in steps.statements.items()}
