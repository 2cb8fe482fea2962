"""The health checks of containers: they must be able to fail."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from shared import workers
from shared.cli import main
from shared.database import Database


@pytest.fixture
def run(sqlite_url: str, tmp_path: Path) -> CliRunner:
    return CliRunner(env={"OCRELAY_DATABASE_URL": sqlite_url, "OCRELAY_DATA_DIR": str(tmp_path)})


def register(url: str, host: str) -> None:
    database = Database(url)
    with database.write() as connection:
        workers.register(connection, node="n", host=host, pid=1, model={"name": "m", "version": "1", "sha256": "0"})
    database.close()


def test_a_worker_is_healthy_while_a_child_of_this_host_lives(run: CliRunner, sqlite_url: str) -> None:
    assert run.invoke(main, ["worker", "--check"]).exit_code == 1
    register(sqlite_url, "elsewhere")
    assert "Look into the worker's log" in run.invoke(main, ["worker", "--check"]).output
    register(sqlite_url, socket.gethostname())
    assert run.invoke(main, ["worker", "--check"]).exit_code == 0


def test_a_sweeper_is_healthy_while_it_does_its_rounds(run: CliRunner, tmp_path: Path) -> None:
    sign = tmp_path / f"sweeper-{socket.gethostname()}"
    assert run.invoke(main, ["sweeper", "--check"]).exit_code == 1
    sign.touch()
    assert run.invoke(main, ["sweeper", "--check"]).exit_code == 0
    os.utime(sign, (1, 1))
    silent = run.invoke(main, ["sweeper", "--check"])
    assert silent.exit_code == 1 and "the last round was" in silent.output
