"""Who reads a job: the models of the place, or the one that the job names; and how."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shared import errors, workers
from shared.database import Database
from shared.jobs import Job
from shared.limits import Limits
from shared.news import Teller
from shared.options import DEFAULT_QUALITY, QualityName, RecognitionOptions
from shared.result import ModelName
from shared.uploads.store import UploadStore
from worker.jobs.lease import Lease

if TYPE_CHECKING:  # OpenCV and onnxruntime are loaded in the children only, after the fork
    from models.db_detector import DbDetector
    from models.detector import Detector
    from shared.result import DocumentResult
    from worker.models.others import Others
    from worker.models.stronger import Stronger
    from worker.ocr.page.admission import Admission
    from worker.ocr.pipeline import Options, ReadPage
    from worker.ocr.text.reader import LineRecognizer

    NamedDetector = Detector | DbDetector

SILENT = Teller(None)


@dataclass(frozen=True)
class Workplace:
    """What a worker child needs for its jobs.

    admission: what becomes of poor images. detector: finds the lines of pages; None: classical means do.
    stronger: reads what leaves a doubt; None: there is none. others: are opened for jobs that name them.
    quality: who reads where the sender does not say. news: who waits for jobs is told by it that they have ended.
    reader_sha256: of everything that decides what is read; None: unknown, and no result is copied.
    generation: number of the newest activation of any model that this place follows; None: there was none.
    sitting_seconds: a job of many pages that took so long goes back into the queue, so that time limits hold for a page
    and nobody waits behind all of it.
    """

    database: Database
    blobs: UploadStore
    limits: Limits
    lease_seconds: float
    admission: Admission = "warn"
    detector: NamedDetector | None = None
    reader_sha256: str | None = None
    sitting_seconds: float = math.inf
    stronger: Stronger | None = None
    others: Others | None = None
    quality: QualityName = DEFAULT_QUALITY
    news: Teller = SILENT
    generation: int | None = None


@dataclass(frozen=True)
class Wanted:
    """Who reads a job, and how.

    stronger: reads again what leaves a doubt; None: nobody does. detector: finds the lines; None: classical means do.
    reader_sha256: of everything that decides what is read; None: unknown.
    """

    reader: LineRecognizer
    stronger: Callable[[], LineRecognizer] | None
    detector: NamedDetector | None
    options: Options
    reader_sha256: str | None

    @property
    def finder(self) -> ModelName | None:
        """The detector, as the result names it; None: it was not needed."""
        if self.detector is None or self.options.layout == "line":
            return None
        card = self.detector.card
        return ModelName(card.name, card.version, card.sha256)

    def read(self, content: bytes, lease: Lease) -> DocumentResult:
        """Read a document of one page."""
        from worker.ocr.pipeline import recognize_document

        read = recognize_document(
            content, self.reader, self.options, lease.check, self.detector, stronger=self.stronger
        )
        return replace(read, detector=self.finder)

    def read_pages(self, content: bytes, lease: Lease, done: Sequence[int]) -> Generator[ReadPage, None, None]:
        """Read the pages that are not done, one by one."""
        from worker.ocr.pipeline import recognize_pages

        return recognize_pages(
            content, self.reader, self.options, lease.check, self.detector, stronger=self.stronger, done=done
        )


def want(job: Job, recognizer: LineRecognizer, place: Workplace) -> Wanted:
    """Return who reads a job in this place, and how.

    Raises:
        UnknownModel, NoStrongerModel: This worker has not what was asked for.
    """
    from worker.ocr.pipeline import Options, choose_readers

    wished = RecognitionOptions.of_job(job.options)
    recognizer, quality = _choose(wished, recognizer, place)
    options = Options(
        layout=wished.layout,
        limits=place.limits,
        admission=place.admission,
        charset=wished.charset,
        quality=quality,
        text_layer=wished.text_layer,
        pages=wished.pages,
    )
    stronger = place.stronger.load if place.stronger else None
    reader_sha256 = place.reader_sha256
    if wished.model is not None and reader_sha256 is not None:
        reader_sha256 = workers.named_reader(reader_sha256, recognizer.card.sha256)
    detector = place.detector if wished.detector is None else _detector(wished.detector, place)
    if wished.detector is not None and detector is not None and reader_sha256 is not None:
        reader_sha256 = workers.named_reader(reader_sha256, detector.card.sha256)
    return Wanted(*choose_readers(recognizer, options, stronger), detector, options, reader_sha256)


def _detector(name: str, place: Workplace) -> NamedDetector:
    """Return the detector that a job names; raises UnknownModel."""
    if place.detector is not None and place.detector.card.name == name:
        return place.detector
    found = place.others.open_finder(name) if place.others else None
    if found is None:
        raise errors.UnknownModel(detector=name, loaded=sorted(place.others.finder_sha256s if place.others else ()))
    return found


def _choose(
    wished: RecognitionOptions, recognizer: LineRecognizer, place: Workplace
) -> tuple[LineRecognizer, QualityName]:
    """Return who reads every line, and whether another one helps: a model that is named reads alone."""
    stronger = place.stronger
    if wished.quality == "best" and stronger is None:
        raise errors.NoStrongerModel()
    if wished.model is None:
        return recognizer, wished.quality or place.quality
    if stronger is not None and wished.model == stronger.name:
        return stronger.load(), "fast"
    if wished.model == recognizer.card.name:
        return recognizer, "fast"
    other = place.others.open(wished.model) if place.others else None
    if other is not None:
        return other, "fast"
    known = {
        recognizer.card.name,
        *([stronger.name] if stronger else []),
        *(place.others.sha256s if place.others else ()),
    }
    raise errors.UnknownModel(model=wished.model, loaded=sorted(known))
