"""What errors are called that people meet on the pages, and what can be done about them.

The API says it in its own words, of options and calls, in English alone.
"""

from __future__ import annotations

from typing import Any

from flask_babel import LazyString, lazy_gettext

from api.web.languages import NAMES, chosen
from shared import errors

ERRORS: dict[str, LazyString] = {
    "unsupported_media_type": lazy_gettext("This is no image and no PDF"),
    "document_too_large": lazy_gettext("The file is too large"),
    "too_many_pixels": lazy_gettext("The image has too many pixels"),
    "too_many_pages": lazy_gettext("The document has too many pages"),
    "corrupt_image": lazy_gettext("The file is damaged"),
    "broken_document": lazy_gettext("The file is damaged"),
    "encrypted_document": lazy_gettext("The document has a password"),
    "empty_document": lazy_gettext("The file is empty"),
    "quality_too_low": lazy_gettext("The image is too poor to be read"),
    "saturated": lazy_gettext("The server has too much to do"),
    "no_workers": lazy_gettext("Nobody is there to read"),
    "missing_file": lazy_gettext("No file was chosen"),
    "missing_scope": lazy_gettext("Your key may not do this"),
    "invalid_key": lazy_gettext("This key is not good here"),
    "expired_key": lazy_gettext("This key has expired"),
    "too_many_wrong_keys": lazy_gettext("Too many wrong keys came from your address"),
    "rate_limited": lazy_gettext("Too much at once"),
    "not_signed_in": lazy_gettext("You are not signed in"),
    "stale_form": lazy_gettext("This page is out of date: load it again"),
    "job_not_found": lazy_gettext("There is no such document"),
    "job_deleted": lazy_gettext("This document was deleted"),
    "not_found": lazy_gettext("Nothing is here"),
    "correction_conflict": lazy_gettext("Somebody else has changed this line"),
    "not_cancellable": lazy_gettext("It has ended already"),
    "not_retryable": lazy_gettext("It cannot be tried again"),
    "document_missing": lazy_gettext("The file is not kept any more"),
    "poison_job": lazy_gettext("Every attempt to read it broke off"),
    "loopback_only": lazy_gettext("Without keys this server answers only its own machine"),
    "truncated_image": lazy_gettext("The file is damaged"),
    "unreadable_header": lazy_gettext("The file is damaged"),
    "no_pages": lazy_gettext("The file is empty"),
    "zero_size_image": lazy_gettext("The file is empty"),
    "recognition_failed": lazy_gettext("Every attempt to read it broke off"),
    "time_limit_exceeded": lazy_gettext("Every attempt to read it broke off"),
    "storage_full": lazy_gettext("The server's disk is full"),
    "invalid_option": lazy_gettext("Something was filled in that does not work here"),
    "key_not_found": lazy_gettext("There is no such key, or it was revoked before"),
    "invalid_webhook_url": lazy_gettext("Webhooks may not go to this address"),
    "endpoint_not_found": lazy_gettext("There is no such webhook any more"),
    "endpoint_built_in": lazy_gettext("This webhook is built in"),
    "endpoint_disabled": lazy_gettext("The webhook is switched off"),
    "delivery_not_found": lazy_gettext("There is no such delivery"),
    "delivery_running": lazy_gettext("An attempt is under way"),
    "batch_not_found": lazy_gettext("There is no such batch"),
    "no_result": lazy_gettext("It has not been read to the end yet"),
    "model_not_found": lazy_gettext("No worker has this model"),
    "model_of_other_kind": lazy_gettext("The model is of another kind"),
    "model_refused": lazy_gettext("This cannot be done with the model"),
    "nothing_to_roll_back": lazy_gettext("There is no model to go back to"),
    "internal_error": lazy_gettext("The server made a mistake"),
    "database_unavailable": lazy_gettext("The server's database does not answer"),
    "method_not_allowed": lazy_gettext("Nothing is here"),
    "malformed_request": lazy_gettext("The server did not understand the browser"),
    "invalid_form": lazy_gettext("The form did not arrive whole"),
    "incomplete_body": lazy_gettext("The form did not arrive whole"),
    "body_too_slow": lazy_gettext("The form arrived too slowly"),
    "form_too_large": lazy_gettext("The form holds too much"),
    "uri_too_long": lazy_gettext("The address is too long"),
    "invalid_cursor": lazy_gettext("There is no such page of the list"),
    "too_many_documents": lazy_gettext("The batch holds too many documents"),
    "too_many_open_jobs": lazy_gettext("Too many of your documents are waiting"),
    "idempotency_mismatch": lazy_gettext("Another file was sent in its place"),
    "idempotency_in_flight": lazy_gettext("It is being sent already"),
    "unknown_model": lazy_gettext("No worker has this model"),
    "no_stronger_model": lazy_gettext("No worker has a stronger model"),
    "deadline_exceeded": lazy_gettext("It was not read in time"),
    "document_changed": lazy_gettext("The kept file is damaged"),
    "secrets_locked": lazy_gettext("The webhook's secret cannot be read"),
}
SAVE_ANEW = lazy_gettext("Save it anew with another program, and send the complete file.")
TAKE_FROM_LIST = lazy_gettext("It may have been deleted, or belong to somebody else. Take it from the list.")
SEND_AGAIN = lazy_gettext("Load the page again, and send it once more.")
LATER = lazy_gettext("Try again in a moment. If it stays so, tell whoever runs this server.")
OFFERED = lazy_gettext("Choose one of those that the page offers.")
TELL = lazy_gettext("Whoever runs this server finds the reason in its log.")
DETAILS: dict[str, LazyString] = {
    "unsupported_media_type": lazy_gettext("Send a PDF, PNG, JPEG, WebP, BMP, TIFF, GIF, JPEG 2000, HEIC or AVIF."),
    "document_too_large": lazy_gettext("Send a smaller file, or ask whoever runs this server to allow larger ones."),
    "too_many_pixels": lazy_gettext("Scale it down, or ask whoever runs this server to allow larger images."),
    "too_many_pages": lazy_gettext("Split it, or ask whoever runs this server to allow more pages."),
    "corrupt_image": SAVE_ANEW,
    "broken_document": SAVE_ANEW,
    "truncated_image": SAVE_ANEW,
    "unreadable_header": SAVE_ANEW,
    "encrypted_document": lazy_gettext("Save it without a password, and send that."),
    "empty_document": lazy_gettext("There is nothing in it that could be read. Choose another file."),
    "no_pages": lazy_gettext("There is nothing in it that could be read. Choose another file."),
    "zero_size_image": lazy_gettext("There is nothing in it that could be read. Choose another file."),
    "quality_too_low": lazy_gettext("Scan or photograph it better, and send it again."),
    "saturated": lazy_gettext("Too many documents are waiting. Try again later."),
    "no_workers": lazy_gettext(
        "Documents have been waiting for long. Try again later, or tell whoever runs this server."
    ),
    "missing_file": lazy_gettext("Choose one, and send it again."),
    "missing_scope": lazy_gettext("Sign in with a key that may do it, or ask whoever runs this server for one."),
    "invalid_key": lazy_gettext("It was mistyped or revoked. Ask whoever runs this server for another."),
    "expired_key": lazy_gettext("Ask whoever runs this server for another."),
    "too_many_wrong_keys": lazy_gettext("Wait for a minute, and try again with the right key."),
    "rate_limited": lazy_gettext("You ask more often than this server allows. Wait for a moment."),
    "not_signed_in": lazy_gettext("You were signed out meanwhile. Sign in with an API key of this server."),
    "stale_form": SEND_AGAIN,
    "job_not_found": TAKE_FROM_LIST,
    "job_deleted": lazy_gettext("Its file and its text are gone. Send it again if you still need it."),
    "not_found": lazy_gettext("The address may be mistyped, or what was here is gone."),
    "method_not_allowed": lazy_gettext("The address may be mistyped, or what was here is gone."),
    "correction_conflict": lazy_gettext("Look at what the line holds now, and correct that."),
    "not_cancellable": lazy_gettext("There is nothing to stop any more. Load the page again to see how it ended."),
    "not_retryable": lazy_gettext("Only what failed or was stopped can be tried again."),
    "document_missing": lazy_gettext("Send it again."),
    "document_changed": lazy_gettext("Send it again, and tell whoever runs this server: its disk may be failing."),
    "poison_job": lazy_gettext(
        "Look at the file, then send it again. Whoever runs this server finds the reason in its log."
    ),
    "recognition_failed": TELL,
    "time_limit_exceeded": lazy_gettext("It took too long. Split it or make it smaller, and send it again."),
    "deadline_exceeded": lazy_gettext("The time that was set for it is over. Try it again."),
    "loopback_only": lazy_gettext("Open it on the machine itself, or ask whoever runs it to make an API key."),
    "storage_full": lazy_gettext("Nothing was accepted. Try again later; whoever runs this server must make room."),
    "key_not_found": TAKE_FROM_LIST,
    "invalid_webhook_url": lazy_gettext("Give an http or https address that is public, without a password in it."),
    "endpoint_not_found": TAKE_FROM_LIST,
    "endpoint_built_in": lazy_gettext(
        "It stands for the addresses of single documents. Its secret can be shown and renewed."
    ),
    "endpoint_disabled": lazy_gettext("Switch it on, then try again."),
    "delivery_not_found": TAKE_FROM_LIST,
    "delivery_running": lazy_gettext("Look at it again in some seconds."),
    "batch_not_found": TAKE_FROM_LIST,
    "no_result": lazy_gettext("Its page says how far it is. Come again when it is done."),
    "model_not_found": lazy_gettext("Take one of the list, or add it there."),
    "model_of_other_kind": lazy_gettext("Choose a model of the right kind, or another role."),
    "nothing_to_roll_back": lazy_gettext(
        "None was ever activated for this role, or the one of before is gone. Activate one."
    ),
    "internal_error": LATER,
    "database_unavailable": LATER,
    "secrets_locked": TELL,
    "malformed_request": SEND_AGAIN,
    "invalid_form": SEND_AGAIN,
    "incomplete_body": SEND_AGAIN,
    "idempotency_mismatch": SEND_AGAIN,
    "form_too_large": lazy_gettext("Send fewer files at once."),
    "body_too_slow": lazy_gettext("Send it again over a faster connection."),
    "uri_too_long": lazy_gettext("Filter by less at once."),
    "invalid_cursor": lazy_gettext("Begin again from the first page."),
    "too_many_documents": lazy_gettext("Send several batches, or ask whoever runs this server to allow larger ones."),
    "too_many_open_jobs": lazy_gettext("Wait until some are done, then send more."),
    "idempotency_in_flight": lazy_gettext("Look into the list in a moment."),
    "unknown_model": lazy_gettext("Send it again without naming a model, or ask whoever runs this server for it."),
    "no_stronger_model": lazy_gettext(
        "Send it again with another quality, or ask whoever runs this server for a model."
    ),
    "invalid_option.event": OFFERED,
    "invalid_option.format": OFFERED,
    "invalid_option.order": OFFERED,
    "invalid_option.role": OFFERED,
    "invalid_option.state": OFFERED,
    "invalid_option.theme": OFFERED,
    "invalid_option.batch": TAKE_FROM_LIST,
    "invalid_option.name": lazy_gettext("A name has 1 to 100 characters, in one line."),
    "invalid_option.scopes": lazy_gettext("Choose at least one thing that the key may do."),
    "invalid_option.days": lazy_gettext("Days are a number above 0, and 36500 at most."),
    "invalid_option.description": lazy_gettext("A description has 200 characters at most."),
}
"""What people can do about an error, below its title; about a value that does not work, by the name of its field."""


def error_title(code: str) -> str:
    """What an error is called; empty where there is no name for it."""
    return str(ERRORS.get(code, ""))


def error_detail(error: dict[str, Any]) -> str:
    """What is said below the title of an error object or of a problem document.

    In the words of this page where the error says no more than its kind does, or says it in another language.
    """
    code, message = error["code"], str(error.get("detail") or error.get("message"))
    option = (error.get("details") or {}).get("option")
    said = DETAILS.get(f"{code}.{option}") or DETAILS.get(code)
    is_particular = message != errors.by_code(code)().message
    return message if said is None or (is_particular and not is_translated()) else str(said)


def is_translated() -> bool:
    """Whether the language of the page is another one than that of the errors."""
    return chosen() != next(iter(NAMES))
