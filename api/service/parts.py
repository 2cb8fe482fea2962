"""What one process of the API works with; what it does with it stands beside, in functions."""

from __future__ import annotations

import dataclasses
import functools

from api.service.in_flight import InFlight
from api.service.waiting import Waiting
from shared.database import Database
from shared.queue import JobQueue
from shared.settings import Settings
from shared.uploads.store import UploadStore
from shared.webhooks.box import Box
from shared.webhooks.targets import Guard


@dataclasses.dataclass(frozen=True)
class Parts:
    """What one process of the API works with."""

    settings: Settings
    database: Database
    blobs: UploadStore
    queue: JobQueue
    waiting: Waiting
    in_flight: InFlight = dataclasses.field(default_factory=InFlight)
    guard: Guard = dataclasses.field(default_factory=Guard)
    """Says where webhooks may go; the public internet alone, unless the settings allow more."""

    @functools.cached_property
    def box(self) -> Box:
        """Opens the secrets of webhooks."""
        return Box.of(self.settings)
