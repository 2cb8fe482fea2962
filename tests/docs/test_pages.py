"""Links lead somewhere, and examples are what they claim to be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from api.dialects import schemas as dialect_schemas
from api.http import answers
from api.jobs import schemas
from api.models import schemas as model_schemas
from shared import errors
from tests.docs import markdown


@pytest.mark.parametrize("page", markdown.PAGES, ids=markdown.name_of)
def test_each_link_on_a_page_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in markdown.links(page):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(markdown.ROOT) and target.exists(), link
        if anchor:
            assert anchor in markdown.anchors(target), link


def test_each_page_below_docs_is_linked_from_another_one() -> None:
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in markdown.PAGES
        for link in markdown.links(page)
        if not link.startswith("http") and link.partition("#")[0] and not link.startswith("#")
    }
    for page in (markdown.ROOT / "docs").rglob("*.md"):
        assert page in linked, markdown.name_of(page)


@pytest.mark.parametrize("page", markdown.PAGES, ids=markdown.name_of)
def test_each_json_block_on_a_page_parses(page: Path) -> None:
    for block in markdown.blocks(page, "json"):
        assert isinstance(json.loads(block), dict)


def test_the_job_in_the_readme_has_exactly_the_shape_of_the_api() -> None:
    (block,) = markdown.blocks(markdown.ROOT / "README.md", "json")
    example = json.loads(block)
    assert plain(schemas.JobDocument.model_validate(example).model_dump()) == example


def test_each_answer_on_the_api_page_has_exactly_the_shape_of_the_api() -> None:
    shapes = [dialect_schemas.SyncAnswer, dialect_schemas.ReloadAnswer, model_schemas.RolloutDocument]
    for block, shape in zip(markdown.blocks(markdown.ROOT / "docs/api.md", "json"), shapes, strict=True):
        example = json.loads(block)
        assert plain(shape.model_validate(example).model_dump()) == example


def test_the_problem_on_the_errors_page_is_what_the_error_says() -> None:
    (block,) = markdown.blocks(markdown.ROOT / "docs/errors.md", "json")
    example = json.loads(block)
    assert plain(answers.Problem.model_validate(example).model_dump()) == example
    error = errors.by_code(example["code"])()
    assert (example["status"], example["detail"], example["retryable"]) == (
        error.http_status,
        error.message,
        error.retryable,
    )


def plain(value: Any) -> Any:
    """As JSON would give it back: tuples are lists."""
    return json.loads(json.dumps(value))
