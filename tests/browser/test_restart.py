"""The whole service stops and starts again under an open page."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from shared.settings import Settings
from tests.contract.test_nginx import Front
from tests.ports import free_port
from tests.services import Process, wait_until

SAMPLE = Path(__file__).parents[2] / "docs" / "samples" / "page.png"


def started(settings: Settings, port: int, output: Path) -> Process:
    arguments = ["up", "--data", str(settings.data_dir), "--port", str(port), "--workers", "1"]
    process = Process(settings, *arguments, output=output)
    wait_until(lambda: "ready http" in process.said or process.status is not None, seconds=120, what="ready")
    assert process.status is None, process.said
    return process


def is_closed(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return True
    return False


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_the_page_goes_on_by_itself_where_the_service_is_started_again(
    browser: Browser, tmp_path: Path, tiny_model_path: Path, end: signal.Signals
) -> None:
    settings = Settings.load(data_dir=tmp_path / "data", model=str(tiny_model_path), api_processes=1)
    port = free_port()
    up = started(settings, port, tmp_path / "first.log")
    context = browser.new_context(base_url=f"http://127.0.0.1:{port}", locale="en-GB")
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        page.goto("/")
        page.set_input_files("#files", str(SAMPLE))
        expect(page.locator("#rows tr[data-state=succeeded]")).to_have_count(1, timeout=60_000)
        up.signal(end)
        up.wait()
        up.end()
        wait_until(lambda: is_closed(port), seconds=60, what="the end of the killed one")
        page.set_input_files("#files", [{"name": "later.png", "mimeType": "image/png", "buffer": SAMPLE.read_bytes()}])
        expect(page.locator("#rows")).to_contain_text("does not answer", timeout=15_000)
        up = started(settings, port, tmp_path / "second.log")
        expect(page.locator("#rows tr[data-state=succeeded]")).to_have_count(2, timeout=60_000)
        expect(page.get_by_role("link", name="later.png")).to_be_visible()
        assert complaints == []
    finally:
        context.close()
        up.end()


def test_what_is_followed_behind_a_proxy_goes_on_where_the_service_is_started_again(
    browser: Browser, tmp_path: Path, tiny_model_path: Path
) -> None:
    """nginx's own 502 was once put into the page in place of what asks again, and nothing asked any more."""
    (tmp_path / "nginx").mkdir()
    front = Front(tmp_path / "nginx")
    settings = Settings.load(
        data_dir=tmp_path / "data", model=str(tiny_model_path), api_processes=1, allow_remote_without_keys=True
    )
    up = started(settings, front.upstream_port, tmp_path / "first.log")
    context = browser.new_context(base_url=f"http://127.0.0.1:{front.port}", locale="en-GB")
    try:
        wait_until(lambda: front.get("/readyz")[0] == 200, what="nginx to find the service")
        pages = [context.new_page() for _ in range(2)]
        for page, path in zip(pages, ("/status", "/models"), strict=True):
            page.goto(path)
        up.signal(signal.SIGKILL)
        up.wait()
        up.end()
        for page in pages:
            expect(page.locator("#problem")).to_contain_text("does not answer", timeout=30_000)
            assert "Bad Gateway" not in page.locator("body").inner_text()
        wait_until(lambda: is_closed(front.upstream_port), seconds=60, what="the end of the killed one")
        up = started(settings, front.upstream_port, tmp_path / "second.log")
        for page in pages:
            expect(page.locator("#problem")).to_be_empty(timeout=30_000)
            with page.expect_response(lambda answer: answer.ok, timeout=30_000):
                """It asks again."""
    finally:
        context.close()
        up.end()
        front.end()
