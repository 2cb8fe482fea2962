"""What codes are called: states, warnings of the quality check, errors that people meet; and how numbers are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import LazyString, gettext, lazy_gettext, ngettext

from api.web.problem_words import error_detail, error_title
from shared.jobs import Job, State
from shared.jobs.batches import Batch
from shared.result import confidence
from shared.uploads.pdf import MEDIA_TYPE as PDF

__all__ = ["error_detail", "error_title"]

SHORT = 6
"""So many characters of the end of an id tell things apart: its beginning is the time."""
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
FORMATS: dict[str, LazyString] = {
    "json": lazy_gettext("All data"),
    "text": lazy_gettext("Plain text"),
    "markdown": lazy_gettext("Text with headings and lists"),
    "tsv": lazy_gettext("Table of the words"),
    "hocr": lazy_gettext("Web page with places (hOCR)"),
    "alto": lazy_gettext("XML of libraries (ALTO)"),
    "page": lazy_gettext("XML of archives (PAGE)"),
    "pdf": lazy_gettext("Searchable PDF"),
}


def state_of(job: Job) -> str:
    """Where a job stands, in words."""
    if job.state == State.QUEUED and job.queue_position:
        return str(gettext("waiting, place %(place)d", place=job.queue_position))
    if job.state == State.RUNNING and job.pages_total > 1:
        page = min(job.pages_done + 1, job.pages_total)
        return str(gettext("reading page %(page)d of %(pages)d", page=page, pages=job.pages_total))
    if is_empty(job):
        return str(gettext("done, but no text was found"))
    return str(STATES[job.state])


def is_empty(job: Job) -> bool:
    """Whether it was read, and nothing was found."""
    return job.result is not None and not job.result["text"].strip()


def mark_of(job: Job) -> str:
    """Whose sign and colour its state has."""
    return "empty" if is_empty(job) else str(job.state)


def warnings_of(result: dict[str, Any]) -> list[str]:
    """What the quality check says of the pages, each reason once, and of which pages where there are several."""
    found: dict[str, list[int]] = {}
    for page in result["pages"]:
        for reason in page.get("warnings", ()):
            numbers = found.setdefault(str(WARNINGS.get(reason["code"], reason["message"])), [])
            numbers += [page["page_number"]] if page["page_number"] not in numbers else []
    if len(result["pages"]) == 1:
        return list(found)
    return [f"{pages(numbers)}: {warning}" for warning, numbers in found.items()]


def pages(numbers: Sequence[int]) -> str:
    """Which pages, such as `Pages 1–3, 7`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    spelled = ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
    return str(ngettext("Page %(pages)s", "Pages %(pages)s", len(numbers), pages=spelled))


def name_of(job: Job) -> str:
    """What a document is called: by its sender, by its file, else by what it is, with the end of its id."""
    if name := job.reference or job.filename:
        return name
    if job.media_type == PDF:
        return str(gettext("PDF without a name (…%(end)s)", end=job.id[-SHORT:]))
    return str(gettext("Image without a name (…%(end)s)", end=job.id[-SHORT:]))


def batch_name(batch: Batch) -> str:
    """What a batch is called."""
    return batch.reference or str(gettext("Batch without a name (…%(end)s)", end=batch.id[-SHORT:]))


def percent(share: float | None) -> str:
    """A confidence for people."""
    return "–" if share is None else confidence.percent(share)


def lines(count: int) -> str:
    """So many uncertain lines."""
    return str(ngettext("%(num)d uncertain line", "%(num)d uncertain lines", count))
