"""Timers of the worker's main process: what was cancelled is forgotten, and what was not comes in its order."""

from __future__ import annotations

from itertools import islice

from kombu.asynchronous.timer import Timer

from worker.jobs import timers

FAR = 3600.0


def test_timers_that_were_cancelled_are_not_kept() -> None:
    timers.install()
    timer = Timer()
    for _ in range(10_000):
        timer.call_after(FAR, print).cancel()
    assert len(timer) <= timers.LEAST


def test_those_that_were_not_cancelled_fire_in_their_order() -> None:
    timers.install()
    timer, fired = Timer(), []
    for number in range(2 * timers.LEAST):
        timer.call_after(-FAR + number, fired.append, (number,))
        timer.call_after(-FAR, fired.append, ("cancelled",)).cancel()
    last = timer.call_after(FAR, print)
    for _, entry in islice(timer, 2 * timers.LEAST):
        assert entry is not None
        entry()
    assert fired == [*range(2 * timers.LEAST)]
    assert [one.entry for one in timer._queue if not one.entry.canceled] == [last]
    wait_seconds, entry = next(iter(timer))
    assert entry is None and wait_seconds > 0


def test_a_loop_that_is_under_way_sees_what_is_entered_after_the_others_are_forgotten() -> None:
    timers.install()
    timer = Timer()
    loop = iter(timer)
    timer.call_after(FAR, print)
    assert next(loop)[1] is None
    for _ in range(2 * timers.LEAST):
        timer.call_after(FAR, print).cancel()
    now = timer.call_after(-1, print)
    assert next(loop)[1] is now
