"""`ocrelay demo`: the whole system once, for real, with images that go through the queue."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from api.client.demo_receiver import Received, Receiver, receiving
from api.client.http import Client
from shared import clock, errors
from shared.audit import trail
from shared.database import Database
from shared.jobs.record import State
from shared.result.confidence import percent
from shared.settings import Settings
from shared.webhooks.record import JOB_URLS

DOCUMENTS = (".pdf", ".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
STOP_SECONDS = 60


def run(folder: Path) -> None:
    """Start everything in a temporary folder, read the images of `folder`, show what came out, stop everything."""
    images = sorted(path for path in folder.iterdir() if path.suffix.lower() in DOCUMENTS)
    if not images:
        raise errors.InvalidConfiguration(f"No document in {folder}. Name a folder with PNG, JPEG or PDF files.")
    with tempfile.TemporaryDirectory(prefix="ocrelay-demo-") as data, log_of(Path(data)):
        click.echo("Starting the broker, the API, two workers and the sweeper …")
        with receiving() as receiver, running(Path(data)) as server:
            client = Client(server, Settings.load().api_key)
            receiver.secret = client.call("GET", f"/v1/webhook-endpoints/{JOB_URLS}/secret")["secret"]
            started = clock.monotonic()
            sent = [client.submit(image, options_of(image, receiver), 0) for image in images]
            click.echo(f"Submitted {len(sent)} documents to {server}/v1/jobs in {clock.monotonic() - started:.2f} s.\n")
            done = [client.finished(job) for job in sent]
            models = client.get("/readyz")["models"]
            told = [receiver.about(job["id"]) for job in sent]
            pdfs = [searchable(client, job) for job in done]
        database = Database(Settings.load(data_dir=Path(data)).database, pool_size=1)
        show_models(models)
        for image, job, pdf, message in zip(images, done, pdfs, told, strict=True):
            show(image, job, database)
            click.echo(f"   pdf {len(pdf)} bytes, searchable, of an upload of {job['document']['size_bytes']} bytes")
            show_webhook(message)
        database.close()
        check(done, pdfs, told)
    click.echo(f"All {len(done)} documents were read, and everything is stopped. `make up` starts it to stay.")


def check(done: list[dict[str, Any]], pdfs: list[bytes], told: list[Received | None]) -> None:
    """Raise OcrelayError where anything is not as it should be."""
    failed = [job for job in done if job["state"] != State.SUCCEEDED]
    if failed:
        raise errors.OcrelayError(
            f"{len(failed)} of {len(done)} documents were not read. The lines above name the errors."
        )
    if not all(pdf.startswith(b"%PDF-") for pdf in pdfs):
        raise errors.OcrelayError("A searchable PDF was not made. The server's log names the reason.")
    if not all(message and message.is_genuine for message in told):
        raise errors.OcrelayError("A webhook did not arrive, or was not signed. The lines above name the job.")


def searchable(client: Client, job: dict[str, Any]) -> bytes:
    """The searchable PDF of a job that was read; nothing of one that was not."""
    return b"" if job["result"] is None else b"".join(client.stream(job["links"]["result"], format="pdf"))


def options_of(image: Path, receiver: Receiver) -> dict[str, str]:
    """What is asked for an image: the layout by its name, and a webhook."""
    return {"layout": "line" if "line" in image.stem else "page", "webhook": receiver.url, "reference": image.name}


@contextlib.contextmanager
def running(data: Path, workers: int = 2) -> Iterator[str]:
    """`ocrelay up` on a free port, until the block ends; yields the server's URL."""
    command = [sys.executable, "-m", "shared.cli", "up", "--data", str(data), "--port", "0", "--workers", str(workers)]
    log = data.with_suffix(".log")
    here = Settings.load(data_dir=data, webhook_allowed_networks="127.0.0.1").child_environment()
    with (
        log.open("w") as lines,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=lines, text=True, env=here) as process,
    ):
        assert process.stdout is not None
        try:
            line = next((line for line in process.stdout if line.startswith("ready ")), "")
            if not line:
                raise errors.InvalidConfiguration(f"`ocrelay up` did not start:\n{log.read_text()[-2000:]}")
            yield line.split()[1]
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


@contextlib.contextmanager
def log_of(data: Path) -> Iterator[Path]:
    """The log of the server over a folder: deleted at the end, unless something failed, for then it says why."""
    log = data.with_suffix(".log")
    try:
        yield log
    except BaseException:
        if log.exists():
            click.echo(f"The log of the server is kept: {log}", err=True)
        raise
    log.unlink(missing_ok=True)


def show(image: Path, job: dict[str, Any], database: Database) -> None:
    """Text, confidence, time and audit rows of one job."""
    click.secho(f"== {image.name}", bold=True)
    if job["result"] is None:
        click.echo(f"   {job['state']}: {job['error']}")
    else:
        result, timings = job["result"], job["timings_ms"]
        click.echo("\n".join(f"   {line}" for line in result["text"].splitlines()))
        again = [
            line
            for page in result["pages"]
            for line in page["lines"]
            if line.get("model", result["model"]["name"]) != result["model"]["name"]
        ]
        sure = "no text" if result["confidence"] is None else f"confidence {percent(result['confidence'])}"
        if result["min_confidence"] is not None:
            sure += f" (least certain line {percent(result['min_confidence'])})"
        if again:
            sure += f", {len(again)} lines by {result['stronger_model']['name']}"
        click.echo(f"   -- {sure}, {timings['total']:.0f} ms, of which {timings['queue']:.0f} ms in the queue")
    with database.read() as connection:
        events = trail.list_events(connection, job_id=job["id"])
    for event in reversed(events):
        read = (
            ""
            if event.confidence is None
            else f"  confidence {percent(event.confidence)}  {event.model} {event.model_version}"
        )
        who = "" if event.client_ip is None else f"  from {event.client_ip}"
        what = "" if event.sha256 is None else f"  sha256 {event.sha256[:16]}…"
        click.echo(f"   audit {event.occurred_at:%Y-%m-%d %H:%M:%S}  {event.event}{who}{what}{read}")


def show_models(models: list[dict[str, Any]]) -> None:
    """Who finds the lines, and who reads them."""
    does = {"finds": "finds the lines", "reads": "reads every line", "stronger": "reads again what leaves a doubt"}
    for model in models:
        click.echo(f"Model {model['name']} {model['version']} {does[model['role']]}.")
    if all(model["role"] != "stronger" for model in models):
        click.echo("No stronger model is installed; `ocrelay models install` fetches one.")
    click.echo()


def show_webhook(message: Received | None) -> None:
    """The signed message that told of the end of one job."""
    if message is None:
        click.echo("   webhook  did not arrive")
    else:
        signature = "signature verified" if message.is_genuine else "SIGNATURE WRONG"
        click.echo(f"   webhook  {message.event['type']}  {message.webhook_id}  {signature}")
    click.echo()
