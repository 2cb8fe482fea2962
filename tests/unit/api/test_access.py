"""API keys at the door: who may do what, and what of others is seen."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, update
from sqlalchemy.engine import Engine
from werkzeug.test import TestResponse

from api.access.key_ring import LOOK_AGAIN_SECONDS, REFRESH_SECONDS, Failures
from api.access.rules import PUBLIC_FILES
from api.app import app_of
from api.http.facts import UNSTATED, of_routes
from api.service.parts import Parts
from shared import clock, keys, tables, workers
from shared.audit import trail
from shared.audit.actor import OPERATOR
from shared.keys import record
from shared.keys.record import Scope
from shared.keys.store import NOTE_SECONDS
from tests.docs import markdown
from tests.services import wait_until
from tests.unit.api.conftest import READER, RESULT, finish, png

EVERY = tuple(Scope)
SCOPES = {
    route.strip("`").replace("{", "<").replace("}", ">"): scope.strip("`").replace("none", "public")
    for route, scope in markdown.rows(markdown.ROOT / "docs/access.md", "Scopes")
    if " /" in route and not scope.startswith("see ")
}
"""What each route needs, by the page of access; `/metrics` needs what the setting says."""
PAGES = {
    route.strip("`").replace("{", "<").replace("}", ">"): scope.strip("`").replace("none", "public")
    for route, _, scope in markdown.rows(markdown.ROOT / "docs/pages.md", "Addresses")
    if " /" in route
}
"""What each page needs, by its own page of the documentation; a cookie opens them, and a key in a header does not."""


@dataclass(frozen=True)
class Holder:
    """A client with a key."""

    client: FlaskClient
    key_id: str
    text: str

    def call(self, method: str, path: str, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.text}", **more.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **more)

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.call("GET", path, **more)

    def submit(self, content: bytes | None = None, **more: Any) -> str:
        answer = self.call("POST", "/v1/jobs", data=png() if content is None else content, **more)
        assert answer.status_code == 202, answer.json
        return str(answer.json["id"])


@pytest.fixture
def make(parts: Parts) -> Callable[..., Holder]:
    """Make a key and a client that has it."""

    def make(*scopes: Scope, days: float | None = None) -> Holder:
        lifetime = None if days is None else days * 86_400
        with parts.database.write() as connection:
            key, text = keys.create(connection, name="test", scopes=scopes, lifetime_seconds=lifetime, actor=OPERATOR)
        return Holder(app_of(parts).test_client(), key.id, text)

    return make


@pytest.fixture
def advance(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let time pass for this process."""
    shift = [0.0]
    real = clock.monotonic
    monkeypatch.setattr(clock, "monotonic", lambda: real() + shift[0])

    def advance(seconds: float) -> None:
        shift[0] += seconds

    return advance


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every SQL statement of this process while the block runs."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


def events_of(parts: Parts, job_id: str) -> list[trail.AuditEvent]:
    with parts.database.read() as connection:
        return trail.list_events(connection, job_id=job_id)[::-1]


def test_no_route_is_forgotten(parts: Parts) -> None:
    stated = dict(of_routes(app_of(parts)))
    asked = {route: facts for route, facts in stated.items() if not route.partition(" ")[2].startswith(PUBLIC_FILES)}
    assert [route for route, facts in asked.items() if facts is None] == []
    pages = {route: facts for route, facts in asked.items() if facts and facts.is_page}
    assert {route: str(facts.scope) for route, facts in pages.items()} == PAGES
    assert asked.keys() - pages == {*SCOPES, "GET /metrics"}


def test_a_route_that_states_nothing_is_for_admins(parts: Parts, make: Callable[..., Holder]) -> None:
    app = app_of(parts)
    app.add_url_rule("/forgotten", "forgotten", lambda: "shown")
    assert dict(of_routes(app))["GET /forgotten"] is None
    assert (UNSTATED.scope, UNSTATED.makes_work, UNSTATED.is_quiet, UNSTATED.takes_upload) == ("admin", *[False] * 3)
    admin, other = (
        replace(make(*scopes), client=app.test_client()) for scopes in ([Scope.ADMIN], set(Scope) - {"admin"})
    )
    assert other.get("/forgotten").json["details"]["needed"] == "admin"
    assert admin.get("/forgotten").text == "shown"


