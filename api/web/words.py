"""What codes are called: states, warnings of the quality check, errors that people meet; and how numbers are told."""

from __future__ import annotations

from typing import Any

from flask_babel import LazyString, gettext, lazy_gettext, ngettext

from api.web.problem_words import error_detail, error_title
from shared.jobs import Job, State

__all__ = ["STATES", "WARNINGS", "error_detail", "error_title", "lines", "percent", "state_of", "warnings_of"]

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


def percent(share: float | None) -> str:
    """A confidence for people; never 100 % unless it is."""
    return "–" if share is None else f"{int(share * 1000) / 10:g} %"


def lines(count: int) -> str:
    """So many uncertain lines."""
    return str(ngettext("%(num)d uncertain line", "%(num)d uncertain lines", count))
