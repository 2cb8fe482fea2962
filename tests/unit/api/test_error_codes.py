"""No code of an error is untested: each is provoked over HTTP here, in a named other test, or says why it cannot be."""

from __future__ import annotations

import base64
import errno
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from api.app import app_of
from api.http import answers
from api.jobs import routes
from api.service.parts import Parts
from shared import database, errors, jobs
from shared.webhooks import deliveries
from shared.webhooks.box import Box, seal_all
from tests.docs.test_reference import every_error
from tests.pdfs import PdfPage, encrypted, pdf
from tests.services import wait_until
from tests.unit.api.conftest import finish, png

TESTS = Path(__file__).parents[2]
Call = Callable[["Door"], TestResponse]


@dataclass
class Door:
    """The application, and what is behind it."""

    parts: Parts
    patch: pytest.MonkeyPatch

    @property
    def client(self) -> FlaskClient:
        return app_of(self.parts).test_client()

    def with_settings(self, **changed: Any) -> FlaskClient:
        self.parts = replace(self.parts, settings=self.parts.settings.model_copy(update=changed))
        return self.client

    def submit(self, **headers: str) -> str:
        return str(self.client.post("/v1/jobs", data=png(), headers=headers).json["id"])

    def endpoint(self, **more: Any) -> str:
        body = {"url": "https://hooks.example/a", **more}
        return str(self.client.post("/v1/webhook-endpoints", json=body).json["id"])

    def execute(self, statement: str) -> None:
        with self.parts.database.write() as connection:
            connection.execute(text(statement))