@pytest.mark.parametrize("route", sorted(SCOPES))
def test_each_route_wants_its_scope_and_no_other(make: Callable[..., Holder], route: str) -> None:
    method, _, path = route.partition(" ")
    needed = SCOPES[route]
    for scope in Scope:
        holder = make(scope)
        answer = holder.call(method, path)
        if needed == "public" or holder_may(scope, needed):
            assert answer.status_code not in (401, 403), (scope, answer.json)
        else:
            assert (answer.status_code, answer.json["code"]) == (403, "missing_scope")
            assert answer.json["details"] == {"needed": str(needed), "given": [str(scope)]}
            assert answer.headers["WWW-Authenticate"].endswith(f'error="insufficient_scope", scope="{needed}"')
        bare = holder.client.open(path, method=method)
        assert (bare.status_code == 401) == (needed != "public")


def holder_may(given: Scope, needed: object) -> bool:
    return given in (needed, Scope.ADMIN) or (given, needed) == (Scope.AUDIT, Scope.READ)


def test_once_there_is_a_key_everybody_needs_one_from_this_machine_too(make: Callable[..., Holder]) -> None:
    holder = make(Scope.READ)
    answer = holder.client.get("/v1/jobs")
    assert (answer.status_code, answer.json["code"]) == (401, "missing_key")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="ocrelay"'
    assert holder.get("/v1/jobs").status_code == 200


def test_a_key_serves_other_machines_and_pages_by_any_name(make: Callable[..., Holder]) -> None:
    holder = make(Scope.READ)
    elsewhere = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.9"}, "headers": {"Host": "ocr.example.org"}}
    assert holder.get("/v1/jobs", **elsewhere).status_code == 200
    assert holder.client.get("/v1/jobs", **elsewhere).status_code == 401
    for public in ("/healthz", "/readyz", "/docs", "/openapi.json", "/docs/swagger"):
        assert holder.client.get(public, **elsewhere).status_code in (200, 302, 503), public


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
def test_a_key_is_taken_in_either_header(make: Callable[..., Holder], header: str) -> None:
    holder = make(Scope.READ)
    text = f"bearer  {holder.text}" if header == "Authorization" else holder.text
    assert holder.client.get("/v1/jobs", headers={header: text}).status_code == 200


def test_two_different_keys_are_refused_and_the_same_twice_is_not(make: Callable[..., Holder]) -> None:
    one, other = make(Scope.READ), make(Scope.READ)
    assert one.get("/v1/jobs", headers={"X-API-Key": other.text}).json["code"] == "invalid_key"
    assert one.get("/v1/jobs", headers={"X-API-Key": one.text}).status_code == 200


def test_another_scheme_of_a_proxy_does_no_harm(make: Callable[..., Holder]) -> None:
    holder = make(Scope.READ)
    headers = {"Authorization": "Basic dXNlcjpzZWNyZXQ=", "X-API-Key": holder.text}
    assert holder.client.get("/v1/jobs", headers=headers).status_code == 200
    headers.pop("X-API-Key")
    assert holder.client.get("/v1/jobs", headers=headers).json["code"] == "missing_key"


def test_a_key_in_the_address_is_no_key(make: Callable[..., Holder]) -> None:
    holder = make(Scope.READ)
    for name in ("key", "api_key", "access_token"):
        assert holder.client.get(f"/v1/jobs?{name}={holder.text}").status_code == 401


def wrong(text: str) -> list[str]:
    """Keys that are none, each in another way."""
    stranger = record.new_text("key_" + "0" * 26)
    other_secret = record.new_text("key_" + text.split("_")[1])
    typo = text[:-1] + ("0" if text[-1] != "0" else "1")
    return [stranger, other_secret, typo, text[:-1], text + "0", text.upper(), "ocr_", "secret", "é", "\x7f" * 90]


def test_wrong_keys_are_refused_and_all_alike(make: Callable[..., Holder]) -> None:
    holder = make(*EVERY)
    for text in wrong(holder.text):
        answer = holder.client.get("/v1/jobs", headers={"X-API-Key": text})
        assert (answer.status_code, answer.json["code"], answer.json["details"]) == (401, "invalid_key", {}), text
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="ocrelay", error="invalid_token"'


def test_a_revoked_key_is_refused_within_two_seconds(
    make: Callable[..., Holder], parts: Parts, advance: Callable[[float], None]
) -> None:
    holder, other = make(Scope.READ), make(Scope.READ)
    assert holder.get("/v1/jobs").status_code == 200
    with parts.database.write() as connection:
        assert keys.revoke(connection, holder.key_id, actor=OPERATOR) is not None
    advance(REFRESH_SECONDS)
    assert holder.get("/v1/jobs").json["code"] == "invalid_key"
    with parts.database.write() as connection:
        assert keys.revoke(connection, other.key_id, actor=OPERATOR) is not None
    advance(REFRESH_SECONDS)
    assert holder.client.get("/v1/jobs").status_code == 401, "the door stays shut when the last key is revoked"


