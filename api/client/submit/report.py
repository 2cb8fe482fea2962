"""What a person or a program is told: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

import click

from api.client.results import Wanted
from api.client.submit.sending import Outcome
from shared import clock
from shared.result.confidence import percent

PLAIN_SECONDS = 10.0
"""Where nobody looks on, progress is a line so often."""
TERMINAL_SECONDS = 0.1


class Report:
    """One run as it is told; threads may tell of their waiting at any time."""

    def __init__(self, wanted: Wanted, *, total: int | None, as_json: bool, headers: bool) -> None:
        """Begin.

        Args:
            wanted: The format.
            total: How many documents there are; None: nobody knows.
            as_json: One JSON object for each document.
            headers: Whether a line above each text says whose it is.
        """
        self._wanted = wanted
        self._total = total
        self._as_json = as_json
        self._headers = headers
        self._is_terminal = sys.stderr.isatty()
        self._lock = threading.Lock()
        self._started = self._shown_at = clock.monotonic()
        self._drawn = 0
        self.done = self.failed = self.before = 0

    def say(self, text: str) -> None:
        """A line on standard error."""
        with self._lock:
            self._wipe()
            click.echo(text, err=True)

    def outcome(self, outcome: Outcome) -> None:
        """What became of one document. What an earlier run has told is not told again."""
        self.done += 1
        self.failed += outcome.is_failure
        self.before += outcome.was_done
        with self._lock:
            self._wipe()
            if not outcome.was_done:
                self._tell(outcome)
        self._show_progress()

    def _tell(self, outcome: Outcome) -> None:
        if self._as_json:
            click.echo(json.dumps(document_of(outcome), ensure_ascii=False))
        elif outcome.problem is not None:
            job = f" ({outcome.job['id']})" if outcome.job is not None else ""
            if self._wanted.form.name == "json" and outcome.job is not None and outcome.output is None:
                click.echo(json.dumps(outcome.job, ensure_ascii=False))
            click.echo(f"{outcome.document}: {outcome.problem['message']}{job}", err=True)
        elif outcome.output is not None:
            click.echo(outcome.output)
        elif outcome.content is not None:
            click.echo(outcome.content, nl=False)
        elif outcome.job is not None:
            click.echo(self._rendered(outcome, outcome.job))

    def _rendered(self, outcome: Outcome, job: dict[str, Any]) -> str:
        """One job on the terminal."""
        if self._wanted.form.name == "json":
            return json.dumps(job, ensure_ascii=False)
        if job["result"] is None:
            return f"== {outcome.document}: {job['state']} {job['id']}" if self._headers else str(job["id"])
        text = str(job["result"]["text"])
        return f"== {outcome.document} ({confidence(job['result']['confidence'])})\n{text}" if self._headers else text

    def _show_progress(self) -> None:
        now = clock.monotonic()
        pause = TERMINAL_SECONDS if self._is_terminal else PLAIN_SECONDS
        with self._lock:
            if now - self._shown_at < pause:
                return
            self._shown_at = now
            line = self.progress(now)
            if self._is_terminal:
                self._wipe()
                click.echo(line, err=True, nl=False)
                self._drawn = len(line)
            else:
                click.echo(line, err=True)

    def progress(self, now: float) -> str:
        """How far it is, how fast, and how long it will take."""
        count = f"{self.done} of {self._total}" if self._total is not None else str(self.done)
        failed = f", {self.failed} failed" if self.failed else ""
        rate = (self.done - self.before) / max(now - self._started, 1e-9)
        left = ""
        if self._total is not None and rate > 0:
            left = f", {spelled((self._total - self.done) / rate)} left"
        return f"{count} done{failed}, {rate:.1f} a second{left}"

    def end(self) -> None:
        """The sum, where there was more than one document."""
        with self._lock:
            self._wipe()
            if (self._total or 0) > 1 or self._total is None or self.failed > 1:
                before = f", {self.before} of them before" if self.before else ""
                click.echo(f"{self.done - self.failed} read{before}, {self.failed} failed.", err=True)

    def _wipe(self) -> None:
        """Take the line of the progress off the terminal."""
        if self._drawn:
            click.echo(f"\r{' ' * self._drawn}\r", err=True, nl=False)
            self._drawn = 0


def document_of(outcome: Outcome) -> dict[str, Any]:
    """One outcome as a JSON object."""
    job = outcome.job or {}
    return {
        "file": str(outcome.document),
        "name": outcome.document.name,
        "id": job.get("id"),
        "state": job.get("state", "refused" if outcome.problem else None),
        "output": None if outcome.output is None else str(outcome.output),
        "error": outcome.problem,
        "content": None if outcome.content is None else outcome.content.decode(),
        "result": None if outcome.output is not None else job.get("result"),
    }


def confidence(value: float | None) -> str:
    """A confidence for reading."""
    return "no text" if value is None else f"confidence {percent(value)}"


def spelled(seconds: float) -> str:
    """A duration for reading, such as 1:57."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
