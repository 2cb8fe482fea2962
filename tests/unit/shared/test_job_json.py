"""The one JSON shape of a job."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from shared import jobs
from shared.database import Database
from shared.jobs import Submission
from shared.jobs.wire import job_document


def test_a_waiting_job_has_every_key_of_the_contract(sqlite_url: str, submission: Submission) -> None:
    database = Database(sqlite_url)
    with database.write() as connection:
        job = jobs.submit(connection, submission, max_attempts=4)
    database.close()
    document = job_document(job, base_url="http://host:8000")
    assert document == json.loads(json.dumps(document))
    assert list(document) == [
        "id", "state", "attempt", "created_at", "started_at", "finished_at", "queue_position", "reference", "filename",
        "metadata", "deadline_at", "priority", "batch_id", "copied_from",
        "document", "pages_done", "pages_total", "result", "error", "timings_ms", "links",
    ]  # fmt: skip
    assert (document["state"], document["attempt"], document["priority"]) == ("queued", 0, "normal")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", document["created_at"])
    assert (document["pages_done"], document["pages_total"]) == (0, 1)
    assert (document["started_at"], document["result"], document["error"]) == (None, None, None)
    assert document["document"] == {
        "sha256": submission.sha256,
        "media_type": "image/png",
        "size_bytes": 100,
        "page_count": 1,
    }
    assert document["timings_ms"] == dict.fromkeys(["queue", "decode", "preprocess", "lines", "recognition", "total"])
    assert document["links"]["self"] == f"http://host:8000/v1/jobs/{job.id}"
    assert job_document(replace(job, client_ip="10.1.2.3")) == job_document(job), "who asked is for the audit only"
