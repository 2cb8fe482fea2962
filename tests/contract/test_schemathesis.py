"""Every call of the OpenAPI document against the real service, by schemathesis: all checks, all phases, bounded.

The long form is in docs/security.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import keys
from shared.audit.actor import OPERATOR
from shared.database import Database
from shared.keys.record import Scope
from shared.migrations import migrate
from shared.settings import Settings
from tests.contract.calls.run import run
from tests.services import Process, wait_until

EXAMPLES = 8
SEED = 20261121


@pytest.fixture
def settings(tmp_path: Path, tiny_model_path: Path) -> Settings:
    return Settings.load(
        data_dir=tmp_path / "data", model=str(tiny_model_path), port=0, workers=1, api_processes=1,
        wait_limit_seconds=2, sync_wait_seconds=5, webhook_allowed_networks="127.0.0.1",
        wrong_keys_per_minute=1_000_000,  # many are tried, and 401 is what they must get
    )  # fmt: skip


@pytest.fixture(params=["without keys", "with a key"])
def headers(request: pytest.FixtureRequest, settings: Settings) -> list[str]:
    """What each request carries; a server without keys needs nothing."""
    if request.param == "without keys":
        return []
    settings.data_dir.mkdir()
    database = Database(settings.database)
    migrate(database)
    with database.write() as connection:
        _, text = keys.create(connection, name="schemathesis", scopes=[Scope.ADMIN], actor=OPERATOR)
    database.close()
    return [f"Authorization: Bearer {text}"]


@pytest.fixture
def url(settings: Settings, headers: list[str], tmp_path: Path) -> Iterator[str]:
    """The service; the key must be there before it starts."""
    up = Process(settings, "up", output=tmp_path / "up.log")
    wait_until(lambda: "ready http" in up.said or up.status is not None, seconds=90, what="ready")
    assert up.status is None, up.said
    yield next(line for line in up.said.splitlines() if line.startswith("ready ")).split()[1]
    up.end()


def test_every_call_answers_as_its_document_says(url: str, headers: list[str], tiny_model_path: Path) -> None:
    done = run(url, examples=EXAMPLES, seed=SEED, model=tiny_model_path.stem, headers=headers)
    short = "\n".join(line[:400] for line in done.stdout.splitlines())
    assert done.returncode == 0, short + done.stderr
    assert "Stateful" in done.stdout
