"""Every odd upload through the real service: answered as documented, and nobody and nothing is harmed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from shared import errors, jobs
from shared.settings import Settings
from tests.e2e.test_service import System
from tests.malformed import corpus
from tests.malformed.case import Case
from tests.ports import free_port
from tests.services import wait_until

CASES = corpus.cases()
CLIENTS = 4


@dataclass(frozen=True)
class Answers:
    """What became of all cases, and of the service meanwhile."""

    of: dict[str, tuple[int, dict[str, Any]]]
    orientations: dict[str, dict[int, dict[str, Any]]]
    children: tuple[set[int], set[int]]
    stored: set[str]
    job_count: int
    log: str


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    folder = tmp_path_factory.mktemp("malformed")
    system = System(Settings.load(data_dir=folder / "data", port=free_port(), workers=2, api_processes=1), folder)
    wait_until(lambda: len(system.children()) == 2, what="both worker children")
    before = {child.pid for child in system.children()}

    def submit(case: Case) -> tuple[int, dict[str, Any]]:
        return system.call("/v1/jobs?dedupe=false", case.content)

    with ThreadPoolExecutor(CLIENTS) as pool:
        found = dict(zip((case.name for case in CASES), pool.map(submit, CASES), strict=True))
    stored = {path.name for path in system.settings.blobs_dir.rglob("*") if path.is_file()}
    with system.database.read() as connection:
        count = sum(jobs.counts(connection).values())
    turned = {
        name: {way: system.submit(content, "layout=line") for way, content in corpus.orientations(name).items()}
        for name in ("PNG", "JPEG", "WEBP", "TIFF")
    }
    after = {child.pid for child in system.children()}
    system.end()
    yield Answers(found, turned, (before, after), stored, count, system.up.said)


def test_there_are_many_cases_and_each_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES) > 250


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_odd_upload_is_answered_as_documented(case: Case, answers: Answers) -> None:
    status, body = answers.of[case.name]
    if case.is_refused:
        assert (status, body["code"], body["status"]) == (case.status, case.answer, case.status), body
    elif case.answer == "succeeded":
        assert (status, body["state"], body["error"]) == (200, "succeeded", None)
    else:
        assert (status, body["state"]) == (200, "failed"), body
        error = body["error"]
        assert (error["code"], error["phase"], error["retryable"]) == (
            case.answer,
            "inspect" if case.is_late else "decode",
            False,
        )
        assert body["attempt"] == 1
        assert errors.by_code(error["code"]).http_status == 422


def test_no_worker_child_died(answers: Answers) -> None:
    before, after = answers.children
    assert len(before) == 2
    assert after == before


def test_nothing_is_stored_of_what_was_refused(answers: Answers) -> None:
    accepted = [case for case in CASES if not case.is_refused]
    assert answers.stored == {hashlib.sha256(case.content).hexdigest() for case in accepted}
    assert answers.job_count == len(accepted)


def test_the_log_holds_no_accident_and_stays_small(answers: Answers) -> None:
    assert "Traceback" not in answers.log
    assert "request.failed" not in answers.log
    assert len(answers.log) < 2000 * len(CASES)


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_the_text_is_the_same_however_the_camera_was_held(image_format: str, answers: Answers) -> None:
    found = answers.orientations[image_format]
    assert sorted(found) == list(range(1, 9))
    texts = {way: job["result"]["text"] for way, job in found.items()}
    assert set(texts.values()) == {texts[1]}
    assert "quick brown fox" in texts[1]
    pages = [job["result"]["pages"][0] for job in found.values()]
    assert len({(page["width"], page["height"]) for page in pages}) == 1
