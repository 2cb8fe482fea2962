"""The sub-command `submit`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import click

from api.client import results
from api.client.http import Client
from api.client.patience import Patience, Stopped
from api.client.refusal import Refused
from api.client.server_option import with_server
from api.client.submit import crew, documents, journal
from api.client.submit.report import Report
from api.client.submit.sending import Sender, sweep
from api.client.submit.watch import watch
from api.formats import table
from shared import options

INTERRUPTED = 130
NAMED = 5
"""Files that are passed over, by name; of more it is said how many."""
KEPT = "Interrupted. What was sent is noted; the same command with --resume goes on."
NOT_KEPT = "Interrupted. Nothing notes what was sent: with --output or --journal a run can be gone on with."


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@with_server
@click.option("--layout", type=click.Choice(sorted(options.LAYOUTS)), default=options.DEFAULT_LAYOUT, show_default=True)
@click.option("--charset", type=click.Choice(options.CHARSETS), default=options.DEFAULT_CHARSET, show_default=True)
@click.option("--pages", help="Which pages to read, such as 1-3,7; left out: all.")
@click.option(
    "--text-layer",
    type=click.Choice(get_args(options.TextLayerName)),
    default=options.DEFAULT_TEXT_LAYER,
    show_default=True,
    help="Whether pages of a PDF may be taken from their own text.",
)
@click.option(
    "--quality", type=click.Choice(options.QUALITIES), help="Who reads.  [default: what the server is set to]"
)
@click.option("--priority", type=click.Choice(options.PRIORITIES), help="Queue of the jobs.  [default: normal]")
@click.option("--reference", help="Your own name for the jobs; `ocrelay jobs list --reference` finds them by it.")
@click.option(
    "--dedupe/--no-dedupe", default=None, help="Whether an equal earlier job's result will do.  [default: yes]"
)
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait for the text, or print the ids at once.")
@click.option("--format", "form", type=click.Choice(table.NAMES), default="text", show_default=True)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Put a file for each into this folder, in folders like those that were given.",
)
@click.option("--keep-layout", is_flag=True, help="With --format text: keep columns and indentation by spaces.")
@click.option("--pdfa", is_flag=True, help="With --format pdf: make it PDF/A-2b.")
@click.option("--jobs", type=click.IntRange(1, 64), default=4, show_default=True, help="Documents at a time.")
@click.option("--resume", is_flag=True, help="Go on where an earlier run with the same --output stopped.")
@click.option("--restart", is_flag=True, help="Begin anew, whatever an earlier run has done.")
@click.option("--retry-failed", is_flag=True, help="With --resume: try again what failed.")
@click.option(
    "--journal",
    "journal_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"File that notes what was sent.  [default: .NAME{journal.ENDING} beside the folder NAME of --output]",
)
@click.option("--watch", "watched", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="Send what comes into this folder, until Ctrl-C. Needs --output.")  # fmt: skip
@click.option("--patience", type=click.FloatRange(0), help="Seconds that the server may be away.  [default: 300]")
@click.option("--headers/--no-headers", default=True, help="With --format text: whether a line names each file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line for each document.")
def submit(
    client: Client,
    paths: tuple[str, ...],
    *,
    wait: bool,
    form: str,
    output: Path | None,
    keep_layout: bool,
    pdfa: bool,
    jobs: int,
    watched: Path | None,
    patience: float | None,
    headers: bool,
    as_json: bool,
    journal_file: Path | None,
    resume: bool,
    restart: bool,
    retry_failed: bool,
    dedupe: bool | None,
    **chosen: str | None,
) -> None:
    """Send documents to a server and print their text, or what else --format names.

    PATH is a file, a folder with all that is in it, a pattern such as 'scans/**/*.jpg', or - for standard input. Of
    text and json the job is printed, of other formats the file itself; one that is no text needs --output.

    Status 0: all were read. 1: some failed. 2: wrong usage. 3: the server is away. 4: the server refused.
    130: interrupted.
    """
    wanted = results.Wanted.of(form, output=output, keep_layout=keep_layout, pdfa=pdfa)
    file = journal_file or journal.beside(output)
    _check(paths, wanted, watched, wait=wait, resume=resume, restart=restart, retry_failed=retry_failed, file=file)
    sent = {name: value for name, value in chosen.items() if value is not None}
    sent |= {} if dedupe is None else {"dedupe": str(dedupe).lower()}
    found, passed_over = documents.find(paths, leave_out=output)
    report = Report(wanted, total=None if watched else len(found), as_json=as_json, headers=headers)
    if not found and not watched:
        report.say("There is no document under what was named. Links to folders are not followed.")
    if passed_over:
        named = ", ".join(str(path) for path in passed_over[:NAMED]) + (", ..." if len(passed_over) > NAMED else "")
        report.say(f"Passed over, for they are no documents that can be read ({len(passed_over)}): {named}")
    waiting = Patience(300.0 if patience is None else patience, report.say, wait_for_first=patience is not None)
    made_of = {"server": client.server, "format": form, "options": sent | wanted.query()}
    with (
        _writing(output),
        journal.Journal(file, resume=resume or bool(watched), restart=restart, made_of=made_of) as notes,
    ):
        if journal_file is None:  # else another command may be writing there
            sweep(output)
        sender = Sender(
            client,
            waiting,
            notes,
            documents.Names.of(found),
            wanted,
            sent,
            is_waiting=wait,
            again=retry_failed,
        )
        stream = _stream(found, watched, waiting, output)
        with _ending(waiting):
            _run(sender, stream, report, jobs, is_endless=watched is not None)
    sys.exit(1 if report.failed else 0)


@contextmanager
def _writing(output: Path | None) -> Iterator[None]:
    """Say what is wrong with the place that results and the journal are written to."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        where = error.filename or output or "the output"
        raise click.ClickException(
            f"{where} cannot be written ({error.strerror or error}). Make room, or name another --output; "
            "what is done stays, and --resume goes on."
        ) from error


