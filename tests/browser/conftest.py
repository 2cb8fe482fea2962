"""A real browser at a real server, over a database in which the test does what a worker does."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wsgi import LimitedStream

from api.app import app_of
from api.service.parts import Parts
from tests.services import unavailable
from tests.unit.api import conftest as api

settings, parts = api.settings, api.parts

HARMLESS = ("Failed to load resource",)
"""A browser's own line for every answer from 400 on; that the page says so itself is what tests look at."""


class Silent(WSGIRequestHandler):
    def log(self, *arguments: object, **named: object) -> None:
        """Say nothing."""


@pytest.fixture
def site(parts: Parts) -> Iterator[str]:
    """Address of the application."""
    app = app_of(parts)

    def bounded(environ: dict[str, Any], start: Any) -> Any:
        """The application, whose input ends where the body does, as that of a grown server does."""
        environ["wsgi.input"] = LimitedStream(environ["wsgi.input"], int(environ.get("CONTENT_LENGTH") or 0))
        return app(environ, start)

    server = make_server("127.0.0.1", 0, bounded, threaded=True, request_handler=Silent)
    server.daemon_threads = True  # type: ignore[attr-defined]
    server.block_on_close = False  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    program = shutil.which("chromium")
    if program is None:
        unavailable("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, site: str) -> Iterator[Open]:
    """Open an address; at the end nothing may have been asked of another host, refused by a policy, or thrown."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(HARMLESS):
            complaints.append(message.text)

    def asked(address: str) -> None:
        if not address.startswith((site, "blob:")):
            complaints.append(f"asked elsewhere: {address}")

    def go(path: str, **options: object) -> Page:
        context = browser.new_context(base_url=site, **{"locale": "en-GB", **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(8_000)
        page.on("console", heard)
        page.add_init_script(
            "addEventListener('securitypolicyviolation', (e) => console.error('policy', e.violatedDirective))"
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked(request.url))
        page.goto(path)
        return page

    yield go
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A file to send."""
    path = tmp_path / "note.png"
    path.write_bytes(api.png(64, 64))
    return path
