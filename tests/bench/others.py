"""How much of the machine others use while something is measured, so that one that was disturbed is known (Linux)."""

from __future__ import annotations

import os
import time
from pathlib import Path

TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
IDLE, WAITING = 3, 4
"""Columns of /proc/stat that nobody uses."""


class Others:
    """From its making on."""

    def __init__(self) -> None:
        self._began = time.monotonic(), machine_seconds(), own_seconds()

    def cores(self) -> float:
        """Cores that processes which do not descend from this one have used since, on average."""
        began, machine, own = self._began
        used = (machine_seconds() - machine) - sum(spent - own.get(pid, 0.0) for pid, spent in own_seconds().items())
        return max(0.0, used / (time.monotonic() - began))


def machine_seconds() -> float:
    """CPU time of the whole machine so far."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(fields) - fields[IDLE] - fields[WAITING]) * TICK_SECONDS


def own_seconds() -> dict[int, float]:
    """CPU time of this process and all below it that live, by process id."""
    parents, spent = {}, {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:  # it ended just now
                continue
            parents[int(folder.name)] = int(fields[1])
            spent[int(folder.name)] = (int(fields[11]) + int(fields[12])) * TICK_SECONDS
    below = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in below} - below:
        below |= more
    return {pid: spent[pid] for pid in below if pid in spent}