def test_a_new_key_works_at_once(make: Callable[..., Holder], advance: Callable[[float], None]) -> None:
    first = make(Scope.READ)
    assert first.get("/v1/jobs").status_code == 200
    second = replace(make(Scope.READ), client=first.client)
    advance(LOOK_AGAIN_SECONDS)
    assert second.get("/v1/jobs").status_code == 200


def test_an_expired_key_says_so(make: Callable[..., Holder], advance: Callable[[float], None]) -> None:
    holder = make(Scope.READ, days=1)
    assert holder.get("/v1/jobs").status_code == 200
    advance(86_400)
    assert holder.get("/v1/jobs").json["code"] == "expired_key"


def test_a_rotated_key_stays_good_for_its_grace(
    make: Callable[..., Holder], parts: Parts, advance: Callable[[float], None]
) -> None:
    old = make(Scope.SUBMIT, Scope.READ)
    job_id = old.submit()
    with parts.database.write() as connection:
        rotated = keys.rotate(connection, old.key_id, grace_seconds=3600, actor=OPERATOR)
    assert rotated is not None
    new = replace(old, text=rotated[1])
    advance(REFRESH_SECONDS)
    assert new.get(f"/v1/jobs/{job_id}").status_code == old.get(f"/v1/jobs/{job_id}").status_code == 200
    advance(3600)
    assert old.get("/v1/jobs").json["code"] == "invalid_key"
    assert new.get(f"/v1/jobs/{job_id}").status_code == 200


def test_a_key_sees_its_own_jobs_and_batches_alone(make: Callable[..., Holder]) -> None:
    mine, other = make(Scope.SUBMIT, Scope.READ), make(Scope.SUBMIT, Scope.READ)
    job_id = mine.submit()
    batch = mine.call("POST", "/v1/batches", data={"file": [(io.BytesIO(png(9, 9)), "a.png")]}).json
    unknown = "job_" + "0" * 26
    for method, path in (
        ("GET", "/v1/jobs/{}"), ("GET", "/v1/jobs/{}/result"), ("GET", "/v1/jobs/{}/image"),
        ("GET", "/v1/jobs/{}/events"), ("DELETE", "/v1/jobs/{}"), ("POST", "/v1/jobs/{}/cancel"),
        ("POST", "/v1/jobs/{}/retry"),
    ):  # fmt: skip
        answers = [other.call(method, path.format(name)) for name in (job_id, unknown)]
        assert [answer.status_code for answer in answers] == [404, 404], path
        assert [answer.json["code"] for answer in answers] == ["job_not_found"] * 2
    assert other.get(f"/v1/batches/{batch['id']}").json["code"] == "batch_not_found"
    assert mine.get(f"/v1/batches/{batch['id']}").status_code == 200
    assert len(mine.get("/v1/jobs").json["jobs"]) == 2
    assert other.get("/v1/jobs").json["jobs"] == []
    assert other.get(f"/v1/jobs?batch_id={batch['id']}").json["jobs"] == []
    assert other.get(f"/v1/jobs?key_id={mine.key_id}").json["jobs"] == []
    assert mine.get(f"/v1/jobs/{job_id}").json["state"] == "queued"


def test_a_deleted_job_of_another_key_is_unknown_too(make: Callable[..., Holder]) -> None:
    mine, other, admin = make(Scope.SUBMIT, Scope.READ), make(Scope.READ), make(Scope.ADMIN)
    job_id = mine.submit()
    assert admin.call("DELETE", f"/v1/jobs/{job_id}").status_code == 204
    assert other.get(f"/v1/jobs/{job_id}").json["code"] == "job_not_found"
    for holder in (mine, admin):
        assert holder.get(f"/v1/jobs/{job_id}").json["code"] == "job_deleted"


