"""The one JSON shape of a job: the same in the API, on the command line and at the target of a webhook."""

from __future__ import annotations

from typing import Any

from shared.clock import timestamp
from shared.jobs.record import Job
from shared.result import TIMING_STAGES


def job_document(job: Job, *, base_url: str = "") -> dict[str, Any]:
    """Return the job as JSON-ready objects.

    Args:
        job: With its result, if that shall be in it.
        base_url: What the links start with, without a slash at the end; empty: links from the root of the server.
    """
    link = f"{base_url}/v1/jobs/{job.id}"
    return {
        "id": job.id,
        "state": str(job.state),
        "attempt": job.attempt,
        "created_at": timestamp(job.created_at),
        "started_at": timestamp(job.started_at),
        "finished_at": timestamp(job.finished_at),
        "queue_position": job.queue_position,
        "reference": job.reference,
        "filename": job.filename,
        "metadata": job.metadata or {},
        "deadline_at": timestamp(job.deadline_at),
        "priority": job.priority,
        "batch_id": job.batch_id,
        "copied_from": job.copied_from,
        "document": {
            "sha256": job.sha256,
            "media_type": job.media_type,
            "size_bytes": job.size_bytes,
            "page_count": job.page_count,
        },
        "pages_done": job.pages_done,
        "pages_total": job.pages_total,
        "result": job.result,
        "error": job.error,
        "timings_ms": {stage: (job.timings_ms or {}).get(stage) for stage in TIMING_STAGES},
        "links": {"self": link, "result": f"{link}/result", "image": f"{link}/image", "events": f"{link}/events"},
    }
