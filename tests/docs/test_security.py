"""The page on security: what it says is shown by a test is shown by a test that exists."""

from __future__ import annotations

import re

from tests.docs import markdown
from tests.malformed import corpus

PAGE = markdown.ROOT / "docs" / "security.md"


def test_each_threat_has_a_kind_an_answer_and_tests_that_exist() -> None:
    _, *threats = markdown.rows(PAGE, "Threats")
    assert {kind for kind, *_ in threats} == set("STRIDE")
    for kind, threat, answer, shown in threats:
        assert threat and answer, kind
        tests = re.findall(r"`(tests/[\w/]+\.py)`", shown)
        assert tests or "audit" in answer, threat
        for test in tests:
            assert (markdown.ROOT / test).is_file(), test


def test_the_number_of_odd_uploads_is_right() -> None:
    assert f"makes {len(corpus.cases())} files" in PAGE.read_text("utf-8")