def test_audit_reads_everybodys_jobs_and_changes_none(make: Callable[..., Holder], parts: Parts) -> None:
    mine, auditor = make(Scope.SUBMIT, Scope.READ), make(Scope.AUDIT, Scope.SUBMIT)
    job_id = mine.submit()
    assert auditor.get(f"/v1/jobs?key_id={mine.key_id}").json["jobs"][0]["id"] == job_id
    assert auditor.get(f"/v1/jobs/{job_id}").status_code == 200
    for method, path in (("DELETE", ""), ("POST", "/cancel"), ("POST", "/retry")):
        assert auditor.call(method, f"/v1/jobs/{job_id}{path}").status_code == 404
    admin = make(Scope.ADMIN)
    assert admin.call("POST", f"/v1/jobs/{job_id}/cancel").json["state"] == "cancelled"
    cancelled = events_of(parts, job_id)[-1]
    assert (cancelled.event, cancelled.key_id) == (trail.Event.CANCELLED, admin.key_id)


def test_no_shared_cache_keeps_what_a_key_was_shown(make: Callable[..., Holder], parts: Parts) -> None:
    mine = make(Scope.SUBMIT, Scope.READ)
    job_id = mine.submit()
    finish(parts, job_id)
    for path in ("", "/result", "/image"):
        answer = mine.get(f"/v1/jobs/{job_id}{path}")
        assert answer.headers["Cache-Control"] == "no-store", path


def test_reading_anothers_result_is_on_record(make: Callable[..., Holder], parts: Parts) -> None:
    mine, auditor = make(Scope.SUBMIT, Scope.READ), make(Scope.AUDIT)
    job_id = mine.submit()
    assert auditor.get(f"/v1/jobs/{job_id}").status_code == 200, "it has no result yet"
    finish(parts, job_id)
    for path in ("", "/result", "/image", "/events"):
        assert mine.get(f"/v1/jobs/{job_id}{path}").status_code == 200
    assert trail.Event.READ not in {event.event for event in events_of(parts, job_id)}
    elsewhere = {"REMOTE_ADDR": "192.0.2.9"}
    for path in ("", "/result", "/image", "/events"):
        assert auditor.get(f"/v1/jobs/{job_id}{path}", environ_overrides=elsewhere).status_code == 200
    reads = [event for event in events_of(parts, job_id) if event.event == trail.Event.READ]
    assert [(read.key_id, read.client_ip) for read in reads] == [(auditor.key_id, "192.0.2.9")] * 4


def test_the_trail_names_the_key_of_whoever_acts(make: Callable[..., Holder], parts: Parts) -> None:
    mine, admin = make(Scope.SUBMIT, Scope.READ), make(Scope.ADMIN)
    job_id = mine.submit()
    assert admin.get(f"/v1/jobs/{job_id}").status_code == 200, "the last request of this thread is another's"
    finish(parts, job_id)
    assert {event.key_id for event in events_of(parts, job_id)} == {mine.key_id}
    made = admin.call("POST", "/v1/webhook-endpoints", json={"url": "https://hooks.example/a"})
    assert made.status_code == 201
    with parts.database.read() as connection:
        newest = trail.list_events(connection, limit=1)[0]
    assert (newest.event, newest.key_id) == (trail.Event.ENDPOINT_CREATED, admin.key_id)


def test_a_key_is_given_no_copy_of_anothers_result(make: Callable[..., Holder], parts: Parts) -> None:
    mine, other, admin = make(Scope.SUBMIT, Scope.READ), make(Scope.SUBMIT, Scope.READ), make(Scope.ADMIN)
    with parts.database.write() as connection:
        model: Any = RESULT["model"]
        workers.register(connection, node="n", host="h", pid=1, model=model, reader_sha256=READER)
    first = mine.submit()
    finish(parts, first)
    for stranger in (other, admin):
        job = stranger.call("POST", "/v1/jobs", data=png()).json
        assert (job["state"], job["copied_from"]) == ("queued", None)
    again = mine.call("POST", "/v1/jobs", data=png()).json
    assert (again["state"], again["copied_from"]) == ("succeeded", first)


def test_each_key_has_idempotency_keys_of_its_own(make: Callable[..., Holder]) -> None:
    mine, other = make(Scope.SUBMIT), make(Scope.SUBMIT)
    header = {"headers": {"Idempotency-Key": "1"}}
    first = mine.submit(**header)
    assert mine.submit(**header, environ_overrides={"REMOTE_ADDR": "192.0.2.9"}) == first, "from any address"
    assert other.submit(**header) != first
    assert other.submit(**header) != mine.submit(**header)


