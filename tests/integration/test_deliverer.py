"""Deliveries from plan to receiver: real database, real threads, real sockets, and two other people's verifiers."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import standardwebhooks
import svix
from sqlalchemy import update

from shared import clock, jobs, tables
from shared.database import Database, database_now
from shared.jobs import Job, Submission
from shared.settings import Settings
from shared.webhooks import deliveries, endpoints
from shared.webhooks.record import JOB_URLS, Delivery, DeliveryAttempt, Endpoint
from tests.actors import BOX, CLIENT, SECRETS_KEY
from tests.receiver import Answer, Message, Receiver
from tests.services import wait_until
from worker.webhooks.deliverer import Deliverer
from worker.webhooks.message import MAX_BODY_BYTES, body_of

MODEL = {"name": "m", "version": "1", "sha256": "cd" * 32}
RESULT = {"text": "发票", "confidence": 0.9, "min_confidence": 0.8, "model": MODEL, "pages": []}
PUBLIC_URL = "https://ocr.example"


@pytest.fixture
def settings() -> Settings:
    return Settings.load(
        public_url=PUBLIC_URL + "/",
        secrets_key=SECRETS_KEY,
        webhook_allowed_networks="127.0.0.1",
        webhook_threads=8,
        webhook_concurrency=2,
    )


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def start(database_url: str, settings: Settings) -> Iterator[Callable[[], Deliverer]]:
    """Start a deliverer with connections of its own; all are stopped at the end."""
    started: list[tuple[Deliverer, threading.Thread, Database]] = []

    def begin() -> Deliverer:
        own = Database(database_url, pool_size=2)
        deliverer = Deliverer(own, settings)
        started.append((deliverer, deliverer.start(), own))
        return deliverer

    yield begin
    for deliverer, thread, own in started:
        deliverer.stop()
        thread.join(60)
        own.close()


def create(database: Database, receiver: Receiver) -> tuple[Endpoint, str]:
    with database.write() as connection:
        return endpoints.create(connection, url=receiver.url(), actor=CLIENT, box=BOX)


def succeed(database: Database, submission: Submission) -> Job:
    with database.write() as connection:
        job = jobs.submit(connection, submission, max_attempts=4)
        claimed = jobs.claim(connection, job.id, owner="node/1", lease_seconds=30)
        assert claimed is not None
        assert jobs.succeed(connection, job.id, str(claimed.lease_token), result=RESULT, timings_ms={"total": 1.0})
    return job


def all_of(database: Database, endpoint_id: str) -> list[Delivery]:
    with database.read() as connection:
        return deliveries.list_deliveries(connection, endpoint_id=endpoint_id, limit=200)


def wait_for_states(database: Database, endpoint_id: str, **counts: int) -> None:
    wait_until(
        lambda: Counter(str(delivery.state) for delivery in all_of(database, endpoint_id)) == counts, what=str(counts)
    )


def attempts_of(database: Database, delivery_id: str) -> list[DeliveryAttempt]:
    with database.read() as connection:
        return deliveries.list_attempts(connection, delivery_id)


def make_due(database: Database) -> None:
    with database.write() as connection:
        connection.execute(update(tables.deliveries).values(due_at=database_now(-1)))


def verify(secret: str, message: Message) -> dict[str, object]:
    """What both verifiers say; each raises where the signature is wrong."""
    parsed = standardwebhooks.Webhook(secret).verify(message.body, message.headers)
    svix.Webhook(secret).verify(message.body, message.headers)
    return dict(parsed)


def test_a_signed_message_in_chinese_satisfies_the_verifiers_of_others(
    database: Database, submission: Submission, receiver: Receiver, start: Callable[[], Deliverer]
) -> None:
    endpoint, secret = create(database, receiver)
    job = succeed(database, replace(submission, reference="发票 7，二〇二六年"))
    start()
    (message,) = receiver.wait_for(1)
    event = verify(secret, message)
    assert "发票 7，二〇二六年".encode() in message.body, "as itself, not as escapes"
    assert event["type"] == "job.succeeded"
    data = event["data"]
    assert isinstance(data, dict)
    assert (data["id"], data["reference"], data["state"]) == (job.id, "发票 7，二〇二六年", "succeeded")
    assert data["links"]["self"] == f"{PUBLIC_URL}/v1/jobs/{job.id}"
    wait_for_states(database, endpoint.id, succeeded=1)
    (delivery,) = all_of(database, endpoint.id)
    assert message.webhook_id == delivery.id
    assert message.headers["content-type"] == "application/json"
    assert message.headers["user-agent"].startswith("ocrelay/")
    wrong_id = {**message.headers, "webhook-id": "dlv_x"}
    for forged in (replace(message, body=message.body + b" "), replace(message, headers=wrong_id)):
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(secret).verify(forged.body, forged.headers)
        with pytest.raises(svix.WebhookVerificationError):
            svix.Webhook(secret).verify(forged.body, forged.headers)


def test_old_and_new_secret_both_verify_while_they_are_rotated(
    database: Database, submission: Submission, receiver: Receiver, start: Callable[[], Deliverer]
) -> None:
    endpoint, old = create(database, receiver)
    with database.write() as connection:
        new = endpoints.rotate_secret(connection, endpoint.id, overlap_seconds=3600, actor=CLIENT, box=BOX)
    succeed(database, replace(submission, reference="轮换"))
    start()
    (message,) = receiver.wait_for(1)
    assert message.headers["webhook-signature"].count("v1,") == 2
    assert verify(old, message) == verify(new, message)
    with database.write() as connection:
        last = endpoints.rotate_secret(connection, endpoint.id, overlap_seconds=0, actor=CLIENT, box=BOX)
    succeed(database, submission)
    message = receiver.wait_for(2)[1]
    verify(last, message)
    verify(old, message)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        verify(new, message)


def test_the_url_of_a_job_is_signed_with_the_secret_of_the_built_in_endpoint(
    database: Database, submission: Submission, receiver: Receiver, start: Callable[[], Deliverer]
) -> None:
    succeed(database, replace(submission, webhook=receiver.url("/mine?job=7")))
    start()
    (message,) = receiver.wait_for(1)
    with database.read() as connection:
        (secret,) = endpoints.secrets_of(connection, [JOB_URLS], box=BOX)[JOB_URLS]
    verify(secret, message)
    assert message.path == "/mine?job=7"


def test_every_attempt_has_the_same_id_and_body_and_a_signature_of_its_own(
    database: Database, submission: Submission, receiver: Receiver, start: Callable[[], Deliverer]
) -> None:
    statuses = iter([500, 404])
    receiver.answer = lambda _message: Answer(next(statuses, 200), {}, "出错".encode())
    endpoint, secret = create(database, receiver)
    succeed(database, submission)
    start()
    for count in (1, 2):
        receiver.wait_for(count)
        wait_for_states(database, endpoint.id, queued=1)
        clock.sleep(1.1)  # the time in the header counts in seconds
        make_due(database)
    messages = receiver.wait_for(3)
    wait_for_states(database, endpoint.id, succeeded=1)
    assert len({message.webhook_id for message in messages}) == 1
    assert len({message.body for message in messages}) == 1
    assert len({message.headers["webhook-timestamp"] for message in messages}) == 3
    assert len({message.headers["webhook-signature"] for message in messages}) == 3
    for message in messages:
        verify(secret, message)
    found = attempts_of(database, messages[0].webhook_id)
    assert [(attempt.number, attempt.status, attempt.answer) for attempt in found] == [
        (1, 500, "出错"),
        (2, 404, "出错"),
        (3, 200, "出错"),
    ]


def test_a_slow_receiver_does_not_hold_back_the_others(
    database: Database, submission: Submission, receiver: Receiver, start: Callable[[], Deliverer]
) -> None:
    let_go = threading.Event()
    slow = Receiver(lambda _message: Answer(200 if let_go.wait(60) else 500))
    slow_endpoint, _ = create(database, slow)
    fast_endpoint, _ = create(database, receiver)
    for _ in range(12):
        succeed(database, submission)
    start()
    wait_for_states(database, fast_endpoint.id, succeeded=12)
    assert len(slow.messages) == 2, "as many as may run at once to one endpoint, and no more"
    let_go.set()
    wait_for_states(database, slow_endpoint.id, succeeded=12)
    slow.close()


def test_many_sweepers_deliver_each_message_once(
    database: Database, submission: Submission, receiver: Receiver, start: Callable[[], Deliverer]
) -> None:
    endpoint, _ = create(database, receiver)
    for _ in range(30):
        succeed(database, submission)
    for _ in range(3):
        start()
    wait_for_states(database, endpoint.id, succeeded=30)
    assert Counter(message.webhook_id for message in receiver.messages) == Counter(
        delivery.id for delivery in all_of(database, endpoint.id)
    )


def test_retry_after_holds_back_the_other_messages_to_the_same_receiver(
    database: Database, submission: Submission, receiver: Receiver, settings: Settings
) -> None:
    receiver.answer = lambda _message: Answer(429, {"Retry-After": "3600"})
    endpoint, _ = create(database, receiver)
    deliverer = Deliverer(database, settings.model_copy(update={"webhook_concurrency": 1}))
    for _ in range(3):
        succeed(database, submission)
    assert deliverer.round()
    wait_until(lambda: deliverer.collect(0.1) or deliverer.has_news)
    deliverer.round()
    assert Counter(delivery.attempt for delivery in all_of(database, endpoint.id)) == {0: 2, 1: 1}
    make_due(database)
    assert not deliverer.round()
    assert len(receiver.messages) == 1


def test_a_receiver_that_is_gone_is_not_asked_again(
    database: Database, submission: Submission, receiver: Receiver, start: Callable[[], Deliverer]
) -> None:
    receiver.answer = lambda _message: Answer(410)
    endpoint, _ = create(database, receiver)
    succeed(database, submission)
    start()
    wait_for_states(database, endpoint.id, failed=1)
    succeed(database, submission)
    wait_for_states(database, endpoint.id, failed=1)
    assert len(receiver.messages) == 1


def test_an_address_that_is_not_allowed_any_more_is_not_connected_to(
    database: Database, submission: Submission, receiver: Receiver, settings: Settings
) -> None:
    endpoint, _ = create(database, receiver)
    succeed(database, submission)
    deliverer = Deliverer(database, settings.model_copy(update={"webhook_allowed_networks": ""}))
    deliverer.round()
    wait_until(lambda: deliverer.collect(0.1) or deliverer.has_news)
    deliverer.round()
    (delivery,) = all_of(database, endpoint.id)
    (attempt,) = attempts_of(database, delivery.id)
    assert (delivery.state, attempt.error) == ("queued", "address_refused")
    assert receiver.connections == 0


def test_what_is_under_way_when_a_sweeper_stops_is_given_back(
    database: Database, submission: Submission, settings: Settings
) -> None:
    let_go = threading.Event()
    slow = Receiver(lambda _message: Answer(200 if let_go.wait(60) else 500))
    endpoint, _ = create(database, slow)
    succeed(database, submission)
    deliverer = Deliverer(database, settings)
    thread = deliverer.start()
    slow.wait_for(1)
    deliverer.stop()
    thread.join(60)
    (delivery,) = all_of(database, endpoint.id)
    (attempt,) = attempts_of(database, delivery.id)
    assert (delivery.state, delivery.step, attempt.error) == ("queued", 0, "interrupted")
    let_go.set()
    slow.close()


def test_the_attempt_of_a_sweeper_that_died_is_made_again(
    database: Database, submission: Submission, receiver: Receiver, start: Callable[[], Deliverer]
) -> None:
    endpoint, _ = create(database, receiver)
    succeed(database, submission)
    (delivery,) = all_of(database, endpoint.id)
    with database.write() as connection:
        assert deliveries.claim(connection, [delivery.id], lease_seconds=-1)
    start()
    wait_for_states(database, endpoint.id, succeeded=1)
    assert [attempt.error for attempt in attempts_of(database, delivery.id)] == ["interrupted", None]


def test_the_body_stays_small_whatever_the_error_holds(
    database: Database, submission: Submission, receiver: Receiver
) -> None:
    create(database, receiver)
    succeed(database, submission)
    with database.read() as connection:
        (delivery,) = deliveries.list_deliveries(connection)
    error = {"code": "x", "message": "y", "retryable": False, "phase": "job", "details": {"long": "字" * 30_000}}
    payload = {**delivery.payload, "data": {**delivery.payload["data"], "error": error}}
    body = body_of(replace(delivery, payload=payload), base_url=PUBLIC_URL)
    assert len(body.encode()) < MAX_BODY_BYTES
    assert json.loads(body)["data"]["error"]["code"] == "x"
