"""What each page costs a browser: bytes over the wire, time to the first paint, long tasks.

    python -m tests.bench.pages http://127.0.0.1:8000 [--key KEY] [--runs 5]

Every run is a fresh browser without a cache; the table shows the median run. The address is of a service that is
already up; a result is measured where it has one.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
from dataclasses import dataclass

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

PATHS = ("/", "/jobs", "/review", "/audit", "/status")
WATCH = """
window.longTasks = [];
new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map((one) => one.duration)))
  .observe({ type: "longtask", buffered: true });
"""
TIMES = """() => {
  const [visit] = performance.getEntriesByType("navigation");
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  const ready = visit.domContentLoadedEventEnd;
  return { paint: paint ? paint.startTime : ready, ready, tasks: window.longTasks };
}"""


@dataclass(frozen=True)
class Visit:
    """One page in one fresh browser."""

    bytes_sent: int
    """Over the wire, heads and bodies, compressed as they came."""
    requests: int
    paint_ms: float
    ready_ms: float
    long_tasks: int
    """Of 50 ms and more, during which the page answers nobody."""
    long_ms: float


def visit(browser: Browser, site: str, path: str, key: str | None) -> Visit:
    """Open a page, and wait until nothing more comes."""
    context = browser.new_context(base_url=site, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.add_init_script(WATCH)
    if key:
        sign_in(page, key)
    sizes: list[int] = []
    session: CDPSession = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    page.goto(path, wait_until="load")
    page.wait_for_timeout(700)
    found = page.evaluate(TIMES)
    context.close()
    return Visit(sum(sizes), len(sizes), found["paint"], found["ready"], len(found["tasks"]), sum(found["tasks"]))


def sign_in(page: Page, key: str) -> None:
    """Exchange the key for a session."""
    page.goto("/sign-in")
    page.locator("#key").fill(key)
    page.locator("main form button").click()


def main() -> None:
    """Print a table."""
    reader = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    reader.add_argument("site")
    reader.add_argument("--key")
    reader.add_argument("--runs", type=int, default=5)
    asked = reader.parse_args()
    program = shutil.which("chromium") or sys.exit("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        print(f"{'page':32} {'kB':>7} {'requests':>8} {'paint ms':>9} {'ready ms':>9} {'long tasks':>10} {'ms':>6}")
        for path in [*PATHS, *result_of(browser, asked.site, asked.key)]:
            visits = sorted(
                (visit(browser, asked.site, path, asked.key) for _ in range(asked.runs)), key=lambda one: one.paint_ms
            )
            shown = visits[len(visits) // 2]
            tasks = statistics.median(one.long_tasks for one in visits)
            print(
                f"{path[:32]:32} {shown.bytes_sent / 1000:7.1f} {shown.requests:8} {shown.paint_ms:9.0f} "
                f"{shown.ready_ms:9.0f} {tasks:10g} {statistics.median(one.long_ms for one in visits):6.0f}"
            )
        browser.close()


def result_of(browser: Browser, site: str, key: str | None) -> list[str]:
    """The newest document that was read, if there is one."""
    page = browser.new_page(base_url=site)
    if key:
        sign_in(page, key)
    page.goto("/jobs?state=succeeded")
    found = [str(link.get_attribute("href")) for link in page.locator("table.jobs tbody th a").all()[:1]]
    page.close()
    return found


if __name__ == "__main__":
    main()