def test_a_key_sees_deliveries_to_the_urls_of_its_jobs(make: Callable[..., Holder], parts: Parts) -> None:
    mine, other = make(Scope.SUBMIT, Scope.READ), make(Scope.SUBMIT, Scope.READ)
    auditor, admin = make(Scope.AUDIT), make(Scope.ADMIN)
    admin.call("POST", "/v1/webhook-endpoints", json={"url": "https://hooks.example/of-the-operator"})
    job_id = mine.submit(query_string={"webhook": "https://hooks.example/mine"})
    finish(parts, job_id)
    (seen,) = mine.get("/v1/deliveries").json["deliveries"]
    assert seen["url"] == "https://hooks.example/mine"
    assert len(auditor.get("/v1/deliveries").json["deliveries"]) == 2
    assert other.get("/v1/deliveries").json["deliveries"] == []
    assert other.get(f"/v1/deliveries/{seen['id']}").json["code"] == "delivery_not_found"
    assert other.call("POST", f"/v1/deliveries/{seen['id']}/redeliver").status_code == 404
    assert mine.get(f"/v1/deliveries/{seen['id']}").status_code == 200
    assert mine.call("POST", f"/v1/deliveries/{seen['id']}/redeliver").status_code == 202


def test_bulk_retry_moves_the_jobs_of_the_key_alone(make: Callable[..., Holder], parts: Parts) -> None:
    mine, other, admin = make(Scope.SUBMIT), make(Scope.SUBMIT), make(Scope.ADMIN)
    job_id = mine.submit()
    with parts.database.write() as connection:
        connection.execute(update(tables.jobs).values(state="failed"))
    assert other.call("POST", "/v1/jobs/retry").json["retried"] == []
    assert mine.call("POST", "/v1/jobs/retry").json["retried"] == [job_id]
    with parts.database.write() as connection:
        connection.execute(update(tables.jobs).values(state="failed"))
    assert admin.call("POST", "/v1/jobs/retry").json["retried"] == [job_id]


def test_jobs_from_before_the_first_key_are_the_operators(client: FlaskClient, make: Callable[..., Holder]) -> None:
    job_id = client.post("/v1/jobs", data=png()).json["id"]
    holder, auditor = make(Scope.READ), make(Scope.AUDIT)
    assert holder.get(f"/v1/jobs/{job_id}").status_code == 404
    assert auditor.get(f"/v1/jobs/{job_id}").status_code == 200


def test_unfinished_jobs_of_a_key_are_bounded_and_nothing_is_stored_beyond(
    parts: Parts, make: Callable[..., Holder]
) -> None:
    few = replace(parts, settings=parts.settings.model_copy(update={"max_open_jobs_per_key": 2}))
    mine, other = (replace(make(*EVERY), client=app_of(few).test_client()) for _ in range(2))
    first, second = mine.submit(), mine.submit(png(9, 9))
    answer = mine.call("POST", "/v1/jobs", data=png(10, 10))
    assert (answer.status_code, answer.json["code"], answer.json["retryable"]) == (429, "too_many_open_jobs", True)
    assert answer.json["details"] == {"open_jobs": 2, "more": 1, "limit": 2}
    assert int(answer.headers["Retry-After"]) >= 1
    assert len([path for path in parts.settings.blobs_dir.rglob("*") if path.is_file()]) == 2
    other.submit()
    finish(parts, first)
    mine.submit(png(10, 10))
    assert mine.call("POST", f"/v1/jobs/{second}/cancel").status_code == 200
    mine.submit(png(11, 11))
    again = mine.call("POST", f"/v1/jobs/{second}/retry")
    assert (again.status_code, again.json["code"]) == (429, "too_many_open_jobs")


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://["}, {"Origin": "http://localhost.example"}, {"Host": "[::1"}, {"X-Forwarded-For": "127.0.0.1"},
     {"Forwarded": "for=127.0.0.1"}, {"Via": "1.1 proxy"}],
    ids=str,
)  # fmt: skip
def test_without_keys_a_page_or_a_proxy_that_nobody_named_is_a_stranger(parts: Parts, headers: dict[str, str]) -> None:
    answer = app_of(parts).test_client().get("/v1/jobs", headers=headers)
    assert (answer.status_code, answer.json["code"]) in ((403, "loopback_only"), (400, "malformed_request"))


def test_a_known_key_costs_the_database_nothing(make: Callable[..., Holder], parts: Parts) -> None:
    holder = make(Scope.READ)
    assert holder.get("/v1/jobs").status_code == 200
    wait_until(lambda: used(parts, holder) is not None, what="the use of the key")
    with statements() as seen:
        for _ in range(5):
            assert holder.get("/v1/jobs").status_code == 200
    assert len([statement for statement in seen if "FROM jobs" in statement]) == 5
    assert [statement for statement in seen if statement.startswith("UPDATE")] == []
    assert len([statement for statement in seen if "api_keys" in statement]) <= 1, "at most one look for changes"


