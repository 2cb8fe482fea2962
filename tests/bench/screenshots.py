"""Every page as a picture: 1280 and 390 pixels wide, light and dark, in English and Chinese, to be looked at.

    python -m tests.bench.screenshots FOLDER [--only /jobs /status]
    python -m tests.bench.screenshots --readme

Starts a service of its own with something on each page. FOLDER gets a PNG for each, and a sheet of each kind,
`sheet-en-light-390.png`. With --readme the three pictures of the README are made anew instead.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

from PIL import Image, ImageFilter
from playwright.sync_api import Browser, Page, sync_playwright

from shared import keys
from shared.audit.actor import OPERATOR
from shared.database import Database
from shared.keys.record import Scope
from shared.settings import Settings
from tests.ports import free_port
from tests.services import Process, wait_until

SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
WIDTHS, SCHEMES, LANGUAGES = (1280, 390), ("light", "dark"), ("en", "zh")
PATHS = (
    "/", "/jobs", "/batches", "/batches/{batch}", "/review", "/jobs/{page}", "/jobs/{book}", "/jobs/{failed}",
    "/jobs/{poor}", "/models", "/models/bring", "/keys", "/webhooks", "/deliveries", "/deliveries/{delivery}", "/audit",
    "/audit/verify", "/status", "/nowhere",
)  # fmt: skip
TALLEST = 2400
"""Of a picture on a sheet, in the page's own pixels."""
SHEET_WIDTH = 320
README = {"page-read": "/", "page-result": "/jobs/{poor}#first-doubt", "page-jobs": "/jobs"}


class Site:
    """A service with something on each page."""

    def __init__(self, address: str, key: str) -> None:
        self.address, self.key = address, key

    def ask(self, method: str, path: str, body: bytes | None = None, kind: str = "application/json") -> Any:
        """Call the API; answers of refusals are passed over."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": kind}
        request = urllib.request.Request(self.address + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return json.loads(error.read())

    def fill(self) -> dict[str, str]:
        """Make a webhook that nobody answers, send documents good and bad; return ids for the addresses."""
        octets = "application/octet-stream"
        self.ask("POST", "/v1/webhook-endpoints", json.dumps({"url": "http://127.0.0.1:9/receipts"}).encode())
        sent = {}
        for path in sorted(SAMPLES.glob("*.*")):
            if path.suffix != ".md":
                name = f"/v1/jobs?reference={path.name}"
                sent[path.stem] = self.ask("POST", name, path.read_bytes(), octets)["id"]
        sent["poor"] = self.ask("POST", "/v1/jobs?reference=far-away.png", poor(), octets)["id"]
        damaged = (SAMPLES / "page.png").read_bytes()[:4000]
        sent["failed"] = self.ask("POST", "/v1/jobs?reference=half-a-scan.png", damaged, octets)["id"]
        images = [(SAMPLES / f"line-{name}.png").read_bytes() for name in ("chinese", "english", "mixed")]
        sent["batch"] = self.ask("POST", "/v1/batches?reference=receipts%20of%20March", *form_of(images))["id"]
        wait_until(
            lambda: not self.ask("GET", "/v1/jobs?state=queued")["jobs"], seconds=300, what="the end of all jobs"
        )
        wait_until(
            lambda: not self.ask("GET", "/v1/jobs?state=running")["jobs"], seconds=300, what="the end of all jobs"
        )
        wait_until(lambda: self.ask("GET", "/v1/deliveries")["deliveries"], seconds=60, what="a delivery")
        sent["delivery"] = self.ask("GET", "/v1/deliveries")["deliveries"][0]["id"]
        return sent


def poor() -> bytes:
    """A receipt from so far away that some lines leave doubts."""
    with Image.open(SAMPLES / "receipt.jpg") as image:
        small = image.convert("L").resize((image.width // 6, image.height // 6))
        target = io.BytesIO()
        small.resize((image.width // 2, image.height // 2)).filter(ImageFilter.GaussianBlur(1)).save(target, "PNG")
        return target.getvalue()


def form_of(images: list[bytes]) -> tuple[bytes, str]:
    """A form with files, and its media type."""
    parts = [
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="%d.png"\r\n\r\n' % number + image + b"\r\n"
        for number, image in enumerate(images)
    ]
    return b"".join(parts) + b"--x--\r\n", "multipart/form-data; boundary=x"


@contextmanager
def site() -> Iterator[Site]:
    """Start one in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.load(
            data_dir=Path(folder) / "data", webhook_allowed_networks="127.0.0.0/8", api_processes=1
        )
        port = free_port()
        arguments = ["up", "--data", str(settings.data_dir), "--port", str(port), "--workers", "1"]
        up = Process(settings, *arguments, output=Path(folder) / "log")
        try:
            wait_until(lambda: "ready http" in up.said or up.status is not None, seconds=300, what="ready")
            database = Database(settings.database)
            with database.write() as connection:
                scopes = [Scope.ADMIN]
                text = keys.create(connection, name="office", scopes=scopes, actor=OPERATOR)[1]
                keys.create(connection, name="scanner in the hall", scopes=[Scope.SUBMIT], actor=OPERATOR)
            database.close()
            time.sleep(2)  # every process knows the key
            yield Site(f"http://127.0.0.1:{port}", text)
        finally:
            up.end()


