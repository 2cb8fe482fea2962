"""What holds for the pages of those who run the service: no barrier, no wider than the window, in both languages."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Open
from tests.browser.test_every_page import barriers
from tests.browser.test_models import children

__all__ = ["children"]

PAGES = ("/models",)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("locale", "width"), [("en-GB", 1280), ("zh-CN", 390), ("zh-CN", 2560)])
def test_nobody_is_kept_out(open_page: Open, children: list[str], scheme: str, locale: str, width: int) -> None:
    viewport = {"width": width, "height": 800}
    page = open_page("/", locale=locale, color_scheme=scheme, viewport=viewport, bypass_csp=True)
    for path in PAGES:
        page.goto(path)
        assert barriers(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert children
