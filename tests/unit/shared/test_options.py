"""The one statement of options, stages and states: what else names them says the same."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import ValidationError

from shared.jobs.record import State, StateName
from shared.options import CHARSETS, LAYOUTS, PRIORITIES, RecognitionOptions, SubmitOptions, select_pages
from shared.queue import QUEUES
from shared.result import STAGES, TIMING_STAGES
from shared.webhooks.record import DeliveryState, DeliveryStateName


def test_the_names_of_states_are_those_of_the_enumeration() -> None:
    assert get_args(StateName) == tuple(State)
    assert get_args(DeliveryStateName) == tuple(DeliveryState)


def test_every_priority_has_its_queue() -> None:
    assert tuple(QUEUES) == PRIORITIES


def test_the_stages_of_recognition_stand_between_waiting_and_everything() -> None:
    assert ("queue", *STAGES, "total") == TIMING_STAGES


def test_only_what_decides_the_text_is_stored_with_the_job() -> None:
    options = SubmitOptions(priority="bulk", reference="a", dedupe=False, webhook="https://hooks.example")
    assert options.of_recognition() == {"layout": "auto", "charset": "all", "text_layer": "auto"}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("charset", CHARSETS)
def test_options_of_a_job_come_back_as_they_were_sent(layout: str, charset: str) -> None:
    sent = SubmitOptions.model_validate({"layout": layout, "charset": charset})
    assert RecognitionOptions.of_job(sent.of_recognition()) == RecognitionOptions(
        layout=sent.layout, charset=sent.charset
    )


def test_a_job_of_another_version_gets_defaults_for_what_it_does_not_name() -> None:
    found = RecognitionOptions.of_job({"layout": "line", "model": "crnn"})
    assert (found.layout, found.charset) == ("line", "all")


def test_a_quality_is_stored_only_where_the_sender_chose_one() -> None:
    assert "quality" not in SubmitOptions().of_recognition()
    assert SubmitOptions(quality="best").of_recognition()["quality"] == "best"


def test_a_name_that_is_no_option_is_refused() -> None:
    with pytest.raises(ValidationError):
        SubmitOptions.model_validate({"langauge": "zh"})


@pytest.mark.parametrize(
    ("wanted", "chosen"), [(None, [1, 2, 3, 4, 5]), ("3", [3]), ("1-3,5", [1, 2, 3, 5]), ("5,1-2,2", [1, 2, 5])]
)
def test_pages_are_chosen_in_the_order_of_the_document_each_once(wanted: str | None, chosen: list[int]) -> None:
    assert select_pages(wanted, 5) == chosen


@pytest.mark.parametrize("wanted", ["0", "1-", "-3", "1,,2", "1 - 3", "a", "", "1-2-3", "1" * 8])
def test_what_names_no_pages_is_no_option(wanted: str) -> None:
    with pytest.raises(ValidationError):
        SubmitOptions(pages=wanted)
