"""Whatever is uploaded, decoding gives gray pages within the limits or an error of the document. More of it, and in a
process that may die, is in tests/bench/fuzz.py."""

from __future__ import annotations

import random

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

from shared import errors
from shared.limits import Limits
from tests.malformed import corpus
from tests.malformed.mutate import mutated
from worker.ocr.decode.pages import decode_pages
from worker.ocr.decode.pdf import LayerPage

LIMITS = Limits(max_pixels=1_000_000, max_pages=10)
SEEDS = [case.content for case in corpus.cases() if len(case.content) < 50_000]


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(st.sampled_from(SEEDS), st.integers(0, 2**32))
def test_any_changed_file_is_decoded_or_refused(content: bytes, seed: int) -> None:
    try:
        for page in decode_pages(mutated(content, SEEDS, random.Random(seed)), LIMITS, text_layer="auto"):
            if isinstance(page, LayerPage):
                assert page.lines and 1 <= page.width * page.height <= LIMITS.max_pixels
                continue
            assert page.gray.dtype == np.uint8
            assert page.gray.ndim == 2
            assert 1 <= page.gray.size <= LIMITS.max_pixels
    except errors.DocumentError as error:
        assert error.http_status in (413, 415, 422)
