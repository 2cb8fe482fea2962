"""What was sent and what came back, beside the results: a line for each step, on the disk before the next one."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import click

ENDING = ".ocrelay-journal"
VERSION = 1
Step = Literal["sending", "sent", "done", "failed"]


def beside(output: Path | None) -> Path | None:
    """Where the journal of a folder of results lies: beside it, for the folder holds results and nothing else."""
    return None if output is None else output.absolute().with_name(f".{output.absolute().name}{ENDING}")


@dataclass(frozen=True)
class Entry:
    """Where one document stands.

    sha256: of the bytes that were sent. round: how often it was sent anew, under another key. job_id: once the server
    has answered. output: the file of the result; None: it was printed. message: why it failed.
    """

    step: Step
    sha256: str
    round: int = 0
    job_id: str | None = None
    output: str | None = None
    message: str | None = None


class Journal:
    """The journal of one run and of those that go on with it; threads may share it.

    A file of lines, each a JSON object. A line that a crash cut off is the last one, and counts as not written: the
    step that it told of is done again under the same Idempotency-Key, so that the server does it once.
    """

    def __init__(self, file: Path | None, *, resume: bool, restart: bool, made_of: Mapping[str, Any]) -> None:
        """Open the journal; None: keep it in memory.

        Args:
            file: Where it lies.
            resume: Go on with what is there.
            restart: Forget what is there.
            made_of: What must be the same in all runs of it: server, options, format.

        Raises:
            UsageError: Another command writes it; it is of other options; or it was not finished and neither was
                chosen.
        """
        self._file = file
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._descriptor: int | None = None
        self._run = secrets.token_hex(16)
        if file is None:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._open(file, resume=resume, restart=restart, made_of=made_of)
        except BaseException:
            self.close()
            raise

    def _open(self, file: Path, *, resume: bool, restart: bool, made_of: Mapping[str, Any]) -> None:
        assert self._descriptor is not None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise click.UsageError(f"Another `ocrelay submit` writes {file}. Wait for its end.") from None
        lines = _lines(file)
        begun = lines[0] if lines else None
        if begun is not None and not restart:
            if not isinstance(begun, dict) or begun.get("version") != VERSION:
                raise click.UsageError(f"{file} is of another version of ocrelay. Begin anew with --restart.")
            try:
                self._entries = {line["name"]: Entry(**line["entry"]) for line in lines[1:]}
            except (KeyError, TypeError) as error:
                raise click.UsageError(f"{file} is damaged. Begin anew with --restart.") from error
            is_open = any(entry.step != "done" for entry in self._entries.values())
            if resume:
                self._go_on(file, begun, made_of)
                return
            if is_open:
                raise click.UsageError(
                    f"An earlier run did not finish ({file}). Go on with it by --resume, or begin anew with --restart."
                )
            self._entries = {}
        os.ftruncate(self._descriptor, 0)
        self._append({"version": VERSION, "run": self._run, "made_of": dict(made_of)})

    def _go_on(self, file: Path, begun: dict[str, Any], made_of: Mapping[str, Any]) -> None:
        different = sorted(name for name in made_of if begun["made_of"].get(name) != made_of[name])
        if different:
            raise click.UsageError(
                f"The run in {file} had another {', '.join(different)}. Give the same, or begin anew with --restart."
            )
        self._run = begun["run"]
        content = file.read_bytes()
        if not content.endswith(b"\n"):  # a crash cut the last line off
            assert self._descriptor is not None
            os.ftruncate(self._descriptor, content.rfind(b"\n") + 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let others write it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @property
    def is_kept(self) -> bool:
        """Whether a later run can go on with it."""
        return self._file is not None

    def entry(self, name: str) -> Entry | None:
        """Where a document stands; None: nothing is known of it."""
        with self._lock:
            return self._entries.get(name)

    def note(self, name: str, step: Step, **changed: Any) -> Entry:
        """Write a step down; when this returns, it is on the disk."""
        with self._lock:
            before = self._entries.get(name)
            entry = Entry(step, **changed) if before is None else replace(before, step=step, **changed)
            self._entries[name] = entry
            self._append({"name": name, "entry": _spelled(entry)})
        return entry

    def key_of(self, name: str, entry: Entry) -> str:
        """The Idempotency-Key of a document: the same in every run that goes on with this one."""
        spelled = json.dumps([self._run, name, entry.sha256, entry.round])
        return f"ocrelay-{hashlib.sha256(spelled.encode()).hexdigest()[:40]}"

    def _append(self, line: Mapping[str, Any]) -> None:
        if self._descriptor is None:
            return
        os.write(self._descriptor, json.dumps(line, ensure_ascii=False).encode("utf-8", "surrogateescape") + b"\n")
        os.fsync(self._descriptor)


def _spelled(entry: Entry) -> dict[str, Any]:
    return {name: value for name, value in vars(entry).items() if value is not None}


def _lines(file: Path) -> list[dict[str, Any]]:
    """What was written, without a last line that is not whole."""
    found = []
    for line in file.read_bytes().split(b"\n")[:-1]:
        with contextlib.suppress(ValueError):
            found.append(json.loads(line.decode("utf-8", "surrogateescape")))
    return found
