"""The page on webhooks: its example runs, and its tables say what the code does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.webhooks.record import EVENT_TYPES, PING
from tests.docs import markdown
from worker.webhooks.message import headers_of

PAGE = markdown.ROOT / "docs" / "webhooks.md"
SECRETS = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"]


@pytest.fixture
def is_genuine() -> Any:
    (block,) = markdown.blocks(PAGE, "python")
    names: dict[str, Any] = {}
    exec(block, names)
    return names["is_genuine"]


def signed(body: str) -> dict[str, str]:
    return headers_of("dlv_1", body, SECRETS, at=datetime.now(UTC))


def test_the_example_takes_what_is_signed_with_either_secret(is_genuine: Any) -> None:
    body = '{"reference":"发票 7"}'
    for secret in SECRETS:
        assert is_genuine(secret, signed(body), body.encode())


def test_the_example_refuses_everything_else(is_genuine: Any) -> None:
    headers = signed("{}")
    assert not is_genuine("whsec_" + "A" * 32, headers, b"{}")
    assert not is_genuine(SECRETS[0], headers, b"{} ")
    assert not is_genuine(SECRETS[0], headers | {"webhook-id": "dlv_2"}, b"{}")
    old = headers_of("dlv_1", "{}", SECRETS, at=datetime(2026, 1, 1, tzinfo=UTC))
    assert not is_genuine(SECRETS[0], old, b"{}")


def test_a_signature_is_the_one_that_the_specification_shows() -> None:
    """Source: Standard Webhooks 1.0, the example of the specification."""
    body = '{"test": 2432232314}'
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = headers_of("msg_p5jXN8AQM9LWM0D4loKWxJek", body, [SECRETS[0]], at=at)
    assert headers["webhook-timestamp"] == "1614265330"
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_each_event_type_has_its_row() -> None:
    assert {row[0].strip("`") for row in markdown.rows(PAGE, "The message")} >= {*EVENT_TYPES, PING}


def test_each_reason_and_each_error_is_explained() -> None:
    rooms = [markdown.ROOT / "worker/webhooks/post.py", markdown.ROOT / "worker/webhooks/deliverer.py"]
    code = "".join(path.read_text("utf-8") for path in rooms)
    explained = {row[0].strip("`") for row in markdown.rows(PAGE, "When it is not taken")}
    for error in (
        "address_refused",
        "name_not_found",
        "connection_failed",
        "tls_failed",
        "timed_out",
        "invalid_answer",
    ):
        assert f'"{error}"' in code
        assert error in explained
    assert {"redirect", "interrupted", "internal_error"} <= explained
