"""Says where the CPU time of this process goes. Python imports it by its name, for `tests.bench.cost`.

A thread looks at every thread of the process a few hundred times a second, and adds the CPU time that the kernel has
counted for each since the last look (`/proc/self/task/TID/schedstat`, nanoseconds) to what it is doing now. Threads of
libraries, and time that was spent between two looks at something else, are rough; sums over thousands of looks are not.
It counts while the file `go` lies in the folder, and leaves its counts there: a line for each stack, leaf first.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType

LOOK_SECONDS = 0.003
SWITCH_SECONDS = 0.0005
"""Threads take turns so often, so that looks do not fall only where somebody waits for the disk."""
NATIVE = "native"
ITSELF = "sampler"
DEPTH = 60

Stack = tuple[CodeType | str, ...]


class Sampler:
    """The counts of one process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._spent: Counter[Stack] = Counter()
        self._files: dict[int, int] = {}
        self._before: dict[int, int] = {}

    def run(self) -> None:
        while True:
            if not (self._folder / "go").exists():
                self._end()
                time.sleep(0.1)
                continue
            sys.setswitchinterval(SWITCH_SECONDS)
            until = time.monotonic() + 0.2
            while time.monotonic() < until:
                self._look()
                time.sleep(LOOK_SECONDS)

    def _look(self) -> None:
        mine = threading.get_native_id()
        frames = sys._current_frames()
        by_thread = {thread.native_id: frames.get(thread.ident or 0) for thread in threading.enumerate()}
        by_thread[os.getpid()] = frames.get(threading.main_thread().ident or 0)  # after a fork it has another number
        for folder in Path("/proc/self/task").iterdir():
            number = int(folder.name)
            spent = self._spent_by(number)
            if spent:
                stack = (ITSELF,) if number == mine else stack_of(by_thread.get(number))
                self._spent[stack] += spent

    def _spent_by(self, thread: int) -> int:
        try:
            if thread not in self._files:
                self._files[thread] = os.open(f"/proc/self/task/{thread}/schedstat", os.O_RDONLY)
            now = int(os.pread(self._files[thread], 64, 0).split()[0])
        except OSError:
            self._forget(thread)
            return 0
        before = self._before.get(thread, now)
        self._before[thread] = now
        return now - before

    def _forget(self, thread: int) -> None:
        if thread in self._files:
            os.close(self._files.pop(thread))
        self._before.pop(thread, None)

    def _end(self) -> None:
        self._before.clear()
        if self._spent:
            lines = (f"{spent} {';'.join(map(named, stack))}\n" for stack, spent in self._spent.items())
            target = self._folder / f"{os.getpid()}.stacks"
            target.with_suffix(".part").write_text("".join(lines))
            target.with_suffix(".part").replace(target)


def stack_of(frame: FrameType | None) -> Stack:
    """What a thread is doing, leaf first."""
    found: list[CodeType] = []
    while frame is not None and len(found) < DEPTH:
        found.append(frame.f_code)
        frame = frame.f_back
    return tuple(found) or (NATIVE,)


def named(part: CodeType | str) -> str:
    return part if isinstance(part, str) else f"{part.co_filename}:{part.co_name}"


def begin() -> None:
    """In every process, and again after a fork, which no thread survives."""
    threading.Thread(target=Sampler(Path(os.environ["COST_FOLDER"])).run, name=ITSELF, daemon=True).start()


if "COST_FOLDER" in os.environ:
    os.register_at_fork(after_in_child=begin)
    begin()
