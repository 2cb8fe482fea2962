"""A job of many scans through the whole service: its memory, its pace, cancelling it, and killing its worker.

    python -m tests.bench.long_jobs FOLDER [--pages N]

FOLDER holds PNG or JPEG pages; they are repeated as often as it takes. One worker child does all:

1. the PDF from its first page to its last, and the most memory that the child ever held;
2. the same pages as single JPEGs, all in the queue before the first is read;
3. the PDF again, cancelled after a few pages: how long until the child works at something else;
4. the PDF again, the child killed with -9 after three fifths of the pages: where the next attempt goes on, and
   whether any page was read twice.

`long_documents` runs it, too.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from collections import Counter
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from PIL import Image

from shared import clock
from shared.jobs import Job, get
from shared.settings import Settings
from tests.e2e.test_service import System
from tests.images import saved
from tests.pdfs import pdf, scan
from tests.ports import free_port
from tests.services import peak_mib, wait_until

DPI = 100
MOST_MIB = 500
LEAST_SHARE = 0.9
CANCEL_AFTER = 5
KILL_AFTER = 0.6  # of the pages
SECONDS = 3600.0


def images_in(folder: Path, most: int) -> list[Image.Image]:
    """The first pages of a folder, at most so many."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".png", ".jpg", ".jpeg"))[:most]
    return [Image.open(path).convert("RGB") for path in files]


def jpegs_of(images: list[Image.Image]) -> list[bytes]:
    """Each page as a file of its own."""
    return [saved(image, "JPEG", quality=85) for image in images]


class Bench:
    """A service with one worker child, and what is measured of it."""

    def __init__(self, folder: Path, images: list[Image.Image], count: int) -> None:
        settings = Settings.load(
            data_dir=folder / "data", port=free_port(), workers=1, api_processes=1,
            log_level="DEBUG", log_format="json", max_pages=count, max_document_bytes=200 << 20,
        )  # fmt: skip
        self.system = System(settings, folder)
        self.count = count
        self._files = jpegs_of(images)
        self._pdf = pdf([scan(image, DPI) for image in islice(cycle(images), count)])
        self.peak_mib = 0.0

    def end(self) -> None:
        self.system.end()

    def job(self, job_id: str) -> Job:
        """The job now; looks at the memory of the child in passing."""
        for child in self.system.children():
            self.peak_mib = max(self.peak_mib, peak_mib(child.pid))
        with self.system.database.read() as connection:
            found = get(connection, job_id)
        assert found is not None
        return found

    def submit_pdf(self) -> str:
        return str(self.system.submit(self._pdf, "layout=page", wait=0)["id"])

    def ended(self, job_id: str) -> Job:
        wait_until(lambda: self.job(job_id).is_final, seconds=SECONDS, what="the end")
        return self.job(job_id)

    def as_pdf(self) -> float:
        """Pages a second of the PDF from its submission on: a job that is handed back in between starts again."""
        job = self.ended(self.submit_pdf())
        assert job.state == "succeeded", job.error
        assert job.finished_at is not None
        return self.count / (job.finished_at - job.created_at).total_seconds()

    def as_images(self) -> float:
        """Pages a second of the single images: from the first that begins to the last that ends."""
        contents = islice(cycle(self._files), self.count)
        ids = [self.system.submit(content, "layout=page", wait=0)["id"] for content in contents]
        jobs = [self.ended(job_id) for job_id in ids]
        assert all(job.state == "succeeded" for job in jobs)
        begun = min(job.started_at for job in jobs if job.started_at)
        done = max(job.finished_at for job in jobs if job.finished_at)
        return self.count / (done - begun).total_seconds()

    def cancelled(self) -> tuple[float, int]:
        """Seconds until the child works at the next job, and pages that were stored after the order."""
        job_id = self.submit_pdf()
        wait_until(lambda: self.job(job_id).pages_done >= CANCEL_AFTER, seconds=SECONDS, what="some pages")
        waiting = str(self.system.submit(self._files[0], "layout=page", wait=0)["id"])
        done, ordered = self.job(job_id).pages_done, clock.monotonic()
        status, job = self.system.call(f"/v1/jobs/{job_id}/cancel", b"")
        assert (status, job["state"]) == (200, "cancelled"), job
        wait_until(lambda: self.job(waiting).started_at is not None, what="the next job")
        seconds = clock.monotonic() - ordered
        self.ended(waiting)
        return seconds, self.job(job_id).pages_done - done

    def killed(self) -> tuple[int, list[int], int, Job]:
        """Pages done at the kill, those that the next attempt read in their order, pages read twice, and the job."""
        job_id = self.submit_pdf()
        wait_until(lambda: self.job(job_id).pages_done >= KILL_AFTER * self.count, seconds=SECONDS, what="the pages")
        for child in self.system.children():
            os.kill(child.pid, signal.SIGKILL)
        wait_until(lambda: self.job(job_id).attempt == 2, what="the next attempt")
        done = self.job(job_id).pages_done
        job = self.ended(job_id)
        read = [line for line in self.log() if line.get("event") == "page.read" and line.get("job_id") == job_id]
        again = Counter(line["page_number"] for line in read)
        after = [line["page_number"] for line in read if line["attempt"] >= 2]
        return done, after, sum(count - 1 for count in again.values()), job

    def log(self) -> list[dict[str, Any]]:
        """What the service logged."""
        lines = []
        for line in self.system.up.said.splitlines():
            try:
                lines.append(json.loads(line))
            except ValueError:
                continue  # `ready`
        return [line for line in lines if isinstance(line, dict)]


def verdict(is_kept: bool) -> str:
    return "kept" if is_kept else "MISSED"


def measure(folder: Path, count: int) -> bool:
    """Print a line for each promise; return whether all are kept."""
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(Path(scratch), images_in(folder, count), count)
        try:
            whole = bench.as_pdf()
            peak, single = bench.peak_mib, bench.as_images()
            kept = [peak < MOST_MIB, whole >= LEAST_SHARE * single]
            print(f"peak of the worker child      {peak:6.0f} MiB, under {MOST_MIB}: {verdict(kept[-2])}", flush=True)
            print(f"pages a second, PDF           {whole:6.2f}")
            print(f"pages a second, single images {single:6.2f}")
            print(
                f"share                         {whole / single:6.2f}, at least {LEAST_SHARE}: {verdict(kept[-1])}",
                flush=True,
            )
            sys.stdout.flush()
            seconds, more = bench.cancelled()
            kept.append(more <= 1)
            print(f"cancel: the next job begins   {seconds:6.2f} s later; a page takes {1 / whole:.2f} s")
            print(f"cancel: pages stored after it {more:6}, at most 1: {verdict(kept[-1])}", flush=True)
            done, after, twice, job = bench.killed()
            kept.append(after == [*range(done + 1, count + 1)] and job.state == "succeeded" and not twice)
            print(f"kill -9 with pages done       {done:6}")
            print(f"the next attempt begins at    {min(after, default=0):6}, reads {len(after)}")
            print(f"pages read twice              {twice:6}")
            print(f"at the end                    {job.state}, {job.pages_done} of {count} pages: {verdict(kept[-1])}")
        finally:
            bench.end()
    return all(kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=200)
    given = parser.parse_args()
    raise SystemExit(0 if measure(given.folder, given.pages) else 1)


if __name__ == "__main__":
    main()