@pytest.fixture
def door(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Door:
    return Door(parts, monkeypatch)


def post(content: bytes, path: str = "/v1/jobs", **settings: Any) -> Call:
    return lambda door: door.with_settings(**settings).post(path, data=content)


def ask(method: str, path: str, **given: Any) -> Call:
    return lambda door: door.client.open(path, method=method, **given)


def failed_job(error: errors.OcrelayError) -> Call:
    """POST /api/ocr of a document whose job ends with this error, as a worker writes it."""

    def call(door: Door) -> TestResponse:
        def work() -> None:
            found: list[jobs.Job] = []

            def look() -> bool:
                with door.parts.database.read() as connection:
                    found[:] = jobs.list_jobs(connection)
                return bool(found)

            wait_until(look)
            with door.parts.database.write() as connection:
                job = jobs.claim(connection, found[0].id, owner="n/1", lease_seconds=30)
                assert job is not None
                final = type(
                    "Final", (type(error),), {"retryable": False, "code": error.code, "__doc__": error.__doc__}
                )
                jobs.fail(connection, job.id, str(job.lease_token), error=final())

        thread = threading.Thread(target=work)
        thread.start()
        answer = door.with_settings(sync_wait_seconds=20).post("/api/ocr", json={"image": IMAGE})
        thread.join()
        return answer

    return call


def ended(method: str, path: str, **options: Any) -> Call:
    """A call on a job that has succeeded."""

    def call(door: Door) -> TestResponse:
        job_id = door.submit()
        finish(door.parts, job_id)
        return door.client.open(path.replace("ID", job_id), method=method, **options)

    return call


def deleted(door: Door) -> TestResponse:
    job_id = door.submit()
    door.client.delete(f"/v1/jobs/{job_id}")
    return door.client.get(f"/v1/jobs/{job_id}")


def upload_gone(door: Door) -> TestResponse:
    job_id = door.submit()
    door.client.post(f"/v1/jobs/{job_id}/cancel")
    door.execute("UPDATE jobs SET sha256 = '" + "0" * 64 + "'")
    return door.client.post(f"/v1/jobs/{job_id}/retry")


def mismatch(door: Door) -> TestResponse:
    door.submit(**{"Idempotency-Key": "k"})
    return door.client.post("/v1/jobs", data=png(9), headers={"Idempotency-Key": "k"})


def in_flight(door: Door) -> TestResponse:
    key_of = routes.key_of
    held = threading.Event()

    def hold(*arguments: Any) -> Any:
        key = key_of(*arguments)
        if not held.is_set():
            held.set()
            with door.parts.in_flight.hold(key):
                answers.append(door.client.post("/v1/jobs", data=png(), headers={"Idempotency-Key": "k"}))
        return key

    answers: list[TestResponse] = []
    door.patch.setattr("api.jobs.routes.key_of", hold)
    door.submit(**{"Idempotency-Key": "k"})
    return answers[0]


def batch(count: int, **settings: Any) -> Call:
    images = [IMAGE] * count
    return lambda door: door.with_settings(**settings).post("/v1/batches", json={"images": images})


def saturated(door: Door) -> TestResponse:
    return door.with_settings(backlog_limit=0).post("/v1/jobs", data=png())


def nobody_works(door: Door) -> TestResponse:
    door.submit()
    door.execute("UPDATE jobs SET created_at = '2026-01-01 00:00:00.000'")
    return door.client.post("/v1/jobs", data=png(9))


def disk_full(door: Door) -> TestResponse:
    def put(_content: bytes, _sha256: str | None = None) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    door.patch.setattr(door.parts.blobs, "put", put)
    return door.client.post("/v1/jobs", data=png())


def database_away(door: Door) -> TestResponse:
    door.patch.setattr(database, "LOCK_WAIT_SECONDS", 0)
    folder = database.make_url(f"sqlite+pysqlite:///{door.parts.settings.data_dir}")
    reader = database._sqlite_engine(folder, begin="BEGIN", read_only=True, pool_size=1)
    door.patch.setattr(door.parts.database, "_reader", reader)
    return door.client.get("/v1/jobs")


def accident(door: Door) -> TestResponse:
    door.patch.setattr(jobs, "list_jobs", None)
    return door.client.get("/v1/jobs")


def disabled(door: Door) -> TestResponse:
    endpoint_id = door.endpoint()
    door.client.patch(f"/v1/webhook-endpoints/{endpoint_id}", json={"enabled": False})
    return door.client.post(f"/v1/webhook-endpoints/{endpoint_id}/ping")


def delivery_under_way(door: Door) -> TestResponse:
    door.client.post(f"/v1/webhook-endpoints/{door.endpoint()}/ping")
    with door.parts.database.write() as connection:
        (delivery,) = deliveries.list_deliveries(connection)
        deliveries.claim(connection, [delivery.id], lease_seconds=30)
    return door.client.post(f"/v1/deliveries/{delivery.id}/redeliver")


def hostile_url(door: Door) -> TestResponse:
    door.patch.undo()
    return door.client.post("/v1/webhook-endpoints", json={"url": "http://127.0.0.1/"})


def stranger(door: Door) -> TestResponse:
    return door.client.get("/v1/jobs", environ_base={"REMOTE_ADDR": "192.0.2.7"})


def range_outside(door: Door) -> TestResponse:
    """Swagger's files are sent in parts, too."""
    return door.client.get("/docs/swagger/css/swagger-ui.css", headers={"Range": "bytes=999999999-"})


IMAGE = base64.b64encode(png()).decode()
NO_ID = "0" * 26


def locked_secret(door: Door) -> TestResponse:
    """The secret was sealed by a key that is lost."""
    with door.parts.database.write() as connection:
        seal_all(connection, Box(lambda: [bytes(32)]))
    return door.client.get("/v1/webhook-endpoints/ep_jobs/secret")


PROVOKED: dict[str, Call] = {
    "empty_document": post(b""),
    "unsupported_media_type": post(b"abc"),
    "document_too_large": post(png(), max_document_bytes=10),
    "too_many_pixels": post(png(50, 50), max_pixels=100),
    "encrypted_document": post(encrypted([PdfPage()])),
    "broken_document": post(b"%PDF-1.7\n"),
    "no_pages": post(pdf([])),
    "too_many_pages": failed_job(errors.TooManyPages()),
    "unreadable_header": post(png()[:20]),
    "zero_size_image": post(png(0, 8)),
    "truncated_image": failed_job(errors.TruncatedImage()),
    "corrupt_image": failed_job(errors.CorruptImage()),
    "quality_too_low": failed_job(errors.QualityTooLow()),
    "unsupported_encoding": ask("POST", "/v1/jobs", data=png(), headers={"Content-Encoding": "gzip"}),
    "missing_file": ask("POST", "/v1/jobs", json={}),
    "invalid_base64": ask("POST", "/v1/jobs", json={"image": "!"}),
    "invalid_json": ask("POST", "/v1/jobs", data=b"{", content_type="application/json"),
    "not_an_object": ask("POST", "/v1/jobs", json=[]),
    "invalid_form": ask("POST", "/v1/jobs", data=b"x", content_type="multipart/form-data"),
    "form_too_large": ask(
        "POST", "/v1/jobs", data={f"f{i}": "1" for i in range(30)}, content_type="multipart/form-data"
    ),
    "unknown_option": ask("GET", "/v1/jobs?colour=red"),
    "invalid_option": ask("GET", "/v1/jobs?limit=0"),
    "unknown_model": failed_job(errors.UnknownModel()),
    "no_stronger_model": failed_job(errors.NoStrongerModel()),
    "model_not_found": ask("GET", "/v1/models/nobody"),
    "model_path_refused": ask("POST", "/api/model/reload", json={"path": "/etc/passwd"}),
    "nothing_to_roll_back": ask("POST", "/v1/models/rollback"),
    "invalid_cursor": ask("GET", "/v1/jobs?cursor=x"),
    "job_not_found": ask("GET", f"/v1/jobs/job_{NO_ID}"),
    "job_deleted": deleted,
    "batch_not_found": ask("GET", f"/v1/batches/bat_{NO_ID}"),
    "not_cancellable": ended("POST", "/v1/jobs/ID/cancel"),
    "not_retryable": ended("POST", "/v1/jobs/ID/retry"),
    "idempotency_mismatch": mismatch,
    "idempotency_in_flight": in_flight,
    "too_many_documents": batch(3, max_batch_documents=2),
    "invalid_webhook_url": hostile_url,
    "endpoint_not_found": ask("GET", f"/v1/webhook-endpoints/ep_{NO_ID}"),
    "endpoint_built_in": ask("DELETE", "/v1/webhook-endpoints/ep_jobs"),
    "endpoint_disabled": disabled,
    "delivery_not_found": ask("GET", f"/v1/deliveries/dlv_{NO_ID}"),
    "delivery_running": delivery_under_way,
    "correction_conflict": ended(
        "POST",
        "/v1/jobs/ID/corrections",
        json={"page_number": 1, "line_number": 1, "before": "not what it holds", "after": "x"},
    ),
    "no_result": lambda door: door.client.get(f"/v1/jobs/{door.submit()}/result"),
    "not_acceptable": ended("GET", "/v1/jobs/ID/result", headers={"Accept": "image/png"}),
    "not_found": ask("GET", "/nowhere"),
    "method_not_allowed": ask("PUT", "/v1/jobs"),
    "range_not_satisfiable": range_outside,
    "loopback_only": stranger,
    "saturated": saturated,
    "no_workers": nobody_works,
    "storage_full": disk_full,
    "still_running": ask("POST", "/api/ocr", json={"image": IMAGE}),
    "database_unavailable": database_away,
    "internal_error": accident,
    "recognition_failed": failed_job(errors.RecognitionFailed()),
    "poison_job": failed_job(errors.PoisonJob()),
    "time_limit_exceeded": failed_job(errors.TimeLimitExceeded()),
    "job_cancelled": failed_job(errors.JobCancelled()),
    "deadline_exceeded": failed_job(errors.DeadlineExceeded()),
    "secrets_locked": locked_secret,
    "document_missing": upload_gone,
    "document_changed": failed_job(errors.DocumentChanged()),
}
ELSEWHERE = {
    "model_refused": "browser/test_models.py",
    "model_held": "unit/api/test_models.py",
    "model_of_other_kind": "unit/api/test_models.py",
    "incomplete_body": "integration/test_server.py",
    "body_too_slow": "integration/test_server.py",
    "rate_limited": "unit/api/test_limits.py",
    "too_many_open_jobs": "unit/api/test_access.py",
    "missing_key": "unit/api/test_access.py",
    "not_signed_in": "unit/api/web/test_sign_in.py",
    "stale_form": "unit/api/web/test_sign_in.py",
    "invalid_key": "unit/api/test_access.py",
    "expired_key": "unit/api/test_access.py",
    "missing_scope": "unit/api/test_access.py",
    "too_many_wrong_keys": "unit/api/test_access.py",
    "malformed_request": "integration/test_api_process.py",
    "uri_too_long": "integration/test_api_process.py",
    "expectation_failed": "integration/test_api_process.py",
    "headers_too_large": "integration/test_api_process.py",
    "transfer_not_supported": "integration/test_api_process.py",
    "bad_gateway": "contract/test_nginx.py",
    "gateway_timeout": "contract/test_nginx.py",
}
"""Provoked in a test that has the server for it; that file names the code or its class."""
NOT_OVER_HTTP = {
    "key_not_found": "what a command says",
    "invalid_configuration": "a process that does not start answers nobody",
    "already_running": "the same",
    "no_live_worker": "what a command says",
    "no_live_sweeper": "what a command says",
    "document_error": "only a group",
    "job_failed": "only a group",
    "invalid_request": "only where a future version of Werkzeug refuses with a status that has no code of its own",
}
"""Their shape is tested below, as that of all others."""


def test_each_code_is_provoked_or_says_why_not() -> None:
    known = {error.code for error in every_error()}
    assert PROVOKED.keys() | ELSEWHERE.keys() | NOT_OVER_HTTP.keys() == known
    assert len(PROVOKED) + len(ELSEWHERE) + len(NOT_OVER_HTTP) == len(known)
    for code, file in ELSEWHERE.items():
        words = (f'"{code}"', f"errors.{errors.by_code(code).__name__}")
        assert any(word in (TESTS / file).read_text("utf-8") for word in words), code


@pytest.mark.parametrize("code", PROVOKED)
def test_a_code_is_answered_with_its_status_in_the_one_shape(code: str, door: Door) -> None:
    answer = PROVOKED[code](door)
    kind = errors.Internal if code == "internal_error" else errors.by_code(code)
    assert (answer.status_code, answer.json["code"]) == (kind.http_status, code)
    check(answer, kind)


@pytest.mark.parametrize("kind", list(every_error()), ids=lambda kind: kind.__name__)
def test_whatever_is_raised_is_answered_with_its_status_in_the_one_shape(
    kind: type[errors.OcrelayError], parts: Parts
) -> None:
    app = app_of(parts)

    @app.get("/raised", doc_ui=False)
    def raised() -> str:
        raise kind(found="<b>", limit=7)

    answer = app.test_client().get("/raised")
    check(answer, kind)
    assert answer.json["details"] == {"found": "<b>", "limit": 7}
    page = app.test_client().get("/raised", headers={"Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (kind.http_status, "text/html")
    assert "&lt;b&gt;" in page.text and "<b>" not in page.text


def check(answer: TestResponse, kind: type[errors.OcrelayError]) -> None:
    assert answer.mimetype == "application/problem+json"
    problem = answers.Problem.model_validate({k: v for k, v in answer.json.items() if k != "job_id"}, strict=True)
    assert (problem.status, problem.code) == (answer.status_code, kind.code)
    assert answer.status_code == kind.http_status
    assert problem.detail.endswith((".", ")")) or len(problem.detail) > 20
    assert problem.request_id == answer.headers["X-Request-ID"]
    assert ("Retry-After" in answer.headers) == problem.retryable
