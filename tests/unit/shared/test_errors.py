"""The error tree: codes are stable, messages help."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared import errors


def tree(root: type[errors.OcrelayError]) -> Iterator[type[errors.OcrelayError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__.startswith(errors.__name__):
            yield from tree(child)


ALL = list(tree(errors.OcrelayError))
CODES = {
    "already_running", "corrupt_image", "database_unavailable", "document_changed", "document_error",
    "document_missing", "document_too_large", "empty_document", "internal_error", "invalid_base64",
    "invalid_configuration", "invalid_cursor", "invalid_json", "invalid_option", "invalid_request", "job_failed",
    "job_not_found", "loopback_only", "method_not_allowed", "missing_file", "not_found", "poison_job",
    "recognition_failed", "saturated", "too_many_pages", "too_many_pixels", "truncated_image", "unknown_model",
    "unknown_option", "unreadable_header", "unsupported_media_type", "zero_size_image",
}  # fmt: skip


def test_the_codes_are_those_that_clients_know() -> None:
    assert {error.code for error in ALL} >= CODES


@pytest.mark.parametrize("error", ALL)
def test_each_error_says_what_happened_and_what_to_do(error: type[errors.OcrelayError]) -> None:
    message = error().message
    assert message.count(". ") >= 1, "one sentence for what happened, one for the way out"
    assert message.endswith(".")


@pytest.mark.parametrize("error", ALL)
def test_each_error_has_a_status_that_fits(error: type[errors.OcrelayError]) -> None:
    assert 400 <= error.http_status < 600
    if issubclass(error, errors.DocumentError | errors.RequestError):
        assert error.http_status < 500
        assert not error.retryable


def test_an_error_becomes_the_json_of_a_job() -> None:
    assert errors.TruncatedImage("It ends early.", page_number=2).to_json() == {
        "code": "truncated_image",
        "message": "It ends early.",
        "retryable": False,
        "phase": "decode",
        "details": {"page_number": 2},
    }
