"""One document from the disk to its result, however often server or command are interrupted in between."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api.client.http import POLL_SECONDS, Client
from api.client.patience import Patience
from api.client.refusal import Refused
from api.client.results import Wanted
from api.client.submit.documents import Document, Names
from api.client.submit.journal import ENDING, Entry, Journal
from shared import errors
from shared.jobs.record import State
from shared.options import MAX_FILENAME_LENGTH

GONE = (404, 410)
"""The job was erased since it was sent."""


UNFINISHED = ".ocrelay-"
"""How the file of a result begins while it is written."""


def sweep(output: Path | None) -> None:
    """Take away what a command that was killed left half written; call with the journal of that folder in hand."""
    for file in output.rglob(f"{UNFINISHED}*") if output is not None and output.is_dir() else ():
        if not file.name.endswith(ENDING):
            file.unlink(missing_ok=True)


@dataclass(frozen=True)
class Outcome:
    """What became of one document.

    job: as the server shows it, where it does. content: of a result that is printed. output: the file of the result.
    error: why there is none. was_done: an earlier run had finished it.
    """

    document: Document
    job: dict[str, Any] | None = None
    content: bytes | None = None
    output: Path | None = None
    error: errors.OcrelayError | None = None
    was_done: bool = False

    @property
    def problem(self) -> dict[str, Any] | None:
        """What went wrong, as JSON has it; None: nothing."""
        if self.error is not None:
            return self.error.to_json()
        if self.job is None or self.job["state"] not in (State.FAILED, State.CANCELLED):
            return None
        return self.job["error"] or {"code": self.job["state"], "message": f"The job was {self.job['state']}."}

    @property
    def is_failure(self) -> bool:
        """Whether there is no result, and none will come."""
        return self.problem is not None


@dataclass(frozen=True)
class Sender:
    """How documents are sent. options: of every job. is_waiting: for the results, or is the id enough.
    again: whether what failed before is tried again. mode: of the files of results."""

    client: Client
    patience: Patience
    journal: Journal
    names: Names
    wanted: Wanted
    options: Mapping[str, str]
    is_waiting: bool
    again: bool
    mode: int = field(default_factory=lambda: 0o666 & ~_umask())

    def send(self, document: Document) -> Outcome:
        """What becomes of one document.

        Raises:
            Stopped, Away, Refused: And of all others, too.
        """
        try:
            content = document.read()
        except OSError as error:
            return Outcome(document, error=errors.DocumentError(f"It cannot be opened: {error.strerror or error}."))
        name, sha256 = document.name, hashlib.sha256(content).hexdigest()
        entry = self.journal.entry(name)
        if entry is not None and entry.sha256 != sha256:  # the file is another one than it was
            entry = self.journal.note(name, "sending", sha256=sha256, round=entry.round + 1, job_id=None, output=None)
        if entry is not None and (earlier := self._earlier(document, entry)) is not None:
            return earlier
        if entry is None:
            entry = self.journal.note(name, "sending", sha256=sha256)
        try:
            return self._fetch(document, self._read(document, entry, content))
        except Refused as error:
            if not error.is_of_document:
                raise
            self.journal.note(name, "failed", message=error.message)
            return Outcome(document, error=error)

    def _earlier(self, document: Document, entry: Entry) -> Outcome | None:
        """What an earlier run came to; None: to no end, or to none that still stands."""
        if entry.step == "failed" and not self.again:
            return Outcome(document, error=errors.DocumentError(entry.message), was_done=True)
        if entry.step == "sent" and not self.is_waiting:
            return Outcome(document, was_done=True)
        if entry.step != "done":
            return None
        output = None if entry.output is None or self.wanted.output is None else self.wanted.output / entry.output
        if output is not None and not output.exists():  # the result was deleted; the job may still have it
            return None
        return Outcome(document, output=output, was_done=True)

    def _read(self, document: Document, entry: Entry, content: bytes) -> dict[str, Any]:
        """The job of a document, finished if its result is wanted."""
        job = self._known(document, entry) or self._submit(document, entry, content)
        while self.is_waiting and job["state"] in (State.QUEUED, State.RUNNING):
            job = self._look(job)
        return job

    def _known(self, document: Document, entry: Entry) -> dict[str, Any] | None:
        """The job that an earlier run sent; None: it was not sent, or was erased since."""
        if entry.job_id is None:
            return None
        try:
            job = self._look({"links": {"self": f"/v1/jobs/{entry.job_id}"}}, wait_seconds=0)
            if entry.step == "failed" and job["state"] in (State.FAILED, State.CANCELLED):
                path = f"/v1/jobs/{entry.job_id}/retry"
                job = self.patience.call("submit", lambda: self.client.post(path))
        except Refused as error:
            if error.status not in GONE:
                raise
            self.journal.note(document.name, "sending", round=entry.round + 1, job_id=None)
            return None
        return job

    def _submit(self, document: Document, entry: Entry, content: bytes) -> dict[str, Any]:
        entry = self.journal.entry(document.name) or entry
        key = self.journal.key_of(document.name, entry)
        options = {"filename": document.name[-MAX_FILENAME_LENGTH:]} | dict(self.options)
        seconds = POLL_SECONDS if self.is_waiting else 0
        job = self.patience.call("submit", lambda: self.client.send(content, options, seconds, key))
        self.journal.note(document.name, "sent", job_id=job["id"])
        return job

    def _look(self, job: dict[str, Any], wait_seconds: int = POLL_SECONDS) -> dict[str, Any]:
        return self.patience.call("other", lambda: self.client.look(job, wait_seconds))

    def _fetch(self, document: Document, job: dict[str, Any]) -> Outcome:
        """The outcome with its result, where there is one and it is wanted."""
        if job["result"] is None:
            outcome = Outcome(document, job)
            if outcome.problem is not None:
                self.journal.note(document.name, "failed", message=outcome.problem["message"])
            return outcome
        if not self.wanted.is_fetched:
            return Outcome(document, job)
        if self.wanted.output is None:
            return Outcome(document, job, content=self.patience.call("other", lambda: b"".join(self._portions(job))))
        pages = job["document"]["page_count"]
        target = self.wanted.output / self.wanted.form.file_name(self.names.of_result(document.name), pages)
        self.patience.call("other", lambda: self._write(job, target))
        self.journal.note(document.name, "done", output=str(target.relative_to(self.wanted.output)))
        return Outcome(document, job, output=target)

    def _portions(self, job: dict[str, Any]) -> Any:
        return self.client.stream(job["links"]["result"], **self.wanted.query())

    def _write(self, job: dict[str, Any], target: Path) -> None:
        """The result as a file: whole, or not there at all."""
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=UNFINISHED, dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for portion in self._portions(job):
                    file.write(portion)
                os.fchmod(file.fileno(), self.mode)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _umask() -> int:
    """The mask of this process; it cannot be asked without being set, so only the first thread does it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
