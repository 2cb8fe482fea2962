"""What the service does right now, for people: what waits, who reads what, how much came and ended lately."""

from __future__ import annotations

import platform
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from typing import Any

from sqlalchemy import text

from api.service import gauges, models
from api.service.gauges import Gauges
from api.service.parts import Parts
from api.service.trail import audit
from shared import clock, jobs
from shared.jobs import Job
from shared.jobs.record import State

SPANS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
MOST_RUNNING = 200


@dataclass(frozen=True)
class Overview:
    """What is going on."""

    now: Gauges
    running: Sequence[Job]
    """Jobs that workers hold, the newest first."""
    ended: Mapping[str, Mapping[str, int]]
    """Jobs that ended, by state, in the last minute, hour and day."""
    detector: str | None
    """The model that finds the lines."""
    disk: Any
    """`total`, `used` and `free` bytes of the disk of the data folder; None: it is not known."""
    versions: Mapping[str, str]
    """Of the process that answers and of the database."""

    @property
    def readers(self) -> dict[str, int]:
        """What is read with now: models with their versions, and how many worker children have loaded each."""
        loaded: Counter[str] = Counter()
        for child in self.now.children:
            loaded[f"{child.model} {child.model_version}"] += 1
            if child.stronger:
                loaded[f"{child.stronger} {child.stronger_version or ''}".strip()] += 1
        return dict(loaded.most_common())


def overview(parts: Parts) -> Overview:
    """Ask for all of it; raises DatabaseUnavailable."""
    now = clock.now()
    with parts.database.read() as connection:
        running = jobs.list_jobs(connection, state=State.RUNNING, limit=MOST_RUNNING)
        detector = models.detector(parts, connection)
    ended = {name: audit.numbers(parts, now - span, now).of_events["outcomes"] for name, span in SPANS.items()}
    return Overview(gauges.read(parts.database), running, ended, detector, disk_of(parts), versions_of(parts))


def disk_of(parts: Parts) -> Any:
    """Room where the uploads are."""
    try:
        return shutil.disk_usage(parts.settings.data_dir)
    except OSError:
        return None


def versions_of(parts: Parts) -> dict[str, str]:
    """What the process that answers is made of."""
    name, question = (
        ("SQLite", "select sqlite_version()") if parts.database.is_sqlite else ("PostgreSQL", "show server_version")
    )
    with parts.database.read() as connection:
        found = str(connection.execute(text(question)).scalar_one())
    return {"ocrelay": version("ocrelay"), "Python": platform.python_version(), name: found}
