"""`ocrelay submit` with a folder: mirrored, interrupted, limited, watched, and nothing twice."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from werkzeug.serving import make_server

from api.app import app_of
from api.client import patience
from api.client.patience import Patience
from api.client.refusal import Away, Refused
from api.client.submit import journal, watch
from api.client.submit.command import submit
from api.service.parts import Parts
from shared import jobs, keys
from shared.audit.actor import OPERATOR
from shared.keys.record import Scope
from tests.pdfs import PdfPage, pdf
from tests.services import wait_until
from tests.unit.api.conftest import finish, png


class Service:
    """A server that can be stopped and started on its port; each job is finished as soon as it is accepted."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._app = app_of(parts)
        self._port = 0
        self.is_reading = True
        self._worker = threading.Lock()
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.requests: list[tuple[str, str]] = []
        self.lost_answers = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._server = make_server("127.0.0.1", self._port, self._serve, threaded=True)
        self._port = self._server.port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def jobs(self) -> list[jobs.Job]:
        with self._parts.database.read() as connection:
            return jobs.list_jobs(connection, limit=500)

    def _serve(self, environ: dict[str, Any], start_response: Any) -> Any:
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        self.requests.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        if self.answers and environ["REQUEST_METHOD"] == "POST":
            status, headers, body = self.answers.pop(0)
            start_response(f"{status} X", [("Content-Type", "application/problem+json"), *headers.items()])
            return [body]
        environ.pop("HTTP_PREFER", None)  # nobody works while a request is held
        answer = b"".join(self._app(environ, start_response))
        with self._worker:
            for job in self.jobs() if self.is_reading else ():
                if job.state == "queued":
                    finish(self._parts, job.id)
        if self.lost_answers and environ["REQUEST_METHOD"] == "POST":
            self.lost_answers -= 1
            return [answer[:5]]  # the connection breaks in the middle of it
        return [answer]


