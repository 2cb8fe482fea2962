from __future__ import annotations

import contextlib
import json
import threading
import time
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from api.app import app_of
from api.jobs.events import follow
from api.service.caller import NOBODY
from api.service.parts import Parts
from shared import errors, jobs
from shared.jobs import pages
from shared.result import Page
from tests.pdfs import PdfPage, pdf
from tests.unit.api.conftest import RESULT, finish, png


@pytest.fixture
def job_id(client: FlaskClient) -> str:
    return str(client.post("/v1/jobs", data=png()).json["id"])


def test_an_open_job_says_when_to_come_again(client: FlaskClient, job_id: str) -> None:
    answer = client.get(f"/v1/jobs/{job_id}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (200, "1")
    assert (answer.json["queue_position"], answer.json["result"], answer.json["error"]) == (1, None, None)


def test_a_finished_job_has_the_shape_of_the_contract(client: FlaskClient, parts: Parts, job_id: str) -> None:
    finish(parts, job_id)
    answer = client.get(f"/v1/jobs/{job_id}")
    assert "Retry-After" not in answer.headers
    assert answer.json.keys() >= {
        "id", "state", "attempt", "created_at", "started_at", "finished_at", "reference", "priority",
        "document", "result", "error", "timings_ms", "links",
    }  # fmt: skip
    assert answer.json["document"].keys() == {"sha256", "media_type", "size_bytes", "page_count"}
    assert answer.json["timings_ms"].keys() == {"queue", "decode", "preprocess", "lines", "recognition", "total"}
    assert answer.json["links"].keys() == {"self", "result", "image", "events"}
    assert answer.json["result"] == RESULT
    assert "你好" in answer.get_data(as_text=True)


def test_an_unchanged_job_answers_304_to_its_etag(client: FlaskClient, parts: Parts, job_id: str) -> None:
    finish(parts, job_id)
    etag = client.get(f"/v1/jobs/{job_id}").headers["ETag"]
    answer = client.get(f"/v1/jobs/{job_id}", headers={"If-None-Match": etag})
    assert (answer.status_code, answer.data) == (304, b"")


def test_a_changed_job_answers_200_to_its_old_etag(client: FlaskClient, parts: Parts, job_id: str) -> None:
    etag = client.get(f"/v1/jobs/{job_id}").headers["ETag"]
    finish(parts, job_id)
    assert client.get(f"/v1/jobs/{job_id}", headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize("path", ["", "/result", "/image", "/events"])
def test_an_unknown_job_is_a_404_problem(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/v1/jobs/job_nosuch{path}")
    assert (answer.status_code, answer.mimetype, answer.json["code"]) == (
        404,
        "application/problem+json",
        "job_not_found",
    )


def test_prefer_wait_returns_as_soon_as_the_job_ends(parts: Parts, job_id: str) -> None:
    patient = replace(parts, settings=parts.settings.model_copy(update={"wait_limit_seconds": 20}))
    client = app_of(patient).test_client()
    threading.Timer(0.2, finish, (parts, job_id)).start()
    started = time.monotonic()
    answer = client.get(f"/v1/jobs/{job_id}", headers={"Prefer": "respond-async, wait=100"})
    assert answer.json["state"] == "succeeded"
    assert answer.headers["Preference-Applied"] == "wait=20"  # the server's own limit
    assert time.monotonic() - started < 10


def test_prefer_wait_gives_up_after_its_time_with_202(client: FlaskClient) -> None:
    answer = client.post("/v1/jobs", data=png(), headers={"Prefer": "wait=1"})
    assert (answer.status_code, answer.json["state"]) == (202, "queued")


def test_a_preference_that_cannot_be_read_is_ignored(client: FlaskClient, job_id: str) -> None:
    answer = client.get(f"/v1/jobs/{job_id}", headers={"Prefer": "wait=soon"})
    assert answer.status_code == 200 and "Preference-Applied" not in answer.headers


def test_a_submission_that_ends_in_time_answers_200(parts: Parts) -> None:
    """The worker's part is played by a thread that takes whatever is queued."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.02):
            with parts.database.read() as connection:
                queued = jobs.list_jobs(connection, state="queued")
            for job in queued:
                finish(parts, job.id)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        answer = app_of(parts).test_client().post("/v1/jobs", data=png(), headers={"Prefer": "wait=2"})
        sync = app_of(parts).test_client().post("/api/ocr", json={"image": "data:," + b64()})
    finally:
        stop.set()
        thread.join()
    assert (answer.status_code, answer.json["result"]["text"]) == (200, "你好 world")
    assert (sync.status_code, sync.json["text"], sync.json["confidence"]) == (200, "你好 world", 0.9)
    assert sync.json["lines"][0].keys() == {"text", "confidence", "polygon"}


def b64() -> str:
    import base64

    return base64.b64encode(png()).decode()


def test_the_synchronous_call_names_the_job_when_time_is_over(client: FlaskClient) -> None:
    answer = client.post("/api/ocr", json={"image": b64()})
    assert (answer.status_code, answer.json["code"]) == (504, "still_running")
    assert answer.headers["Location"].endswith(answer.json["job_id"])


def test_the_synchronous_call_gives_the_jobs_failure(client: FlaskClient, parts: Parts) -> None:
    def break_it() -> None:
        while True:
            with parts.database.write() as connection:
                for job in jobs.list_jobs(connection, state="queued"):
                    claimed = jobs.claim(connection, job.id, owner="t/1", lease_seconds=9)
                    assert claimed is not None and claimed.lease_token is not None
                    jobs.fail(connection, job.id, claimed.lease_token, error=errors.TruncatedImage())
                    return
            time.sleep(0.02)

    thread = threading.Thread(target=break_it)
    thread.start()
    answer = client.post("/api/ocr", json={"image": b64()})
    thread.join()
    assert (answer.status_code, answer.json["code"], answer.mimetype) == (
        422,
        "truncated_image",
        "application/problem+json",
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [({}, "missing_file"), ({"image": "?"}, "invalid_base64"), ({"image": "", "x": 1}, "unknown_option")],
)
def test_the_synchronous_call_refuses_bad_input(client: FlaskClient, body: dict[str, object], code: str) -> None:
    answer = client.post("/api/ocr", json=body)
    assert (answer.status_code, answer.json["code"]) == (422, code)


def test_a_result_is_given_as_json_and_as_text(client: FlaskClient, parts: Parts, job_id: str) -> None:
    assert client.get(f"/v1/jobs/{job_id}/result").status_code == 409
    finish(parts, job_id)
    assert client.get(f"/v1/jobs/{job_id}/result").json == RESULT
    text = client.get(f"/v1/jobs/{job_id}/result?format=text")
    assert (text.mimetype, text.get_data(as_text=True)) == ("text/plain", "你好 world\n")
    assert client.get(f"/v1/jobs/{job_id}/result?format=docx").json["code"] == "invalid_option"


def test_the_upload_comes_back_as_it_was_and_cannot_run_in_a_browser(client: FlaskClient, job_id: str) -> None:
    answer = client.get(f"/v1/jobs/{job_id}/image")
    assert (answer.data, answer.mimetype) == (png(), "image/png")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_events_follow_a_job_to_its_end(client: FlaskClient, parts: Parts, job_id: str) -> None:
    threading.Timer(0.3, finish, (parts, job_id)).start()
    events = client.get(f"/v1/jobs/{job_id}/events").get_data(as_text=True).strip().split("\n\n")[1:]
    names = [line.removeprefix("event: ") for event in events for line in event.split("\n") if line.startswith("event")]
    assert names[0] == "job.queued" and names[-1] == "job.succeeded"
    data = next(line.removeprefix("data: ") for line in events[-1].split("\n") if line.startswith("data"))
    assert json.loads(data)["result"]["text"] == "你好 world"


def test_the_list_pages_without_gaps_and_filters(client: FlaskClient, parts: Parts) -> None:
    ids = [client.post(f"/v1/jobs?reference=r{n % 2}", data=png(8 + n, 8)).json["id"] for n in range(5)]
    finish(parts, ids[0])
    seen, cursor = [], ""
    while True:
        page = client.get(f"/v1/jobs?limit=2{cursor}").json
        seen += [job["id"] for job in page["jobs"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == ids[::-1]
    assert [job["id"] for job in client.get("/v1/jobs?state=succeeded").json["jobs"]] == [ids[0]]
    assert {job["id"] for job in client.get("/v1/jobs?reference=r1").json["jobs"]} == {ids[1], ids[3]}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "invalid_option"),
        ("limit=x", "invalid_option"),
        ("stat=queued", "unknown_option"),
        ("cursor=job_1", "invalid_cursor"),
        ("sha256=zz", "invalid_option"),
    ],
)
def test_the_list_refuses_what_it_does_not_know(client: FlaskClient, query: str, code: str) -> None:
    answer = client.get(f"/v1/jobs?{query}")
    assert (answer.status_code, answer.json["code"]) == (422, code)


def test_every_http_error_is_a_problem(client: FlaskClient) -> None:
    gone, refused = client.get("/v2/jobs"), client.delete("/v1/jobs")
    assert (gone.status_code, gone.mimetype, gone.json["code"]) == (404, "application/problem+json", "not_found")
    assert (refused.status_code, refused.json["code"]) == (405, "method_not_allowed")
    assert "POST" in refused.headers["Allow"]


def test_health_needs_nothing_and_readiness_needs_a_worker(client: FlaskClient, parts: Parts) -> None:
    from shared import workers

    assert client.get("/healthz").json["status"] == "ok"
    unready = client.get("/readyz")
    assert (unready.status_code, unready.json["status"], unready.json["workers"]) == (503, "unready", 0)
    assert "ocrelay worker" in unready.json["checks"]["workers"]
    with parts.database.write() as connection:
        workers.register(connection, node="n", host="h", pid=1, model={"name": "m", "version": "1", "sha256": "0"})
    ready = client.get("/readyz").json
    assert ready["status"] == "ready"
    assert ready["models"] == [{"name": "m", "version": "1", "role": "reads", "workers": 1}]


def test_readiness_tells_of_a_child_that_cannot_open_its_model(client: FlaskClient, parts: Parts) -> None:
    from shared import workers

    with parts.database.write() as connection:
        workers.note_fault(connection, node="n", host="far", pid=2, fault="ModelFileError: it is gone")
    alone = client.get("/readyz")
    assert (alone.status_code, alone.json["workers"], alone.json["models"]) == (503, 0, [])
    with parts.database.write() as connection:
        workers.register(connection, node="n", host="h", pid=1, model={"name": "m", "version": "1", "sha256": "0"})
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json["status"], ready.json["workers"]) == (200, "ready", 1)
    assert "1 of 2 worker children" in ready.json["checks"]["workers"] and "gone" in ready.json["checks"]["workers"]
    with parts.database.write() as connection:
        workers.register(connection, node="n", host="far", pid=2, model={"name": "m", "version": "1", "sha256": "0"})
    assert client.get("/readyz").json["checks"]["workers"] == "ok"


def test_readiness_says_with_what_is_read(client: FlaskClient, parts: Parts) -> None:
    from shared import workers

    fast, strong, lines = ({"name": name, "version": "1", "sha256": "0"} for name in ("m", "strong", "lines"))
    with parts.database.write() as connection:
        for pid, (stronger, finds) in enumerate(((strong, lines), (strong, None), (None, None))):
            workers.register(connection, node="n", host="h", pid=pid, model=fast, stronger=stronger, detector=finds)
    assert client.get("/readyz").json["models"] == [
        {"name": "lines", "version": "1", "role": "finds", "workers": 1},
        {"name": "m", "version": "1", "role": "reads", "workers": 3},
        {"name": "strong", "version": "1", "role": "stronger", "workers": 2},
    ]


def test_the_documentation_is_served_from_this_server_alone(client: FlaskClient) -> None:
    page = client.get("/docs", follow_redirects=True)
    assert page.status_code == 200
    assert "//" not in page.get_data(as_text=True).replace("http://localhost", "").split("<script>", 1)[0].replace(
        "<!--", ""
    )
    assert client.get("/openapi.json").json["openapi"].startswith("3.1")


def test_a_finished_stream_is_not_followed_for_ever(client: FlaskClient, parts: Parts, job_id: str) -> None:
    finish(parts, job_id)
    answer = client.get(f"/v1/jobs/{job_id}/events", headers={"Last-Event-ID": "1-succeeded"})
    assert (answer.status_code, answer.data) == (204, b"")


def test_who_finds_no_place_to_wait_is_answered_at_once(parts: Parts, client: FlaskClient, job_id: str) -> None:
    with contextlib.ExitStack() as stack:
        while stack.enter_context(parts.waiting.place()):
            pass
        answer = client.get(f"/v1/jobs/{job_id}", headers={"Prefer": "wait=100"})
        events = client.get(f"/v1/jobs/{job_id}/events").get_data(as_text=True)
    assert (answer.json["state"], answer.headers["Retry-After"]) == ("queued", "1")
    assert events.count("event: ") == 1


@pytest.mark.parametrize("path", ["/v1/jobs/%00", "/v1/jobs?reference=%00", "/v1/jobs?client_ip=%00"])
def test_a_nul_never_reaches_the_database(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code in (404, 422)


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_pages_of_other_sites_are_refused_while_there_are_no_keys(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = client.get("/v1/jobs", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (403, "loopback_only")


def test_the_stream_tells_how_many_pages_are_done(client: FlaskClient, parts: Parts) -> None:
    patient = replace(parts, settings=parts.settings.model_copy(update={"wait_limit_seconds": 60.0}))
    job_id = client.post("/v1/jobs", data=pdf([PdfPage(b"")] * 3)).json["id"]
    with parts.database.write() as connection:
        job = jobs.claim(connection, job_id, owner="test/1", lease_seconds=30)
    assert job is not None
    stream = follow(patient, job, NOBODY)
    next(stream)  # how soon to come again
    told = [next(stream)]
    for number in (1, 2):
        page = Page(number, 8, 8, 0.0, {}, ())
        with parts.database.write() as connection:
            assert pages.store(connection, job_id, str(job.lease_token), page, timings_ms={}, reader_sha256=None)
        told.append(next(stream))
    assert next(stream).startswith(":"), "nothing has changed"
    stream.close()
    assert [one.split("\n")[1] for one in told] == ["id: 1-running", "id: 1-running-1", "id: 1-running-2"]
    data = [json.loads(one.split("\n")[2].removeprefix("data: ")) for one in told]
    assert [(one["state"], one["pages_done"], one["pages_total"]) for one in data] == [
        ("running", 0, 3), ("running", 1, 3), ("running", 2, 3),
    ]  # fmt: skip
