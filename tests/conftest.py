"""Fixtures for every room: databases, brokers, a tiny model."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from shared.database import Database
from shared.jobs import Submission
from shared.migrations import migrate
from tests import in_memory, services, tiny_model

SHA256 = "ab" * 32


def pytest_configure() -> None:
    """Temporary folders lie in memory where there is room, unless PYTEST_DEBUG_TEMPROOT or --basetemp say where."""
    if folder := in_memory.folder():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))


@pytest.fixture(scope="session", autouse=True)
def no_installed_models(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test depends on what is installed on its machine, nor does a process that it starts."""
    os.environ["OCRELAY_MODELS_DIR"] = str(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session", autouse=True)
def logs_apart() -> None:
    """Log lines of code under test go to pytest, not into the output of a command that runs in the same process."""
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.stdlib.render_to_log_kwargs],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    database.close()
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[services.Postgres]:
    """A real PostgreSQL server."""
    with services.postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_postgres(postgres: services.Postgres) -> Iterator[str]:
    """URL of a migrated database, to be used as a template."""
    url = postgres.new_database()
    database = Database(url)
    migrate(database)
    database.close()
    yield url
    postgres.drop_database(url)


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """URL of a fresh, migrated SQLite file."""
    path = tmp_path / "ocrelay.sqlite3"
    shutil.copy(migrated_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres: services.Postgres, migrated_postgres: str) -> Iterator[str]:
    """URL of a fresh, migrated PostgreSQL database."""
    url = postgres.new_database(template=migrated_postgres.split("?", maxsplit=1)[0].rsplit("/", 1)[1])
    yield url
    postgres.drop_database(url)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each database in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Each database in turn, fresh and migrated."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def start_broker(tmp_path: Path) -> Iterator[Callable[[str], services.BrokerServer]]:
    """Start a broker of a kind; all are killed at the end."""
    started: list[services.BrokerServer] = []

    def start(kind: str) -> services.BrokerServer:
        server = services.BrokerServer(services.broker_program(kind), tmp_path / f"broker-{len(started)}")
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.kill()


@pytest.fixture(scope="session")
def tiny_model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file that loads at once."""
    return tiny_model.write(tmp_path_factory.mktemp("model") / "tiny" / "model.onnx")


@pytest.fixture
def submission() -> Submission:
    """A submission of a document that nobody will read."""
    return Submission(
        sha256=SHA256,
        media_type="image/png",
        size_bytes=100,
        page_count=1,
        width=10,
        height=20,
        options={"layout": "line"},
        client_ip="127.0.0.1",
        reference="invoice 7",
    )
