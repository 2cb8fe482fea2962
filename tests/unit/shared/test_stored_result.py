"""What is stored of a result can be read for ever, and what it answers stays the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from api.jobs import schemas
from shared import errors, jobs
from shared.database import Database
from shared.jobs import Submission
from shared.jobs.stored_result import VERSION, from_stored, to_stored
from shared.result import Character, DocumentResult, Line, ModelName, Page, Reason, Word, as_polygon
from shared.tables import results

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
SHARES = st.floats(0, 1)
NUMBERS = st.floats(-1e6, 1e6)
BOXES = st.builds(
    lambda x, y, width, height: as_polygon([(x, y), (x + width, y), (x + width, y + height), (x, y + height)]),
    *[st.floats(-100, 10_000)] * 2, *[st.floats(1, 5000)] * 2,
)  # fmt: skip
CHARACTERS = st.builds(Character, TEXTS, SHARES, st.just(0.0), st.just(1.0))
WORDS = st.builds(Word, TEXTS, SHARES, BOXES)
EDITS = st.fixed_dictionaries({"kind": st.just("language"), "start": st.integers(0, 9), "from": TEXTS, "to": TEXTS})
LINES = st.builds(
    Line, TEXTS, TEXTS, BOXES,
    characters=st.lists(CHARACTERS, min_size=1, max_size=4).map(tuple),
    words=st.lists(WORDS, max_size=3).map(tuple),
    edits=st.lists(EDITS, max_size=2).map(tuple),
    stored_confidence=st.none(),
    model=st.none() | TEXTS,
    source=st.none() | st.just("recognition"),
)  # fmt: skip
REASONS = st.builds(Reason, st.just("blurred"), TEXTS, NUMBERS, NUMBERS, TEXTS)
PAGES = st.builds(
    Page, st.integers(1, 99), st.integers(1, 9999), st.integers(1, 9999), st.floats(-180, 180),
    st.dictionaries(TEXTS, st.none() | NUMBERS, max_size=3),
    st.lists(LINES, max_size=3).map(tuple),
    st.lists(REASONS, max_size=2).map(tuple),
)  # fmt: skip
MODELS = st.builds(ModelName, TEXTS, TEXTS, TEXTS)
RESULTS = st.builds(
    DocumentResult, MODELS, st.lists(PAGES, max_size=3).map(tuple), stored=st.none(), stronger=st.none() | MODELS
)


def of_one_line() -> dict[str, Any]:
    box = as_polygon([(1, 2), (11, 2), (11, 8), (1, 8)])
    word = Word("发", 0.7, box)
    line = Line(
        "发票",
        "发要",
        box,
        (Character("发", 0.7, 0.0, 1.0),),
        (word,),
        ({"kind": "language"},),
        None,
        "crnn",
        "recognition",
    )
    reason = Reason("blurred", "edge", 1.0, 2.0, "It is blurred.", (line.polygon,))
    page = Page(1, 20, 10, 0.5, {"contrast": None}, (line,), (reason,))
    first, again = ModelName("crnn", "1", "ab" * 32), ModelName("strong", "2", "cd" * 32)
    return DocumentResult(first, (page,), stronger=again, detector=ModelName("lines", "3", "ef" * 32)).to_json()


@given(RESULTS)
def test_a_result_comes_back_out_of_the_table_as_it_was_answered(result: DocumentResult) -> None:
    answered = result.to_json()
    stored = json.loads(json.dumps(to_stored(answered)))
    assert json.dumps(from_stored(stored).to_json()) == json.dumps(answered)


def test_what_is_stored_carries_its_version_and_what_is_answered_does_not(
    sqlite_url: str, submission: Submission
) -> None:
    database = Database(sqlite_url)
    with database.write() as connection:
        job = jobs.submit(connection, submission, max_attempts=4)
        claimed = jobs.claim(connection, job.id, owner="node/1", lease_seconds=30)
        assert claimed is not None
        jobs.succeed(connection, job.id, str(claimed.lease_token), result=of_one_line(), timings_ms={})
        stored = connection.execute(select(results.c.document)).scalar_one()
        found = jobs.get(connection, job.id)
        connection.execute(update(results).values(document={**stored, "version": VERSION + 1}))
        with pytest.raises(errors.Internal, match="newer ocrelay"):
            jobs.get(connection, job.id)
    database.close()
    assert stored["version"] == VERSION
    assert found is not None
    assert found.result == of_one_line()


def test_a_row_without_a_version_is_read_as_before() -> None:
    assert from_stored(of_one_line()).to_json() == of_one_line()


def test_a_row_of_before_there_were_warnings_has_none() -> None:
    stored = of_one_line()
    del stored["pages"][0]["warnings"]
    assert from_stored(stored).pages[0].warnings == ()


@pytest.mark.parametrize("version", [VERSION + 1, -1, "1", None])
def test_a_version_that_is_not_known_is_named_with_the_way_out(version: object) -> None:
    with pytest.raises(errors.Internal, match=r"newer ocrelay wrote it: update"):
        from_stored({**of_one_line(), "version": version})


@pytest.mark.parametrize("name", ["text", "model", "pages"])
def test_a_damaged_row_is_said_to_be_damaged(name: str) -> None:
    stored = to_stored(of_one_line())
    del stored[name]
    with pytest.raises(errors.Internal, match="damaged"):
        from_stored(stored)


def test_the_described_shape_is_the_one_that_is_built() -> None:
    answered = of_one_line()
    (page,) = answered["pages"]
    (line,) = page["lines"]
    found = [
        (schemas.Result, answered),
        (schemas.ModelName, answered["model"]),
        (schemas.ModelName, answered["stronger_model"]),
        (schemas.ModelName, answered["detector"]),
        (schemas.Page, page),
        (schemas.QualityWarning, page["warnings"][0]),
        (schemas.Line, line),
        (schemas.Word, line["words"][0]),
    ]
    for schema, part in found:
        assert list(schema.model_fields) == list(part)
    schemas.Result.model_validate(answered)
