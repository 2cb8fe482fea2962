"""What holds for the pages of those who run the service: no barrier, no wider than the window, in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from api.service.parts import Parts
from tests.browser.conftest import Open
from tests.browser.test_batches import batch
from tests.browser.test_every_page import barriers
from tests.browser.test_models import children
from tests.browser.test_webhooks import attempted
from tests.unit.api.conftest import finish

__all__ = ["batch", "children"]

PAGES = (
    "/models",
    "/keys",
    "/webhooks",
    "/deliveries",
    "/deliveries/{delivery_id}",
    "/batches",
    "/batches/{batch_id}",
)


@pytest.fixture
def ids(parts: Parts, children: list[str], batch: dict[str, Any]) -> dict[str, str]:
    """Something for each page to show, and what the addresses name."""
    assert children
    finish(parts, batch["jobs"][0]["id"])
    return {"delivery_id": attempted(parts, "no such place"), "batch_id": batch["id"]}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("locale", "width"), [("en-GB", 1280), ("zh-CN", 390), ("zh-CN", 2560)])
def test_nobody_is_kept_out(open_page: Open, ids: dict[str, str], scheme: str, locale: str, width: int) -> None:
    viewport = {"width": width, "height": 800}
    page = open_page("/", locale=locale, color_scheme=scheme, viewport=viewport, bypass_csp=True)
    for path in PAGES:
        page.goto(path.format(**ids))
        assert barriers(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
