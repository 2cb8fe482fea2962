"""A time limit for what a model computes on trial: a loop in its file may be endless, and no signal interrupts it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click


@contextmanager
def time_limit(seconds: float, told: str) -> Iterator[None]:
    """End this process with 1 where what is done within takes longer.

    Args:
        seconds: the most that it may take.
        told: what standard error says then.
    """

    def end() -> None:
        click.echo(f"Error: {told}", err=True)
        os._exit(1)  # the main thread is in onnxruntime, and would not come back

    watch = threading.Timer(seconds, end)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
