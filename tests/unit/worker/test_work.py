"""One job from claim to end, with a real pipeline, a tiny model and a SQLite file."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

import models
from models import detector
from models.charset import Charset
from models.recognizer import Place
from shared import jobs
from shared.audit import trail
from shared.database import Database
from shared.jobs import Job, State, Submission
from shared.limits import Limits
from shared.settings import Settings
from shared.uploads.blobs import Blobs
from tests import tiny_foreign
from tests.actors import CLIENT
from tests.images import saved
from tests.services import wait_until
from worker.jobs.lease import Lease, LeaseLost
from worker.jobs.readers import Workplace
from worker.jobs.work import work
from worker.models.others import Others
from worker.models.stronger import Stronger, find_stronger
from worker.ocr.text import rule
from worker.ocr.text.rule import Rule

OWNER = "node/task"
SAMPLES = Path(__file__).parents[3] / "docs" / "samples"


class Interrupting:
    """A recogniser that lets something happen in the middle of the work."""

    def __init__(self, real: models.Recognizer, interruption: Callable[[], None]) -> None:
        self._real = real
        self._interruption = interruption
        self.card = real.card
        self.ngram = real.ngram

    def prepare(self, gray: Any) -> Any:
        self._interruption()
        return self._real.prepare(gray)

    def frames(self, batch: Any) -> Any:
        return self._real.frames(batch)


@pytest.fixture(scope="module")
def recognizer(tiny_model_path: Path) -> models.Recognizer:
    return models.load(str(tiny_model_path))


@pytest.fixture
def place(sqlite_url: str, tmp_path: Path) -> Iterator[Workplace]:
    database = Database(sqlite_url)
    yield Workplace(database, Blobs(tmp_path / "blobs"), Limits(), lease_seconds=30)
    database.close()


def line_image() -> bytes:
    image = Image.new("L", (300, 40), 255)
    ImageDraw.Draw(image).text((10, 10), "Total 12.50", fill=0)
    return saved(image)


def submit(place: Workplace, content: bytes, *, max_attempts: int = 4, **options: object) -> str:
    submission = Submission(
        sha256=place.blobs.put(content),
        media_type="image/png",
        size_bytes=len(content),
        page_count=1,
        width=300,
        height=40,
        options={"layout": "line", **options},
        client_ip="127.0.0.1",
    )
    with place.database.write() as connection:
        return jobs.submit(connection, submission, max_attempts=max_attempts).id


def found(place: Workplace, job_id: str) -> Job:
    with place.database.read() as connection:
        job = jobs.get(connection, job_id)
    assert job is not None
    return job


def test_a_job_ends_with_text_confidence_model_and_times(place: Workplace, recognizer: models.Recognizer) -> None:
    job_id = submit(place, line_image())
    assert work(job_id, recognizer, place, owner=OWNER) is not None
    job = found(place, job_id)
    assert job.state == State.SUCCEEDED
    assert job.result is not None
    assert set(job.result) == {"text", "confidence", "min_confidence", "model", "pages"}
    assert job.result["model"]["sha256"] == recognizer.card.sha256
    assert job.timings_ms is not None
    assert set(job.timings_ms) == {"queue", "decode", "preprocess", "lines", "recognition", "total"}
    assert job.timings_ms["total"] >= job.timings_ms["recognition"]


def test_a_second_message_for_the_same_job_does_nothing(place: Workplace, recognizer: models.Recognizer) -> None:
    job_id = submit(place, line_image())
    assert work(job_id, recognizer, place, owner=OWNER) is not None
    assert work(job_id, recognizer, place, owner=OWNER) is None
    assert found(place, job_id).attempt == 1


def test_a_message_for_a_job_that_does_not_exist_does_nothing(place: Workplace, recognizer: models.Recognizer) -> None:
    assert work("job_00000000000000000000000000", recognizer, place, owner=OWNER) is None


def test_a_truncated_image_ends_the_job_with_its_own_code(place: Workplace, recognizer: models.Recognizer) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (40, 300), dtype=np.uint8)
    job_id = submit(place, saved(Image.fromarray(noise))[:4000])
    work(job_id, recognizer, place, owner=OWNER)
    job = found(place, job_id)
    assert (job.state, job.attempt) == (State.FAILED, 1)
    assert job.error is not None
    assert job.error["code"] == "truncated_image"


def test_an_image_without_text_succeeds_with_empty_text(place: Workplace, recognizer: models.Recognizer) -> None:
    job_id = submit(place, saved(Image.new("L", (300, 40), 255)))
    work(job_id, recognizer, place, owner=OWNER)
    job = found(place, job_id)
    assert job.state == State.SUCCEEDED
    assert job.result is not None
    assert job.result["text"] == ""


def test_a_document_that_vanished_ends_the_job_with_its_own_code(
    place: Workplace, recognizer: models.Recognizer
) -> None:
    job_id = submit(place, line_image())
    place.blobs.path(found(place, job_id).sha256).unlink()
    work(job_id, recognizer, place, owner=OWNER)
    job = found(place, job_id)
    assert job.state == State.FAILED
    assert job.error is not None
    assert job.error["code"] == "document_missing"


def test_a_document_that_changed_on_disk_ends_the_job_with_its_own_code(
    place: Workplace, recognizer: models.Recognizer
) -> None:
    job_id = submit(place, line_image())
    place.blobs.path(found(place, job_id).sha256).write_bytes(b"something else")
    work(job_id, recognizer, place, owner=OWNER)
    assert (found(place, job_id).error or {})["code"] == "document_changed"


def test_a_model_that_is_not_loaded_ends_the_job_with_its_own_code(
    place: Workplace, recognizer: models.Recognizer
) -> None:
    job_id = submit(place, line_image(), model="another")
    work(job_id, recognizer, place, owner=OWNER)
    assert (found(place, job_id).error or {})["code"] == "unknown_model"


def test_a_detector_that_a_job_names_finds_its_lines_and_the_result_names_it(
    place: Workplace, recognizer: models.Recognizer
) -> None:
    active = detector.load(threads=1)
    (shipped,) = detector.places()
    own = {"detector-own": Place(shipped.path, "detector-own")}
    others = Others({}, {}, own, dict.fromkeys(own, active.card.sha256))
    equipped = dataclasses.replace(place, detector=active, others=others, reader_sha256="r")
    sample = (SAMPLES / "page.png").read_bytes()
    wishes = {"none": {}, "active": {"detector": "detector-lines"}, "own": {"detector": "detector-own"}}
    wishes["gone"] = {"detector": "detector-gone"}
    named = {name: submit(place, sample, layout="page", **wish) for name, wish in wishes.items()}
    for job_id in named.values():
        work(job_id, recognizer, equipped, owner=OWNER)
    told = {name: (found(place, job_id).result or {}).get("detector") for name, job_id in named.items()}
    assert told["own"] == {"name": "detector-own", "version": active.card.version, "sha256": active.card.sha256}
    assert told["none"] == told["active"] == {**told["own"], "name": "detector-lines"}
    assert (found(place, named["gone"]).error or {})["code"] == "unknown_model"


def test_a_line_needs_no_detector_and_its_result_names_none(place: Workplace, recognizer: models.Recognizer) -> None:
    job_id = submit(place, line_image(), layout="line")
    work(job_id, recognizer, dataclasses.replace(place, detector=detector.load(threads=1)), owner=OWNER)
    assert "detector" not in (found(place, job_id).result or {})


@pytest.fixture
def two_models(place: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """A workplace with a stronger model, one in the manner of PP-OCR, and a rule by which every line leaves a doubt."""
    monkeypatch.setattr(rule, "load", lambda: Rule({}, offset=0.0, limit=-1.0, sure=0.9))
    return dataclasses.replace(place, stronger=own(tiny_foreign.write(tmp_path / "strong.onnx")))


def own(path: Path) -> Stronger:
    found = find_stronger(Settings.load(models=str(path)))
    assert found is not None
    return found


def block_image() -> bytes:
    """What both models read something in."""
    image = Image.new("L", (300, 40), 255)
    ImageDraw.Draw(image).rectangle((40, 0, 80, 40), fill=0)
    return saved(image)


def read_by(place: Workplace, job_id: str) -> tuple[str, str | None]:
    result = found(place, job_id).result
    assert result is not None
    return result["model"]["name"], result.get("stronger_model", {}).get("name")


@pytest.mark.parametrize(
    ("options", "readers"),
    [
        ({"quality": "fast"}, ("tiny", None)),
        ({"quality": "balanced"}, ("tiny", "strong")),
        ({"quality": "best"}, ("strong", None)),
        ({}, ("tiny", "strong")),
        ({"model": "model"}, ("tiny", None)),
        ({"model": "strong"}, ("strong", None)),
    ],
)
def test_who_reads_is_what_the_sender_chose(
    two_models: Workplace, recognizer: models.Recognizer, options: dict[str, str], readers: tuple[str, str | None]
) -> None:
    job_id = submit(two_models, block_image(), **options)
    work(job_id, recognizer, two_models, owner=OWNER)
    assert read_by(two_models, job_id) == (recognizer.card.name if readers[0] == "tiny" else "strong", readers[1])


def test_the_setting_says_who_reads_where_the_sender_does_not(
    two_models: Workplace, recognizer: models.Recognizer
) -> None:
    job_id = submit(two_models, block_image())
    work(job_id, recognizer, dataclasses.replace(two_models, quality="best"), owner=OWNER)
    assert read_by(two_models, job_id) == ("strong", None)


def test_the_audit_trail_says_that_a_second_model_read(two_models: Workplace, recognizer: models.Recognizer) -> None:
    job_id = submit(two_models, block_image(), quality="balanced")
    work(job_id, recognizer, two_models, owner=OWNER)
    with two_models.database.read() as connection:
        done = trail.list_events(connection, job_id=job_id)[0]
    assert (done.event, done.model, done.subject) == (trail.Event.SUCCEEDED, recognizer.card.name, "strong")


def test_the_best_without_a_stronger_model_ends_the_job_with_its_own_code(
    place: Workplace, recognizer: models.Recognizer
) -> None:
    job_id = submit(place, line_image(), quality="best")
    work(job_id, recognizer, place, owner=OWNER)
    assert (found(place, job_id).error or {})["code"] == "no_stronger_model"


def test_a_crash_of_the_recognition_is_tried_again(place: Workplace, recognizer: models.Recognizer) -> None:
    def crash() -> None:
        raise ZeroDivisionError("somewhere deep")

    job_id = submit(place, line_image())
    work(job_id, Interrupting(recognizer, crash), place, owner=OWNER)
    job = found(place, job_id)
    assert (job.state, job.attempt) == (State.QUEUED, 1)
    assert job.error is not None
    assert job.error["code"] == "recognition_failed"
    assert "somewhere deep" in job.error["details"]["reason"]


def test_a_worker_that_lost_its_lease_writes_nothing(place: Workplace, recognizer: models.Recognizer) -> None:
    def lose() -> None:
        with place.database.write() as connection:
            jobs.release(connection, owner=OWNER, reason="crash")

    job_id = submit(place, line_image())
    work(job_id, Interrupting(recognizer, lose), place, owner=OWNER)
    job = found(place, job_id)
    assert (job.state, job.result, job.error) == (State.QUEUED, None, None)
    with place.database.read() as connection:
        names = [event.event for event in reversed(trail.list_events(connection, job_id=job_id))]
    assert names == [trail.Event.SUBMITTED, trail.Event.CLAIMED, trail.Event.RELEASED]


def test_a_job_that_is_cancelled_while_it_is_read_ends_the_attempt(
    place: Workplace, recognizer: models.Recognizer
) -> None:
    """The worker finds out by looking, long before its lease is due for renewal, and stops at the next batch."""
    read: list[int] = []

    class Slow(Interrupting):
        def frames(self, batch: Any) -> Any:
            read.append(len(batch))
            with place.database.write() as connection:
                jobs.cancel(connection, job_id, actor=CLIENT)
            threading.Event().wait(1.6)
            return super().frames(batch)

    lines = Image.new("L", (600, 2000), 255)
    for top in range(20, 1960, 40):
        ImageDraw.Draw(lines).text((20, top), "the quick brown fox", fill=0)
    job_id = submit(place, saved(lines), layout="page")
    work(job_id, Slow(recognizer, lambda: None), place, owner=OWNER)
    job = found(place, job_id)
    assert (job.state, job.result, (job.error or {})["code"]) == (State.CANCELLED, None, "job_cancelled")
    assert len(read) == 1, "of several batches of lines one was read"
    with place.database.read() as connection:
        names = [event.event for event in reversed(trail.list_events(connection, job_id=job_id))]
    assert names == [trail.Event.SUBMITTED, trail.Event.CLAIMED, trail.Event.CANCELLED]


def test_a_lease_is_renewed_while_the_work_goes_on(place: Workplace) -> None:
    job_id = submit(place, line_image())
    with place.database.write() as connection:
        job = jobs.claim(connection, job_id, owner=OWNER, lease_seconds=3)
    assert job is not None
    with Lease(place.database, job.id, str(job.lease_token), seconds=3) as lease:
        wait_until(lambda: found(place, job_id).lease_until != job.lease_until, what="the renewal")
        lease.check()
    assert (found(place, job_id).lease_until or job.created_at) > (job.lease_until or job.created_at)


def test_work_stops_at_the_next_check_after_the_lease_is_lost(place: Workplace) -> None:
    job_id = submit(place, line_image())
    with place.database.write() as connection:
        job = jobs.claim(connection, job_id, owner=OWNER, lease_seconds=30)
        assert job is not None
        jobs.release(connection, owner=OWNER, reason="crash")
    with Lease(place.database, job.id, str(job.lease_token), seconds=0.06) as lease:
        deadline = threading.Event()
        for _ in range(500):
            if lease.is_lost:
                break
            deadline.wait(0.02)
        with pytest.raises(LeaseLost):
            lease.check()


def test_the_charset_of_a_job_masks_what_is_read(place: Workplace, recognizer: models.Recognizer) -> None:
    reader = Interrupting(recognizer, lambda: None)
    reader.card = dataclasses.replace(recognizer.card, charset=Charset("abc0123456789 "))  # dark columns read as `a`
    texts = {}
    for charset in ("all", "digits"):
        job_id = submit(place, line_image(), charset=charset)
        work(job_id, reader, place, owner=OWNER)
        job = found(place, job_id)
        assert job.result is not None
        texts[charset] = job.result["text"]
    assert "a" in texts["all"] and "a" not in texts["digits"]