def _check(
    paths: tuple[str, ...],
    wanted: results.Wanted,
    watched: Path | None,
    *,
    wait: bool,
    resume: bool,
    restart: bool,
    retry_failed: bool,
    file: Path | None,
) -> None:
    """Raise UsageError where options do not go together."""
    if not paths and watched is None:
        raise click.UsageError("Name files or folders, or - for standard input.")
    if wanted.is_fetched and not wait:
        raise click.UsageError("Without waiting there is no result yet. Leave out --no-wait, or --format and --output.")
    if watched is not None and wanted.output is None:
        raise click.UsageError("--watch needs a folder for the results. Name it with --output.")
    if watched is not None and paths:
        raise click.UsageError("--watch takes what is in its folder, too. Leave the other paths out.")
    if resume and restart:
        raise click.UsageError("--resume goes on, --restart begins anew. Give one of them.")
    if (resume or restart) and file is None:
        raise click.UsageError("Nothing notes what was sent. Name a folder with --output, or a file with --journal.")
    if retry_failed and not resume:
        raise click.UsageError("--retry-failed is for a run that goes on. Add --resume.")


def _stream(
    found: list[documents.Document], watched: Path | None, waiting: Patience, output: Path | None
) -> Iterator[documents.Document | None]:
    yield from found
    if watched is not None:
        yield from watch(watched, waiting, leave_out=output)


def _run(
    sender: Sender, stream: Iterator[documents.Document | None], report: Report, threads: int, *, is_endless: bool
) -> None:
    """Send all and tell what becomes of them."""
    try:
        for outcome in crew.work(stream, sender.send, threads):
            report.outcome(outcome)
            sys.stdout.flush()
            if outcome.output is None and not outcome.is_failure and sender.is_waiting and not outcome.was_done:
                sender.journal.note(outcome.document.name, "done")  # it was printed, and will not be again
    except (Stopped, KeyboardInterrupt):
        report.end()
        if is_endless:
            return
        report.say(KEPT if sender.journal.is_kept else NOT_KEPT)
        sys.exit(INTERRUPTED)
    except Refused:
        report.end()
        raise
    report.end()


@contextmanager
def _ending(waiting: Patience) -> Iterator[None]:
    """Let SIGTERM end the command as Ctrl-C does; what is under way is left to --resume."""

    def stop(*_: object) -> None:
        waiting.stop()
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not the first thread: somebody else looks after signals
        yield
        return
    try:
        yield
    finally:
        waiting.stop()
        signal.signal(signal.SIGTERM, before)
