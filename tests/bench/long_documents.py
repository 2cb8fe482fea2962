"""A PDF of many scans, page by page: memory, pages for each second, and the same pages as single images.

    python -m tests.bench.long_documents FOLDER [--pages N] [--stronger MODEL_FOLDER]

FOLDER holds PNG or JPEG pages; they are repeated as often as it takes. First the pipeline alone: on one core, each way
in a process of its own, so that one's memory is not the other's. Then the whole service (`long_jobs`): memory of its
worker child, pace, cancelling, and a worker that is killed. Ends with 1 where a promise is missed.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from itertools import cycle, islice
from pathlib import Path

import cv2

import models
from models import detector
from shared import clock
from shared.limits import Limits
from tests.bench import long_jobs
from tests.bench.long_jobs import DPI, images_in, jpegs_of
from tests.pdfs import pdf, scan
from worker.ocr.pipeline import Options, recognize_document, recognize_pages

MOST_IMAGES = 10
"""They are in memory while it is measured."""


def peak_mib() -> float:
    """Most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def as_pdf(folder: Path, count: int, stronger: str | None) -> None:
    """All pages in one document; `stronger`: reads again what leaves a doubt."""
    content = pdf([scan(image, DPI) for image in islice(cycle(images_in(folder, MOST_IMAGES)), count)])
    recognizer, finder = models.load("", threads=1), detector.load(threads=1)
    again = models.load(stronger, threads=1) if stronger else None
    start = clock.monotonic()
    options = Options(limits=Limits(max_bytes=len(content), max_pages=count))
    read = recognize_pages(content, recognizer, options, detector=finder, stronger=(lambda: again) if again else None)
    for done, _ in enumerate(read, 1):
        if done in (1, 10, 50, 100, 200, 300):
            print(f"  after {done:3} pages {peak_mib():5.0f} MiB at the peak", flush=True)
    print(
        f"one PDF      {count / (clock.monotonic() - start):6.2f} pages/s {peak_mib():5.0f} MiB at the peak", flush=True
    )


def as_images(folder: Path, count: int, stronger: str | None) -> None:
    """Each page as a JPEG of its own."""
    files = jpegs_of(images_in(folder, MOST_IMAGES))
    recognizer, finder = models.load("", threads=1), detector.load(threads=1)
    again = models.load(stronger, threads=1) if stronger else None
    start = clock.monotonic()
    for content in islice(cycle(files), count):
        recognize_document(content, recognizer, detector=finder, stronger=(lambda: again) if again else None)
    print(
        f"single JPEGs {count / (clock.monotonic() - start):6.2f} pages/s {peak_mib():5.0f} MiB at the peak", flush=True
    )


WAYS = {"pdf": as_pdf, "images": as_images}


def main() -> None:
    """Measure both ways, one after the other, and then the service."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--stronger", help="folder of a second model, such as ocrelay models install makes")
    parser.add_argument("--way", choices=WAYS)
    given = parser.parse_args()
    if given.way:
        cv2.setNumThreads(1)
        WAYS[given.way](given.folder, given.pages, given.stronger)
        return
    for way in WAYS:
        command = [sys.executable, "-m", "tests.bench.long_documents", str(given.folder)]
        command += ["--stronger", given.stronger] if given.stronger else []
        subprocess.run([*command, "--pages", str(given.pages), "--way", way], check=True)
    print("\nthrough the service", flush=True)
    raise SystemExit(0 if long_jobs.measure(given.folder, given.pages) else 1)


if __name__ == "__main__":
    main()
