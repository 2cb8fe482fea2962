"""What killed servers left in the temporary folder goes, and nothing that somebody uses."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from shared import leftovers


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_folders_of_processes_that_are_gone_are_removed(temporary: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = temporary / f"ocrelay-metrics-{os.getuid()}-{gone.pid}-abc"
    other = temporary / "ocrelay-metrics-of-somebody"
    for folder in (left, other):
        folder.mkdir()
    first, second = (leftovers.folder_of_this_process("metrics") for _ in range(2))
    assert not left.exists() and other.exists() and first.exists() and second.exists()


def test_only_sockets_that_nobody_listens_at_are_removed() -> None:
    with tempfile.TemporaryDirectory(prefix="o-") as short:
        folders = [Path(short) / f"ocrelay-{os.getuid()}-{character * 12}" for character in "abcd"]
        deaf, heard, kept, _ = folders
        for folder in folders:
            folder.mkdir()
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(heard / "broker.sock"))
            listening.listen()
            for folder in (deaf, heard, kept):
                os.utime(folder, (1, 1))
            leftovers.remove_deaf_sockets(Path(short), kept)
        assert [folder.exists() for folder in folders] == [False, True, True, True]
