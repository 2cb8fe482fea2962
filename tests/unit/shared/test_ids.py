"""Identifiers."""

from __future__ import annotations

import re

from shared import clock, ids


def test_ids_are_unique_and_safe_in_a_url() -> None:
    made = {ids.new("job") for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"job_[0-9a-hjkmnp-tv-z]{26}", name) for name in made)


def test_ids_sort_by_the_time_of_their_making() -> None:
    first = ids.new("job")
    clock.sleep(0.003)
    assert first < ids.new("job")


def test_ids_of_one_moment_sort_as_they_were_made() -> None:
    made = [ids.new("job") for _ in range(2000)]
    assert made == sorted(set(made))


def test_an_id_is_moved_in_time_and_keeps_its_random_part() -> None:
    made = ids.new("job")
    for milliseconds in (-60_000, -1, 1, 2000):
        moved = ids.moved(made, milliseconds)
        assert ids.is_id(moved, "job")
        assert (moved > made) == (milliseconds > 0)
        assert moved[-16:] == made[-16:]
        assert ids.moved(moved, -milliseconds) == made
    assert ids.moved("job_" + "0" * 26, -1) == "job_" + "0" * 26, "there is nothing before the first"