def used(parts: Parts, holder: Holder) -> object:
    with parts.database.read() as connection:
        return next(key.last_used_at for key in keys.list_keys(connection) if key.id == holder.key_id)


def test_the_last_use_is_written_once_a_minute(
    make: Callable[..., Holder], parts: Parts, advance: Callable[[float], None]
) -> None:
    holder = make(Scope.READ)
    holder.get("/v1/jobs")
    wait_until(lambda: used(parts, holder) is not None, what="the first use")
    with parts.database.write() as connection:
        connection.execute(update(tables.api_keys).values(last_used_at=None))
    holder.get("/v1/jobs")
    assert used(parts, holder) is None
    advance(NOTE_SECONDS)
    holder.get("/v1/jobs")
    wait_until(lambda: used(parts, holder) is not None, what="the use a minute later")


def test_wrong_keys_cost_the_database_nothing(
    make: Callable[..., Holder], parts: Parts, advance: Callable[[float], None]
) -> None:
    """`python -m tests.bench.keys` does the same with many more."""
    holder = make(Scope.READ)
    assert holder.get("/v1/jobs").status_code == 200
    wait_until(lambda: used(parts, holder) is not None, what="the use of the key")
    most = parts.settings.wrong_keys_per_minute
    with statements() as seen:
        answers = []
        for _ in range(3 * most):
            advance(LOOK_AGAIN_SECONDS)
            answers.append(holder.client.get("/v1/jobs", headers={"X-API-Key": wrong(holder.text)[1]}))
    assert [answer.status_code for answer in answers] == [401] * most + [429] * 2 * most
    assert answers[-1].json["code"] == "too_many_wrong_keys"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    noted = [statement for statement in seen if statement.startswith("INSERT INTO audit_events")]
    assert len(seen) - len(noted) <= most
    assert len(noted) <= 2, "one event for each of the two codes, however many came"
    elsewhere = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.9"}}
    assert holder.get("/v1/jobs").status_code == 200, "who has a key is not shut out by a neighbour"
    assert holder.client.get("/v1/jobs", headers={"X-API-Key": "x"}, **elsewhere).status_code == 401
    advance(60)
    assert holder.client.get("/v1/jobs", headers={"X-API-Key": "x"}).status_code == 401


@pytest.mark.parametrize(
    ("access", "here", "elsewhere"), [("loopback", 200, 401), ("admin", 401, 401), ("public", 200, 200)]
)
def test_metrics_are_shown_to_whom_the_setting_says(
    parts: Parts, make: Callable[..., Holder], access: str, here: int, elsewhere: int
) -> None:
    admin, reader = make(Scope.ADMIN), make(Scope.AUDIT, Scope.SUBMIT)
    app = app_of(replace(parts, settings=parts.settings.model_copy(update={"metrics_access": access})))
    peer = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.9"}}
    client = app.test_client()
    assert client.get("/metrics").status_code == here
    assert client.get("/metrics", headers={"Host": "evil.example"}).status_code == elsewhere
    assert client.get("/metrics", **peer).status_code == elsewhere
    assert replace(admin, client=client).get("/metrics", **peer).status_code == 200
    assert replace(reader, client=client).get("/metrics", **peer).status_code == (200 if access == "public" else 403)


def test_only_so_many_addresses_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.access.key_ring.REMEMBERED_ADDRESSES", 3)
    failures = Failures(1)
    for number in range(5):
        failures.add(f"192.0.2.{number}")
    waiting = [bool(failures.wait_seconds(f"192.0.2.{number}")) for number in range(5)]
    assert waiting == [False, False, True, True, True]


def test_the_document_asks_for_keys_where_there_are_some(client: FlaskClient, make: Callable[..., Holder]) -> None:
    bare = client.get("/openapi.json").json
    assert "securitySchemes" not in bare["components"]
    document = make(Scope.READ).client.get("/openapi.json").json
    assert set(document["components"]["securitySchemes"]) == {"bearer", "api_key"}
    assert document["paths"]["/v1/jobs"]["post"]["security"] == [{"bearer": ["submit"]}, {"api_key": ["submit"]}]
    assert document["paths"]["/healthz"]["get"]["security"] == []
