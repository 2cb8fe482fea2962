"""Every string of the pages is there in every language, and every code that has a name exists."""

from __future__ import annotations

import re

import pytest
from babel.messages.pofile import read_po

from api.web import catalogues, languages, problem_words
from shared import errors


@pytest.mark.parametrize("language", list(languages.NAMES)[1:])
def test_no_string_is_missing(language: str) -> None:
    with languages.path_of(language).open("rb") as source:
        found = read_po(source, locale=language)
    for message in catalogues.strings():
        if not message.id:
            continue
        known = found.get(message.id if isinstance(message.id, str) else message.id[0])
        assert known is not None and known.string and all(known.string), message.id
        assert not known.fuzzy, message.id
        said = known.string if isinstance(known.string, str) else known.string[0]
        asked = message.id if isinstance(message.id, str) else message.id[0]
        assert fields(said) == fields(asked), asked


def fields(text: str) -> set[tuple[str, str]]:
    """Names of what is filled in, in either spelling."""
    return set(re.findall(r"%\((\w+)\)|\{(\w+)\}", text))


SAY_WHY_THEMSELVES = {"model_refused", "invalid_option"}


def test_each_error_with_a_name_exists_and_says_what_can_be_done() -> None:
    for code in problem_words.ERRORS:
        assert errors.by_code(code) is not errors.OcrelayError or code == errors.OcrelayError.code, code
    assert set(problem_words.ERRORS) - SAY_WHY_THEMSELVES <= set(problem_words.DETAILS)
    assert {name.partition(".")[0] for name in problem_words.DETAILS} <= set(problem_words.ERRORS)
