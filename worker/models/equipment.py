"""Everything that a worker child reads with, and how each part of it is loaded."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING

import structlog

from shared import garbage
from shared.settings import Settings

if TYPE_CHECKING:
    from models import Recognizer
    from models.db_detector import DbDetector
    from models.detector import Detector
    from worker.models.others import Others
    from worker.models.stronger import Stronger

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Equipment:
    """What a child reads with; another one takes its place when a model is activated, installed or removed.

    settings: as the registry changes them. recognizer: reads every line. detector: finds the lines; None: classical
    means do. stronger: reads what leaves a doubt; None: there is none. others: are opened for jobs that name them.
    """

    settings: Settings
    recognizer: Recognizer
    detector: Detector | DbDetector | None
    stronger: Stronger | None
    others: Others

    @cached_property
    def reader_sha256(self) -> str:
        """Of everything beside bytes and options that decides what is read."""
        return reader_sha256(self.recognizer, self.detector, self.settings, self.stronger)


def reader_sha256(
    recognizer: Recognizer, detector: Detector | DbDetector | None, settings: Settings, stronger: Stronger | None = None
) -> str:
    """Return the SHA-256 of everything beside bytes and options that decides what is read: equal ones read the same."""
    decisive = {
        "version": version("ocrelay"),
        "recogniser": recognizer.card.sha256,
        "ngram": recognizer.ngram.sha256 if recognizer.ngram else None,
        "detector": detector.card.sha256 if detector else None,
        "quality_admission": settings.quality_admission,
        "quality": settings.quality,
        "stronger": stronger.sha256 if stronger else None,
    }
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def prepare_libraries() -> None:
    """Load the libraries of the pipeline before the first job rather than during it, each with one thread."""
    import cv2

    import worker.ocr.pipeline  # noqa: F401

    cv2.setNumThreads(1)
    garbage.leave_out_loaded()  # models are no part of it: they are let go again


def find_stronger(settings: Settings, keep: Stronger | None = None) -> Stronger | None:
    """The stronger model, which is loaded later; a child whose one is damaged says so, and keeps what it had."""
    import models
    from worker.models import stronger

    try:
        return stronger.find_stronger(settings)
    except (models.ModelFileError, OSError) as error:
        log.error(
            "The stronger model cannot be used; this child goes on with what it has. Run `ocrelay doctor`.",
            event_name="child.no_stronger_model",
            kept=keep.name if keep else None,
            error=str(error),
        )
        return keep
