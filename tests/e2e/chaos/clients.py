"""Clients as they should be: they send again with the same Idempotency-Key until they have an answer, and then poll."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.chaos.documents import Document

FINAL = {"succeeded", "failed", "cancelled"}
TRY_AGAIN = {409, 429, 500, 502, 503, 504, 507}
PATIENCE_SECONDS = 240.0
AT_ONCE = 5
"""So many jobs a client submits before it waits for their ends."""
SENT_TWICE = 0.1
"""The share of submissions that are sent again although they were taken."""


@dataclass
class Diary:
    """What all clients saw, kept together."""

    accepted: dict[str, Document] = field(default_factory=dict)
    ends: dict[str, dict[str, Any]] = field(default_factory=dict)
    statuses: Counter[int | str] = field(default_factory=Counter)
    replays: int = 0
    troubles: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, status: int | str) -> None:
        with self.lock:
            self.statuses[status] += 1


@dataclass(frozen=True)
class Answer:
    """What the API said."""

    status: int
    headers: http.client.HTTPMessage
    body: dict[str, Any]


def call(
    diary: Diary, method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> Answer | None:
    """One request; None where nothing that can be understood came back."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            found = Answer(answer.status, answer.headers, json.loads(answer.read() or b"{}"))
    except urllib.error.HTTPError as error:
        try:
            found = Answer(error.code, error.headers, json.loads(error.read() or b"{}"))
        except (OSError, http.client.HTTPException, ValueError):
            diary.note("cut off")
            return None
    except (OSError, http.client.HTTPException, ValueError):
        diary.note("cut off")
        return None
    diary.note(found.status)
    if found.status == 500:
        diary.troubles.append(f"{method} {urllib.parse.urlsplit(url).path}: {found.body}")
    return found


class Client(threading.Thread):
    """Submits its documents, a few at a time, and waits for the end of each."""

    def __init__(
        self,
        name: str,
        documents: Iterable[Document],
        urls: Callable[[], list[str]],
        diary: Diary,
        *,
        webhook: str,
        pause_seconds: float,
        chance: random.Random,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._documents = list(documents)
        self._urls = urls
        self._diary = diary
        self._webhook = webhook
        self._pause_seconds = pause_seconds
        self._chance = chance

    def run(self) -> None:
        try:
            for start in range(0, len(self._documents), AT_ONCE):
                ids = [self._submit(document) for document in self._documents[start : start + AT_ONCE]]
                for job_id in ids:
                    self._follow(job_id)
        except Exception as error:  # noqa: BLE001  (whatever ends a client is an outcome of the test)
            self._diary.troubles.append(f"{self.name}: {type(error).__name__}: {error}")

    def _submit(self, document: Document) -> str:
        time.sleep(self._chance.uniform(0, 2 * self._pause_seconds))
        query = {"layout": "line", "reference": document.reference}
        query |= {"webhook": self._webhook} if document.has_webhook else {}
        query |= {} if document.kind == "repeated" else {"dedupe": "false"}
        headers = {"Idempotency-Key": document.reference, "Content-Type": "application/octet-stream"}
        sends_twice = self._chance.random() < SENT_TWICE
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            url = f"{self._chance.choice(self._urls())}/v1/jobs?{urllib.parse.urlencode(query)}"
            answer = call(self._diary, "POST", url, document.content, headers)
            if answer and answer.status in (200, 202):
                job_id = str(answer.body["id"])
                with self._diary.lock:
                    self._diary.accepted[job_id] = document
                    self._diary.replays += "Idempotency-Replayed" in answer.headers
                if not sends_twice:
                    return job_id
                sends_twice = False  # as a client does whose connection broke before it saw the answer
                continue
            if answer and answer.status not in TRY_AGAIN:
                raise AssertionError(f"{document.reference} was refused: {answer.status} {answer.body}")
            time.sleep(0.2)
        raise AssertionError(f"{document.reference} was not taken within {PATIENCE_SECONDS:.0f} s")

    def _follow(self, job_id: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            headers = {"Prefer": "wait=5"} if self._chance.random() < 0.5 else {}
            answer = call(self._diary, "GET", f"{self._chance.choice(self._urls())}/v1/jobs/{job_id}", headers=headers)
            if answer and answer.status not in {200, *TRY_AGAIN}:
                raise AssertionError(f"{job_id} was accepted, and now: {answer.status} {answer.body}")
            if answer and answer.status == 200 and answer.body["state"] in FINAL:
                with self._diary.lock:
                    self._diary.ends[job_id] = answer.body
                return
            time.sleep(0.2)
        raise AssertionError(f"{job_id} did not end within {PATIENCE_SECONDS:.0f} s")
