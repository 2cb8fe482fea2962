"""`ocrelay submit` against a real server on a socket, a worker's part played by the test."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from werkzeug.serving import make_server

from api.app import app_of
from api.client.submit.command import submit
from api.formats.table import FORMATS
from api.service.parts import Parts
from shared import jobs
from tests.unit.api.conftest import finish, png


@pytest.fixture
def server(parts: Parts) -> Iterator[str]:
    """Each job is finished as soon as it is accepted."""
    app = app_of(parts)

    def served(environ: dict[str, Any], start_response: Any) -> Any:
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        answer = app(environ, start_response)
        with parts.database.read() as connection:
            queued = jobs.list_jobs(connection, state="queued")
        for job in queued:
            finish(parts, job.id)
        return answer

    running = make_server("127.0.0.1", 0, served)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.port}"
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    found = [tmp_path / "a.png", tmp_path / "b.png"]
    for width, path in enumerate(found, 60):
        path.write_bytes(png(width, 30))
    return found


def run(server: str, files: list[Path], *arguments: str) -> Result:
    return CliRunner().invoke(submit, [*map(str, files), "--server", server, *arguments], catch_exceptions=False)


def printed(server: str, files: list[Path], *arguments: str) -> str:
    """Return what a success puts out."""
    found = run(server, files, *arguments)
    assert found.exit_code == 0, found.output
    return found.stdout


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_each_format_is_put_into_a_folder(server: str, images: list[Path], tmp_path: Path, form: Any) -> None:
    found = run(server, images, "--format", form.name, "--output", str(tmp_path / "out"))
    assert found.exit_code == 0, found.output
    files = [tmp_path / "out" / f"{name}.{form.ending}" for name in ("a", "b")]
    assert found.stdout.split() == [str(file) for file in files]
    assert all(file.stat().st_size > 10 for file in files)


def test_text_is_printed_as_before_and_other_text_as_it_is(server: str, images: list[Path]) -> None:
    assert printed(server, images[:1]) == f"== {images[0]} (confidence 90.0 %)\n你好 world\n"
    assert printed(server, images[:1], "--format", "markdown") == "你好 world\n"
    assert printed(server, images[:1], "--keep-layout") == "你好 world\n"
    assert printed(server, images[:1], "--format", "hocr").startswith("<?xml")


@pytest.mark.parametrize(
    ("arguments", "way_out"),
    [
        (["--format", "pdf"], "--output"),
        (["--pdfa"], "--format pdf"),
        (["--format", "alto", "--keep-layout"], "--format text"),
        (["--format", "tsv", "--no-wait"], "--no-wait"),
        (["--format", "docx"], "'markdown'"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_sent(
    server: str, parts: Parts, images: list[Path], arguments: list[str], way_out: str
) -> None:
    found = run(server, images, *arguments)
    assert found.exit_code == 2 and way_out in found.output
    with parts.database.read() as connection:
        assert jobs.list_jobs(connection) == []


def test_files_of_one_name_do_not_overwrite_one_another(server: str, tmp_path: Path) -> None:
    files = [tmp_path / "a.png", tmp_path / "a.bin"]
    for width, path in enumerate(files, 40):
        path.write_bytes(png(width, 30))
    run(server, files, "--format", "pdf", "--output", str(tmp_path / "out"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.bin.pdf", "a.png.pdf"]
