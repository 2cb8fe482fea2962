"""What codes are called: states, warnings of the quality check, errors that people meet."""

from __future__ import annotations

from typing import Any

from flask_babel import LazyString, gettext, lazy_gettext, ngettext

from shared.jobs import Job, State

STATES: dict[str, LazyString] = {
    "queued": lazy_gettext("waiting"),
    "running": lazy_gettext("reading"),
    "succeeded": lazy_gettext("done"),
    "failed": lazy_gettext("failed"),
    "cancelled": lazy_gettext("cancelled"),
}
WARNINGS: dict[str, LazyString] = {
    "text_too_small": lazy_gettext("The text is very small. Come closer, or scan with more pixels."),
    "low_contrast": lazy_gettext("Writing and paper hardly differ. Take the picture in better light."),
    "blurred": lazy_gettext("The image is blurred. Hold still and focus on the text."),
    "low_resolution": lazy_gettext("The image has few pixels. Send the original, not a preview."),
    "blank_page": lazy_gettext("The page looks empty."),
    "black_page": lazy_gettext("The page is black."),
    "cut_off": lazy_gettext("Text is cut off at the edge. Take the whole page."),
    "text_may_be_missing": lazy_gettext("Some writing was not read. Compare with the image."),
    "many_unsure_characters": lazy_gettext("Many characters are uncertain. Check the marked lines."),
    "many_single_characters": lazy_gettext("Much of what was read are single characters. This may be no text."),
    "damaged_image": lazy_gettext("A picture of the page is damaged. What it shows may be missing."),
    "hidden_text": lazy_gettext("The file holds text that nobody sees. It was left out."),
    "first_frame_only": lazy_gettext("The file holds several pictures. Only the first was read."),
    "vertical_text": lazy_gettext("Some text runs from top to bottom and may read badly."),
}
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
}


def state_of(job: Job) -> str:
    """Where a job stands, in words."""
    if job.state == State.QUEUED and job.queue_position:
        return str(gettext("waiting, place %(place)d", place=job.queue_position))
    if job.state == State.RUNNING and job.pages_total > 1:
        page = min(job.pages_done + 1, job.pages_total)
        return str(gettext("reading page %(page)d of %(pages)d", page=page, pages=job.pages_total))
    return str(STATES[job.state])


def warnings_of(result: dict[str, Any]) -> list[str]:
    """What the quality check says of the pages, each reason once."""
    reasons = [reason for page in result["pages"] for reason in page.get("warnings", ())]
    return list(dict.fromkeys(str(WARNINGS.get(reason["code"], reason["message"])) for reason in reasons))


def error_title(code: str) -> str:
    """What an error is called; empty where there is no name for it."""
    return str(ERRORS.get(code, ""))


def percent(share: float | None) -> str:
    """A confidence for people; never 100 % unless it is."""
    return "–" if share is None else f"{int(share * 1000) / 10:g} %"


def lines(count: int) -> str:
    """So many uncertain lines."""
    return str(ngettext("%(num)d uncertain line", "%(num)d uncertain lines", count))
