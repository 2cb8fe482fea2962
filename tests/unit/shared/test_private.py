"""Everything under a data folder belongs to its user alone, whether it is new or was made by an earlier version."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import private
from shared.database import Database
from shared.migrations import migrate
from shared.uploads.blobs import Blobs


@pytest.fixture(autouse=True)
def everybody_may_read() -> Iterator[None]:
    """As most machines are set, whatever runs the tests."""
    mask = os.umask(0o022)
    yield
    os.umask(mask)


def open_to_others(folder: Path) -> list[Path]:
    found = [folder, *folder.rglob("*")]
    return [path for path in found if stat.S_IMODE(path.lstat().st_mode) & 0o077]


def test_a_new_folder_is_its_users_alone(tmp_path: Path) -> None:
    private.keep_private()
    folder = tmp_path / "data"
    database = Database(f"sqlite:///{folder / 'ocrelay.sqlite3'}")
    migrate(database)
    Blobs(folder / "blobs").put(b"text")
    assert open_to_others(folder) == []
    database.close()


def test_a_database_is_private_whatever_the_mask_of_the_process_is(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'data' / 'ocrelay.sqlite3'}")
    migrate(database)
    assert open_to_others(tmp_path / "data") == []
    database.close()


def test_an_old_folder_is_mended_and_counted_once(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "blobs" / "ab").mkdir(parents=True)
    (folder / "broker" / "appendonlydir").mkdir(parents=True)
    for name in (
        "ocrelay.sqlite3",
        "ocrelay.sqlite3-wal",
        "up.lock",
        "broker/broker.conf",
        "blobs/ab/abc",
        "sweeper-x",
    ):
        (folder / name).write_bytes(b"x")
    count = len(open_to_others(folder))
    assert count == 11
    assert private.mend(folder) == count
    assert open_to_others(folder) == []
    assert private.mend(folder) == 0


def test_what_is_not_ours_stays_as_it_is(tmp_path: Path) -> None:
    other, target = tmp_path / "notes.txt", tmp_path / "elsewhere"
    other.touch()
    target.touch()
    (tmp_path / "blobs").symlink_to(target)
    private.mend(tmp_path)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (other, target)} == {0o644}
