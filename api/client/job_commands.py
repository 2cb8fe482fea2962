"""The sub-commands of `ocrelay jobs`: look at jobs and order something of them, through the API of a server."""

from __future__ import annotations

import json
from typing import Any

import click

from api.client.http import Client
from api.client.server_option import with_server
from shared.jobs.record import State

STATES = [str(state) for state in State]


@click.group()
def jobs() -> None:
    """List, show, cancel and retry the jobs of a server."""


@jobs.command("list")
@with_server
@click.option("--state", type=click.Choice(STATES), help="Only jobs in this state.")
@click.option("--reference", help="Only jobs with this reference.")
@click.option("--batch", "batch_id", help="Only jobs of this batch.")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_jobs(client: Client, as_json: bool, **wanted: Any) -> None:
    """Jobs, newest first, one a line."""
    found = client.get("/v1/jobs", **wanted)["jobs"]
    for job in found:
        tell(job, as_json=as_json)
    if not found:
        click.echo("No job fits.", err=True)


@jobs.command()
@with_server
@click.argument("job_id")
def show(client: Client, job_id: str) -> None:
    """One job with everything that is known of it, as JSON."""
    click.echo(json.dumps(client.get(f"/v1/jobs/{job_id}"), ensure_ascii=False, indent=2))


@jobs.command()
@with_server
@click.argument("job_ids", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def cancel(client: Client, job_ids: tuple[str, ...], as_json: bool) -> None:
    """Cancel jobs that have not ended."""
    for job_id in job_ids:
        tell(client.post(f"/v1/jobs/{job_id}/cancel"), as_json=as_json)


@jobs.command()
@with_server
@click.argument("job_ids", nargs=-1)
@click.option("--code", help="Without ids: failed jobs with this error code.")
@click.option("--reference", help="Without ids: failed jobs with this reference.")
@click.option("--batch", "batch_id", help="Without ids: failed jobs of this batch.")
@click.option("--all", "everything", is_flag=True, help="Without ids: all failed jobs.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def retry(client: Client, job_ids: tuple[str, ...], everything: bool, as_json: bool, **which: str | None) -> None:
    """Try jobs again: those that are named, or the failed ones that fit."""
    filtered = any(which.values())
    if bool(job_ids) + filtered + everything != 1:
        raise click.UsageError("Name jobs, or choose failed ones with --code, --reference, --batch or --all.")
    for job_id in job_ids:
        tell(client.post(f"/v1/jobs/{job_id}/retry"), as_json=as_json)
    if not job_ids:
        retry_failed(client, which, as_json=as_json)


def retry_failed(client: Client, which: dict[str, str | None], *, as_json: bool) -> None:
    """Retry failed jobs, a portion at a time, until none is left that can be."""
    count = 0
    while True:
        answer = client.post("/v1/jobs/retry", **which, limit=1000)
        count += len(answer["retried"])
        if not answer["retried"]:
            break
    if as_json:
        click.echo(json.dumps({"retried_count": count, "document_missing": answer["document_missing"]}))
        return
    click.echo(f"{count} jobs wait again.")
    if answer["document_missing"]:
        click.echo(f"{len(answer['document_missing'])} stay failed: their uploads are gone.")


def tell(job: dict[str, Any], *, as_json: bool) -> None:
    """One job on standard output."""
    click.echo(json.dumps(job, ensure_ascii=False) if as_json else line_of(job))


def line_of(job: dict[str, Any]) -> str:
    """One job on one line."""
    code = (job["error"] or {}).get("code", "")
    parts = (
        job["id"],
        job["state"],
        job["created_at"],
        job["document"]["media_type"],
        job["filename"] or "",
        job["reference"] or "",
        code,
    )
    return "  ".join(part for part in parts if part)
