"""Whatever is stored, every format makes a file of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from api.formats.format import Format
from api.formats.table import FORMATS
from shared.result import Line, Page, Word, as_polygon
from shared.result.polygon import Polygon
from tests.images import saved
from tests.unit.api.formats.documents import page_of, result_of, source_of, turned, written

UPLOAD = saved(Image.new("1", (60, 40), 1))
SIDES = st.floats(-20, 80, allow_nan=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@st.composite
def polygons(draw: st.DrawFn) -> Polygon:
    """Any rectangle, however thin, turned anyhow, on the page or beside it."""
    left, top = draw(SIDES), draw(SIDES)
    wide, high = draw(st.sampled_from([0, 0.1, 3, 50])), draw(st.sampled_from([0, 0.1, 3, 50]))
    return as_polygon(turned((left, top, left + wide, top + high), draw(st.floats(-180, 180)), (left, top)))


@st.composite
def lines(draw: st.DrawFn) -> Line:
    text = draw(TEXTS)
    words = tuple(Word(word, 0.5, draw(polygons())) for word in draw(st.sampled_from([text.split(), [], ["x"]])))
    return Line(text, text, draw(polygons()), (), words, stored_confidence=0.5)


@st.composite
def pages(draw: st.DrawFn) -> Page:
    angle = draw(st.sampled_from([0.0, 90.0, -180.0, 2.3]))
    return page_of(*draw(st.lists(lines(), max_size=5)), width=60, height=40, angle=angle)


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
@settings(max_examples=60, deadline=None)
@given(page=pages())
def test_a_file_is_made(form: Format, page: Page) -> None:
    for chosen in ({}, dict.fromkeys(form.choices, True)):
        assert len(written(form, source_of(result_of(page), UPLOAD, **chosen))) < 100_000
