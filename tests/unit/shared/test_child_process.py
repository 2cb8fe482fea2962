"""One process that a supervisor looks after, and the locks of a data folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import errors
from shared.up.child_process import ChildProcess
from shared.up.data_dir import DataDir
from tests.services import wait_until

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "open(sys.argv[1], 'w').close(); time.sleep(60)",
]


@pytest.fixture
def child() -> Iterator[ChildProcess]:
    child = ChildProcess("sleeper", SLEEP, dict(os.environ), ())
    yield child
    child.stop(timeout_seconds=0)


def members(group: int) -> list[int]:
    """Processes of a group, without those that are only waited for."""
    found = subprocess.run(["ps", "-e", "-o", "pgid=,stat=,pid="], capture_output=True, text=True, check=True)
    rows = [line.split() for line in found.stdout.splitlines()]
    return [int(pid) for pgid, stat, pid in rows if int(pgid) == group and not stat.startswith("Z")]


def test_a_child_that_dies_is_started_again_after_a_pause(child: ChildProcess) -> None:
    child.start()
    first = child.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_until(child.tend, what="noting the death")
    assert child.pid is None
    assert child.deaths == 1
    wait_until(lambda: child.tend() or child.pid, what="the new start")
    assert child.pid != first


def test_a_child_that_lives_is_left_alone(child: ChildProcess) -> None:
    child.start()
    pid = child.pid
    assert not child.tend()
    assert child.pid == pid


def test_a_child_that_is_stopped_stays_stopped(child: ChildProcess) -> None:
    child.start()
    child.stop(timeout_seconds=20)
    assert child.pid is None


def test_a_child_that_does_not_stop_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    started = tmp_path / "started"
    child = ChildProcess("stubborn", [*STUBBORN, str(started)], dict(os.environ), ())
    child.start()
    group = child.pid
    assert group is not None
    wait_until(started.exists, what="the start")
    assert len(members(group)) == 2
    child.stop(timeout_seconds=0.1)
    wait_until(lambda: members(group) == [], what="the end of the group")


def test_a_second_signal_ends_the_patience(tmp_path: Path) -> None:
    started = tmp_path / "started"
    child = ChildProcess("stubborn", [*STUBBORN, str(started)], dict(os.environ), ())
    child.start()
    wait_until(started.exists, what="the start")
    before = time.monotonic()
    child.stop(timeout_seconds=60, in_order=lambda: False)
    assert time.monotonic() - before < 30
    assert child.pid is None


def test_a_second_supervisor_refuses_and_names_the_first(tmp_path: Path) -> None:
    first = DataDir(tmp_path)
    first.take(wait_seconds=0)
    with pytest.raises(errors.AlreadyRunning, match=f"process {os.getpid()}"):
        DataDir(tmp_path).take(wait_seconds=0)
    first.give_back()


def test_a_folder_that_was_given_back_can_be_taken_again(tmp_path: Path) -> None:
    for _ in range(2):
        folder = DataDir(tmp_path)
        folder.take(wait_seconds=0)
        folder.give_back()


def test_a_supervisor_waits_for_the_children_of_a_killed_one(tmp_path: Path) -> None:
    first = DataDir(tmp_path)
    first.take(wait_seconds=0)
    orphan = subprocess.Popen(SLEEP, pass_fds=(first.family_lock,), stdout=subprocess.PIPE)
    assert orphan.stdout is not None
    orphan.stdout.readline()
    first.give_back()
    with pytest.raises(errors.AlreadyRunning, match="earlier"):
        second = DataDir(tmp_path)
        try:
            second.take(wait_seconds=0.1)
        finally:
            second.give_back()
    orphan.kill()
    orphan.communicate()
    third = DataDir(tmp_path)
    third.take(wait_seconds=60)
    third.give_back()
