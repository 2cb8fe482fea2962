"""The sub-commands of `ocrelay audit`: look at the audit trail, take it away as a file, check that it is whole."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import IO, Any

import click

from api.client.http import Client
from api.client.server_option import with_server

PAGE = 200
FILTERS = {
    "from": "Events that occurred then or later: 2026-11-21T08:30:00Z, or a day.",
    "until": "Events that occurred before then.",
    "ip": "Events of this client: an address, or a block like 192.0.2.0/24.",
    "sha256": "Events of the document with this SHA-256, or one that begins so.",
    "key": "Events of this API key.",
    "actor": "Events that this one did: client, operator, sweeper, or a worker.",
    "job": "Events of this job.",
    "event": "Events of this kind, such as job.failed.",
    "state": "Events after which the job or the delivery was in this state.",
    "model": "Events of this recognition model.",
    "model-version": "Events of this version of a model.",
    "subject": "Events about this delivery, endpoint or key.",
    "confidence-from": "Events with this confidence or more.",
    "confidence-until": "Events with this confidence or less.",
}
Command = Callable[..., None]


def with_filters(command: Command) -> Command:
    """Give a command one option for each filter."""
    for name, says in reversed(FILTERS.items()):
        command = click.option(f"--{name}", help=says)(command)
    return command


@click.group()
def audit() -> None:
    """List, export and sum up the audit trail, and check that it is whole."""


@audit.command("list")
@with_server
@with_filters
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_events(client: Client, limit: int, as_json: bool, **filters: str | None) -> None:
    """Events, newest first, one a line."""
    count = 0
    for event in events_of(client, limit, filters):
        click.echo(json.dumps(event, ensure_ascii=False) if as_json else line_of(event))
        count += 1
    if not count:
        click.echo("No event fits.", err=True)


def events_of(client: Client, limit: int, filters: dict[str, str | None]) -> Iterator[dict[str, Any]]:
    """So many events, page by page."""
    cursor = None
    while limit > 0:
        page = client.get("/v1/audit/events", limit=min(limit, PAGE), cursor=cursor, **filters)
        yield from page["events"]
        limit, cursor = limit - len(page["events"]), page["next_cursor"]
        if cursor is None:
            break


@audit.command()
@with_server
@with_filters
@click.option("--format", "form", type=click.Choice(["ndjson", "csv"]), default="ndjson", show_default=True)
@click.option("--output", type=click.File("wb"), default="-", help="File to write; standard output if not given.")
def export(client: Client, form: str, output: IO[bytes], **filters: str | None) -> None:
    """Everything that fits, newest first, as NDJSON or CSV."""
    for piece in client.stream("/v1/audit/events", format=form, **filters):
        output.write(piece)


@audit.command()
@with_server
@click.option("--from", "since", help="Beginning of the time that counts; 7 days before its end, if not given.")
@click.option("--until", help="End of the time that counts; now, if not given.")
def stats(client: Client, since: str | None, until: str | None) -> None:
    """The trail in numbers, as JSON."""
    numbers = client.get("/v1/audit/stats", **{"from": since, "until": until})
    click.echo(json.dumps(numbers, ensure_ascii=False, indent=2))


@audit.command()
@with_server
@click.option("--anchor", help="Hash of a seal that was kept elsewhere: it must be in the chain.")
@click.option("--local", is_flag=True, help="Ask no server: read the database that OCRELAY_DATABASE_URL names.")
@click.option("--json", "as_json", is_flag=True, help="The last step and the sums, as a JSON object.")
def verify(client: Client, anchor: str | None, local: bool, as_json: bool) -> None:
    """Check all events against their seals; status 1 and the first broken one if anything is not as it was."""
    reports = reports_of_database(anchor) if local else reports_of(client, anchor)
    seals = events = 0
    for report in reports:
        seals, events = seals + report["seal_count"], events + report["event_count"]
        if sys.stderr.isatty():
            click.echo(f"\r{seals} seals, {events} events", err=True, nl=False)
    chain, broken = report["chain"], report["broken"]
    if as_json:
        click.echo(json.dumps(report | {"seal_count": seals, "event_count": events}, ensure_ascii=False))
        sys.exit(0 if broken is None else 1)
    click.echo(f"{seals} seals and {events} events were checked, from seal {chain['first_seal']} on.")
    if broken is not None:
        event = f"event {broken['event_id']}, " if broken["event_id"] is not None else ""
        click.echo(f"BROKEN at {event}seal {broken['seal']}: {broken['message']} ({broken['problem']})")
        sys.exit(1)
    click.echo(f"All are as they were sealed. The last seal is {chain['seal']}: {chain['hash']}")


def reports_of(client: Client, anchor: str | None) -> Iterator[dict[str, Any]]:
    """What the server says, step by step."""
    report = client.get("/v1/audit/verify", anchor=anchor)
    yield report
    while report["next_seal"] is not None:
        report = client.get("/v1/audit/verify", from_seal=report["next_seal"])
        yield report


def reports_of_database(anchor: str | None) -> Iterator[dict[str, Any]]:
    """What the database holds, step by step; for a copy of it, or where the server is not to be believed."""
    from api.service.trail.wire import report_document
    from shared.audit import verify as audit_verify
    from shared.database import Database, require
    from shared.migrations import check_schema
    from shared.settings import Settings

    url = Settings.load().database
    require(url)
    database = Database(url, pool_size=1)
    check_schema(database)
    report = audit_verify.verify(database, anchor=anchor)
    yield report_document(report)
    while report.following is not None:
        report = audit_verify.verify(database, first=report.following)
        yield report_document(report)


def line_of(event: dict[str, Any]) -> str:
    """One event on one line."""
    about = event["job_id"] or event["subject"]
    model = event["model"] and event["model"]["name"]
    confidence = "" if event["confidence"] is None else f"{event['confidence']:.3f}"
    sha256 = event["sha256"] and f"sha256:{event['sha256'][:16]}"
    parts = (event["occurred_at"], event["event"], event["actor"], event["client_ip"], event["key_id"], about, model,
             sha256, event["outcome"], confidence, event["code"])  # fmt: skip
    return f"{event['id']}  " + "  ".join(part for part in parts if part)