@contextmanager
def visitor(browser: Browser, found: Site, language: str, scheme: Any, width: int) -> Iterator[Page]:
    """A page of somebody who has signed in."""
    locale = {"en": "en-GB", "zh": "zh-CN"}[language]
    size: Any = {"width": width, "height": 800}
    context = browser.new_context(base_url=found.address, locale=locale, color_scheme=scheme, viewport=size)
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    context.close()


def sign_in(page: Page, key: str) -> None:
    """Exchange the key for a session."""
    page.goto("/sign-in")
    page.locator("#key").fill(key)
    page.locator("main form button").click()
    page.wait_for_url("**/")


def send_samples(page: Page) -> None:
    """Give the first page something to show."""
    page.set_input_files("#files", [str(SAMPLES / name) for name in ("receipt.jpg", "page.png", "line-mixed.png")])
    page.locator("#rows tr[data-state=succeeded]").nth(2).wait_for()


def shoot(page: Page, path: str, file: Path) -> None:
    """One page in its whole height, once nothing comes any more."""
    page.goto(path)
    page.wait_for_load_state("networkidle") if "status" not in path else page.wait_for_timeout(500)
    page.screenshot(path=file, full_page=True, animations="disabled")


def name_of(path: str) -> str:
    """The name of a page's picture."""
    return path.strip("/").replace("/", "-").replace("{", "").replace("}", "") or "read"


def sheet(files: list[Path], target: Path) -> None:
    """All pictures beside each other, from their tops."""
    small = []
    for file in files:
        with Image.open(file) as image:
            cut = image.convert("RGB").crop((0, 0, image.width, min(image.height, TALLEST)))
            small.append(cut.resize((SHEET_WIDTH, cut.height * SHEET_WIDTH // cut.width), Image.Resampling.LANCZOS))
    columns = 6
    rows = [small[start : start + columns] for start in range(0, len(small), columns)]
    heights = [max(one.height for one in row) for row in rows]
    whole = Image.new("RGB", (columns * (SHEET_WIDTH + 10), sum(heights) + 10 * len(rows)), "#888")
    for number, row in enumerate(rows):
        for place, one in enumerate(row):
            whole.paste(one, (place * (SHEET_WIDTH + 10), sum(heights[:number]) + 10 * number))
    whole.save(target, optimize=True)


def main() -> None:
    """Make all pictures."""
    reader = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    reader.add_argument("folder", type=Path, nargs="?", default="build/screenshots")
    reader.add_argument("--only", nargs="*", default=PATHS)
    reader.add_argument("--readme", action="store_true")
    asked = reader.parse_args()
    program = shutil.which("chromium") or sys.exit("chromium is not installed: apt-get install chromium")
    with site() as found, sync_playwright() as playwright:
        ids = found.fill()
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        if asked.readme:
            for_readme(browser, found, ids)
        else:
            for_looking(browser, found, ids, asked.folder, asked.only)
        browser.close()


def for_looking(browser: Browser, found: Site, ids: dict[str, str], folder: Path, paths: Sequence[str]) -> None:
    """Each page in all kinds, and the sheets."""
    folder.mkdir(parents=True, exist_ok=True)
    for language, scheme, width in product(LANGUAGES, SCHEMES, WIDTHS):
        kind = f"{language}-{scheme}-{width}"
        with visitor(browser, found, language, scheme, width) as page:
            files = [folder / f"sign-in-{kind}.png"]
            shoot(page, "/sign-in", files[0])
            sign_in(page, found.key)
            send_samples(page)
            for path in paths:
                files.append(folder / f"{name_of(path)}-{kind}.png")
                shoot(page, path.format(**ids), files[-1])
        sheet(files, folder / f"sheet-{kind}.png")
        print(folder / f"sheet-{kind}.png", flush=True)


def for_readme(browser: Browser, found: Site, ids: dict[str, str]) -> None:
    """The pictures of the README: few colours, so few bytes."""
    with visitor(browser, found, "en", "light", 1280) as page:
        sign_in(page, found.key)
        send_samples(page)
        for name, path in README.items():
            target = SAMPLES.parent / f"{name}.png"
            page.goto(path.format(**ids))
            page.wait_for_load_state("networkidle")
            page.screenshot(path=target, animations="disabled", clip={"x": 0, "y": 0, "width": 1280, "height": 720})
            with Image.open(target) as image:
                image.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(target, optimize=True)


if __name__ == "__main__":
    main()