@pytest.fixture
def service(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setattr(patience, "FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(patience, "LONGEST_PAUSE_SECONDS", 0.05)
    running = Service(parts)
    yield running
    running.stop()


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    for number, name in enumerate(("a.png", "2026/a.png", "2026/b.png", "2026/b.bin")):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png(40 + number, 30))
    (folder / "notes.txt").write_text("no document")
    (folder / ".hidden.png").write_bytes(png())
    return folder


RESULTS = ["2026/a.txt", "2026/b.bin.txt", "2026/b.png.txt", "a.txt"]


def run(service: Service, *arguments: str | Path, data: bytes = b"") -> Result:
    return CliRunner().invoke(submit, [*map(str, arguments), "--server", service.url], input=data)


def below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_folder_is_read_with_all_below_it_and_mirrored(service: Service, scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    found = run(service, scans, "--output", out)
    assert found.exit_code == 0, found.output
    assert below(out) == RESULTS
    assert sorted(found.stdout.split()) == sorted(str(out / name) for name in RESULTS)
    assert "can be read (1): " in found.stderr and "4 read, 0 failed." in found.stderr
    assert {job.filename for job in service.jobs()} == {"a.png", "2026/a.png", "2026/b.png", "2026/b.bin"}


def test_results_in_a_folder_that_is_read_are_no_documents(service: Service, scans: Path) -> None:
    assert run(service, scans, "--output", scans / "out", "--format", "pdf").exit_code == 0
    assert run(service, scans, "--output", scans / "out", "--format", "pdf", "--resume").exit_code == 0
    assert len(service.jobs()) == 4


def test_patterns_and_standard_input_are_documents(service: Service, scans: Path) -> None:
    found = run(service, scans / "**" / "b.*", "--json")
    assert {json.loads(line)["name"] for line in found.stdout.splitlines()} == {"b.png", "b.bin"}
    found = run(service, "-", data=png(9, 9))
    assert found.stdout == "== standard input (confidence 90.0 %)\n你好 world\n"
    assert run(service, "-", "--no-headers", data=png(9, 9)).stdout == "你好 world\n"
    assert run(service, scans / "*.webp").exit_code == 2


def test_a_server_that_goes_away_is_waited_for(service: Service, scans: Path, tmp_path: Path) -> None:
    service.is_reading = False
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(run(service, scans, "--output", tmp_path / "out")))
    thread.start()
    while len(service.jobs()) < 4:
        time.sleep(0.01)
    service.stop()
    time.sleep(0.3)
    service.is_reading = True
    service.start()
    thread.join(60)
    assert results[0].exit_code == 0, results[0].output
    assert below(tmp_path / "out") == RESULTS and len(service.jobs()) == 4
    assert results[0].stderr.count("No answer") == 1, "it says so once"


def test_an_answer_that_is_lost_makes_no_second_job(service: Service, scans: Path, tmp_path: Path) -> None:
    service.lost_answers = 3
    assert run(service, scans, "--output", tmp_path / "out").exit_code == 0
    assert len(service.jobs()) == 4


def test_a_limit_is_waited_for_as_long_as_it_says(service: Service, scans: Path, tmp_path: Path) -> None:
    body = json.dumps({"detail": "Too often.", "code": "rate_limited", "retryable": True, "request_id": "req_1"})
    service.answers = [(429, {"Retry-After": "1"}, body.encode())] * 2
    started = time.monotonic()
    found = run(service, scans, "--output", tmp_path / "out", "--jobs", "1")
    assert found.exit_code == 0 and time.monotonic() - started >= 2
    assert "rate_limited" in found.stderr and "req_1" in found.stderr and len(service.jobs()) == 4


def test_a_run_that_was_killed_is_gone_on_with(service: Service, scans: Path, tmp_path: Path) -> None:
    """The journal is what a kill leaves: cut it off after each of its lines, and go on from there."""
    out = tmp_path / "out"
    run(service, scans, "--output", out, "--jobs", "1")
    file = journal.beside(out)
    assert file is not None
    whole = file.read_bytes()
    lines = whole.splitlines(keepends=True)
    assert len(lines) == 1 + 3 * 4
    for count in range(1, len(lines)):
        file.write_bytes(b"".join(lines[:count]) + lines[count][:7])  # the last line is not whole
        found = run(service, scans, "--output", out, "--resume")
        assert found.exit_code == 0, found.output
        done = sum(b'"done"' in line for line in lines[:count])
        assert len(found.stdout.split()) == 4 - done, "what was told is not told again"
        assert len(service.jobs()) == 4 and below(out) == RESULTS


def test_a_run_that_did_not_end_is_not_begun_anew_by_mistake(service: Service, scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (scans / "broken.png").write_bytes(png(0, 1))
    assert run(service, scans, "--output", out).exit_code == 1
    found = run(service, scans, "--output", out)
    assert found.exit_code == 2 and "--resume" in found.stderr and "--restart" in found.stderr
    assert run(service, scans, "--output", out, "--resume", "--format", "pdf").exit_code == 2
    assert run(service, scans, "--output", out, "--restart").exit_code == 1
    assert len(service.jobs()) == 8


def test_a_file_that_changed_is_read_anew_and_a_new_one_too(service: Service, scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(service, scans, "--output", out)
    (scans / "a.png").write_bytes(png(99, 30))
    (scans / "new.png").write_bytes(png(98, 30))
    (out / "2026" / "a.txt").unlink()
    found = run(service, scans, "--output", out, "--resume")
    assert {Path(line).name for line in found.stdout.split()} == {"a.txt", "new.txt"}
    assert len(service.jobs()) == 6, "the result that was deleted is fetched again"


def test_what_failed_is_told_once_and_tried_again_only_on_demand(service: Service, scans: Path, tmp_path: Path) -> None:
    (scans / "broken.png").write_bytes(png(0, 1))
    found = run(service, scans, "--output", tmp_path / "out")
    assert found.exit_code == 1
    assert "broken.png: The image is zero pixels wide" in found.stderr and "broken" not in found.stdout
    again = run(service, scans, "--output", tmp_path / "out", "--resume")
    assert again.exit_code == 1 and again.stdout == "" and "zero pixels" not in again.stderr
    count = len(service.requests)
    assert run(service, scans, "--output", tmp_path / "out", "--resume", "--retry-failed").exit_code == 1
    assert len(service.requests) == count + 1


def test_each_kind_of_end_has_its_status(service: Service, parts: Parts, scans: Path, tmp_path: Path) -> None:
    assert run(service, "nowhere").exit_code == 2
    assert run(service).exit_code == 2
    assert CliRunner().invoke(submit, [str(scans), "--server", "foo"]).exit_code == 2
    with parts.database.write() as connection:
        keys.create(connection, name="test", scopes=[Scope.READ], actor=OPERATOR)
    refused = run(service, scans)
    assert isinstance(refused.exception, Refused) and refused.exception.exit_code == 4
    service.stop()
    away = run(service, scans)
    assert isinstance(away.exception, Away) and away.exception.exit_code == 3
    service.start()


def test_a_refusal_is_told_with_all_that_is_known(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("<html></html>")
    found = run(service, file)
    assert "unsupported_media_type" in found.stderr and "request req_" in found.stderr and found.stdout == ""
    limited = tmp_path / "big.png"
    limited.write_bytes(png(50_000, 10))
    told = run(service, limited).stderr
    assert "OCRELAY_MAX_SIDE" in told and "max_side: 30000" in told


def test_json_has_a_line_for_each_document_whatever_became_of_it(service: Service, scans: Path, tmp_path: Path) -> None:
    (scans / "broken.png").write_bytes(png(0, 1))
    found = run(service, scans, "--output", tmp_path / "out", "--json")
    documents = {one["name"]: one for one in map(json.loads, found.stdout.splitlines())}
    assert len(documents) == 5
    assert documents["broken.png"]["error"]["code"] == "zero_size_image"
    assert documents["a.png"]["output"] == str(tmp_path / "out" / "a.txt") and documents["a.png"]["error"] is None


def test_a_folder_is_watched_until_somebody_ends_it(service: Service, scans: Path, tmp_path: Path) -> None:
    waiting = Patience(1, print)
    seen = []
    for document in watch.watch(scans, _Quick(waiting), leave_out=tmp_path / "out"):
        if document is not None:
            seen.append(document.name)
        if len(seen) == 4 and not (scans / "late.png").exists():
            (scans / "late.png").write_bytes(pdf([PdfPage(b"")]))
        if len(seen) == 5:
            waiting.stop()
    assert seen[-1] == "late.png" and sorted(seen[:4]) == ["2026/a.png", "2026/b.bin", "2026/b.png", "a.png"]


def test_a_watched_folder_passes_nothing_over_that_is_called_like_a_document(tmp_path: Path) -> None:
    waiting, seen = Patience(1, print), []
    for name, content, age in (("broken.png", b"garbage", 0), ("stays-empty.png", b"", 60), ("is-written.png", b"", 0)):
        (tmp_path / name).write_bytes(content)
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    for look, document in enumerate(watch.watch(tmp_path, _Quick(waiting), leave_out=None)):
        seen += [document.name] if document else []
        if look == 20:
            waiting.stop()
    assert seen == ["broken.png", "stays-empty.png"]


class _Quick(Patience):
    """Does not pause between two looks."""

    def __init__(self, other: Patience) -> None:
        self._other = other

    @property
    def is_stopped(self) -> bool:
        return self._other.is_stopped

    def pause(self, seconds: float) -> None:
        time.sleep(0.001)


class Terminal:
    """`ocrelay submit` with a terminal of its own, as a person has one."""

    def __init__(self, service: Service, *arguments: str | Path) -> None:
        self._master, slave = pty.openpty()
        command = [sys.executable, "-c", ON_TERMINAL, "submit", *map(str, arguments), "--server", service.url]
        self._process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, cwd=ROOT)
        os.close(slave)

    def press(self, key: bytes) -> None:
        os.write(self._master, key)

    def end(self) -> tuple[int, str]:
        """Exit status, and what stood on the terminal."""
        shown = b""
        with suppress(OSError):  # nobody is there any more
            while more := os.read(self._master, 4096):
                shown += more
        os.close(self._master)
        return self._process.wait(20), shown.decode()


ROOT = Path(__file__).parents[3]
ON_TERMINAL = """import os, runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the shell of the tests made of it
os.login_tty(os.dup(0))
runpy.run_module('shared.cli', run_name='__main__')"""
CTRL_C = b"\x03"


@pytest.mark.parametrize("is_kept", [True, False])
def test_ctrl_c_on_a_terminal_says_how_to_go_on(service: Service, scans: Path, tmp_path: Path, is_kept: bool) -> None:
    service.is_reading = False
    out = tmp_path / "out"
    terminal = Terminal(service, scans, *(["--output", out] if is_kept else []))
    wait_until(lambda: len(service.jobs()) == 4, what="all four jobs")
    terminal.press(CTRL_C)
    status, shown = terminal.end()
    assert status == 130 and "Interrupted." in shown and "Traceback" not in shown, shown
    assert ("with --resume goes on" if is_kept else "--journal") in shown
    if is_kept:
        service.is_reading = True
        found = run(service, scans, "--output", out, "--resume")
        assert found.exit_code == 0, found.output
        assert len(service.jobs()) == 4 and below(out) == RESULTS, "nothing was sent twice"


def test_two_commands_do_not_write_one_journal(service: Service, scans: Path, tmp_path: Path) -> None:
    file = journal.beside(tmp_path / "out")
    with journal.Journal(file, resume=False, restart=False, made_of={}):
        found = run(service, scans, "--output", tmp_path / "out", "--resume")
    assert found.exit_code == 2 and "Another `ocrelay submit`" in found.stderr
    assert file is not None and file.stat().st_mode & 0o777 == 0o600


def test_a_place_that_cannot_be_written_to_is_named(service: Service, scans: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    found = run(service, scans, "--output", tmp_path / "file" / "out")
    assert (found.exit_code, isinstance(found.exception, SystemExit)) == (1, True)
    assert "cannot be written" in found.stderr and "--resume" in found.stderr


def test_a_document_in_the_place_of_a_folder_ends_the_run_with_a_sentence(
    service: Service, scans: Path, tmp_path: Path
) -> None:
    (tmp_path / "out" / "a.txt").mkdir(parents=True)
    found = run(service, scans, "--output", tmp_path / "out")
    assert (found.exit_code, isinstance(found.exception, SystemExit)) == (1, True)
    assert "cannot be written" in found.stderr


def test_what_a_killed_command_left_half_written_is_taken_away(service: Service, scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "2026").mkdir(parents=True)
    for name in (".ocrelay-abc", "2026/.ocrelay-def"):
        (out / name).write_bytes(b"half of a resu")
    assert run(service, scans, "--output", out, "--resume").exit_code == 0
    assert below(out) == RESULTS
