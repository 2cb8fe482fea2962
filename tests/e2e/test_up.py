"""``ocrelay up``: everything from one command, on a folder of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.settings import Settings
from shared.up import address
from tests.services import Process, wait_until


def descendants(pid: int) -> dict[int, str]:
    """Processes below one, with their command lines."""
    found = subprocess.run(["ps", "-e", "-ww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
    rows = [line.split(None, 2) for line in found.stdout.splitlines()]
    below: dict[int, str] = {}
    grew = True
    while grew:
        new = {int(p): args for p, parent, args in rows if int(parent) in {pid, *below} and int(p) not in below}
        below |= new
        grew = bool(new)
    return {pid: re.sub(r"--lifeline \d+ ", "", args) for pid, args in below.items()}


def alive(pids: dict[int, str]) -> list[str]:
    """Those that still run, without those that are only waited for."""
    found = subprocess.run(["ps", "-e", "-o", "pid=,stat="], capture_output=True, text=True, check=True)
    running = {int(row.split()[0]) for row in found.stdout.splitlines() if not row.split()[1].startswith("Z")}
    return [args for pid, args in pids.items() if pid in running]


class Ups:
    """Starts ``ocrelay up``, any number of times."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self._settings = settings
        self._started: list[Process] = []

    def start(self) -> Process:
        arguments = ["up", "--data", str(self._folder / "data"), "--port", "0", "--workers", "1"]
        output = self._folder / f"up-{len(self._started)}.log"
        process = Process(self._settings, *arguments, output=output)
        self._started.append(process)
        return process

    def start_ready(self) -> Process:
        process = self.start()
        wait_until(lambda: "ready http" in process.said or process.status is not None, seconds=90, what="ready")
        assert process.status is None, process.said
        return process

    def end(self) -> None:
        for process in self._started:
            process.end()


@pytest.fixture
def ups(tmp_path: Path, tiny_model_path: Path) -> Iterator[Ups]:
    ups = Ups(tmp_path, Settings.load(data_dir=tmp_path / "data", model=str(tiny_model_path), api_processes=1))
    yield ups
    ups.end()


def test_up_serves_alone_and_stops_without_leaving_anything_behind(ups: Ups) -> None:
    first = ups.start_ready()
    assert len(re.findall(r"^ready http://127\.0\.0\.1:\d+$", first.said, re.MULTILINE)) == 1
    below = descendants(first.pid)
    assert len(below) >= 6, "leash and broker, api and its process, worker and its child, sweeper"

    second = ups.start()
    assert second.wait() == 1
    assert f"process {first.pid}" in second.said
    assert "--data" in second.said
    assert first.status is None

    first.signal(signal.SIGTERM)
    assert first.wait() == 0
    assert alive(below) == []


def test_its_folder_is_private_names_its_address_and_its_start_is_quiet(ups: Ups, tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "blobs" / "ab").mkdir(parents=True)  # as an earlier version made it
    for folder in (data, data / "blobs", data / "blobs" / "ab"):
        folder.chmod(0o755)
    up = ups.start_ready()
    said, ready = up.said, re.search(r"^ready (\S+)$", up.said, re.MULTILINE)
    assert ready is not None and address.read(data) == ready[1]
    assert "Others could read files" in said
    assert "overcommit" not in said and "SecurityWarning" not in said
    listed = cli("jobs", "list", "--data", str(data))
    assert (listed.returncode, listed.stdout, listed.stderr) == (0, "", "No job fits.\n")
    made = cli("keys", "create", "me", "--scope", "admin", "--data", str(data))
    assert made.returncode == 0 and made.stdout.startswith("ocr_") and str(data) in made.stderr
    refused = cli("jobs", "list", "--data", str(data), "--server", "")
    assert refused.returncode == 2
    wait_until(lambda: cli("jobs", "list", "--data", str(data)).returncode == 4, what="the key is asked for")
    events = cli("audit", "list", "--data", str(data), "--api-key", made.stdout.strip(), "--json").stdout
    assert '"request.refused"' in events and '"missing_key"' in events
    elsewhere = cli("keys", "create", "lost", "--scope", "admin", "--data", str(tmp_path / "other"))
    assert elsewhere.returncode == 1 and not (tmp_path / "other").exists()
    assert [path for path in (data, *data.rglob("*")) if path.lstat().st_mode & 0o077 and not path.is_symlink()] == []
    up.signal(signal.SIGTERM)
    assert up.wait() == 0
    assert address.read(data) is None


def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command as a user types it."""
    command = [sys.executable, "-m", "shared.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_killed_hard_it_leaves_no_orphans_and_the_next_one_goes_on(ups: Ups) -> None:
    first = ups.start_ready()
    below = descendants(first.pid)
    first.signal(signal.SIGKILL)
    first.wait()
    second = ups.start_ready()
    assert alive(below) == []
    below = descendants(second.pid)
    second.signal(signal.SIGINT)  # Ctrl-C
    assert second.wait() == 0
    assert alive(below) == []


def test_what_dies_is_started_again(ups: Ups) -> None:
    up = ups.start_ready()

    def find(words: str) -> list[int]:
        return sorted(pid for pid, args in descendants(up.pid).items() if words in args)

    for words in ("valkey-server unixsocket", "shared.up.leash", "cli sweeper", "cli worker", "cli api"):
        before = find(words)
        assert before, words
        os.kill(before[0], signal.SIGKILL)
        wait_until(lambda words=words, before=before: set(find(words)) - set(before), what=f"a new {words}")
    assert up.status is None
    assert up.said.count("ready http") == 1


def test_a_port_that_is_taken_is_named(tmp_path: Path, tiny_model_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = Settings.load(data_dir=tmp_path / "data", port=port, model=str(tiny_model_path))
        up = Process(settings, "up", output=tmp_path / "up.log")
        assert up.wait() == 1
        up.end()
    assert f"port {port}" in up.said
    assert "--port" in up.said


def test_strangers_are_not_served_without_keys(tmp_path: Path) -> None:
    up = Process(Settings.load(data_dir=tmp_path / "data"), "up", "--host", "0.0.0.0", output=tmp_path / "up.log")
    assert up.wait() == 1
    assert "OCRELAY_ALLOW_REMOTE_WITHOUT_KEYS" in up.said
    up.end()


def test_a_model_that_is_missing_is_said_by_the_worker(tmp_path: Path) -> None:
    settings = Settings.load(data_dir=tmp_path / "data", model="no-such-model", port=0, workers=1)
    up = Process(settings, "up", output=tmp_path / "up.log")
    wait_until(lambda: "no-such-model" in up.said, what="the complaint")
    up.signal(signal.SIGTERM)
    assert up.wait() == 0
    assert "ocrelay doctor" in up.said
    assert "ready http" not in up.said
    up.end()
