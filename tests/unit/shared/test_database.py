"""Which databases are taken, and in which mode."""

from __future__ import annotations

import pytest

from shared import errors
from shared.database import Database, wal_is_safe


@pytest.mark.parametrize(
    "url", ["mysql://root@localhost/x", "sqlite://", "sqlite:///:memory:", "oracle://x", "not a url", "http://x"]
)
def test_other_databases_are_refused_with_the_way_out(url: str) -> None:
    with pytest.raises(errors.InvalidConfiguration, match="sqlite:///FILE"):
        Database(url)


@pytest.mark.parametrize("url", ["postgres://u@h/db", "postgresql://u@h/db", "postgresql+psycopg://u@h/db"])
def test_the_usual_spellings_of_postgresql_are_taken(url: str) -> None:
    assert not Database(url).is_sqlite


def test_a_password_is_not_shown_in_the_refusal() -> None:
    with pytest.raises(errors.InvalidConfiguration) as refused:
        Database("mysql://root:secret@localhost/x")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("version", [(3, 51, 3), (3, 52, 0), (3, 50, 7), (3, 50, 9), (3, 44, 6), (4, 0, 0)])
def test_wal_is_used_where_sqlite_is_repaired(version: tuple[int, int, int]) -> None:
    assert wal_is_safe(version)


@pytest.mark.parametrize("version", [(3, 40, 1), (3, 44, 5), (3, 45, 0), (3, 50, 6), (3, 51, 0), (3, 51, 2)])
def test_wal_is_not_used_where_sqlite_may_corrupt_the_file(version: tuple[int, int, int]) -> None:
    assert not wal_is_safe(version)


def test_a_reader_cannot_write(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with pytest.raises(errors.DatabaseUnavailable, match=r"."), database.read() as connection:
        connection.exec_driver_sql("DELETE FROM jobs")
    database.close()
