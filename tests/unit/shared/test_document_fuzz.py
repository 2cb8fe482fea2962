"""Whatever is uploaded, `inspect` describes it within the limits or refuses it with an error of the document."""

from __future__ import annotations

import random

import hypothesis.strategies as st
from hypothesis import given, settings

from shared import errors
from shared.limits import Limits
from shared.uploads.header import MEDIA_TYPES, inspect
from tests.malformed import corpus
from tests.malformed.mutate import mutated

LIMITS = Limits(max_pixels=4_000_000)
SEEDS = [case.content for case in corpus.cases() if len(case.content) < 50_000]
MAGICS = st.sampled_from(
    [
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"RIFF....WEBPVP8",
        b"BM",
        b"II*\0",
        b"MM\0*",
        b"GIF89a",
        b"\xff\x4f\xff\x51",
    ]
)


def check(content: bytes) -> None:
    try:
        header = inspect(content, LIMITS)
    except errors.DocumentError as error:
        assert error.phase == "inspect"
        assert error.message.endswith(".")
        return
    assert header.media_type in MEDIA_TYPES
    assert 1 <= header.width <= LIMITS.max_side
    assert 1 <= header.height <= LIMITS.max_side
    assert header.width * header.height <= LIMITS.max_pixels
    assert 1 <= header.page_count <= LIMITS.max_pages


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=400))
def test_any_bytes_are_described_or_refused(content: bytes) -> None:
    check(content)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(MAGICS, st.binary(max_size=300))
def test_any_bytes_behind_a_magic_are_described_or_refused(magic: bytes, content: bytes) -> None:
    check(magic + content)


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(st.sampled_from(SEEDS), st.integers(0, 2**32))
def test_any_changed_file_is_described_or_refused(content: bytes, seed: int) -> None:
    check(mutated(content, SEEDS, random.Random(seed)))
