"""Correcting on the page: it takes every text that the API takes, and no other."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from api.service.parts import Parts
from tests.unit.api.conftest import finish, png
from tests.unit.api.web.test_sign_in import token_of


@pytest.mark.parametrize(
    ("text", "is_taken"),
    [
        ("10\u00a0000 €", True),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", True),
        ("می\u200cخواهم", True),
        ("\u200eabc", True),
        ("全\u3000角", True),
        ("bell\x07", False),
        ("two\nlines", False),
        ("x" * 10_001, False),
    ],
    ids=["nbsp", "zwj", "zwnj", "lrm", "ideographic", "bell", "newline", "long"],
)
def test_the_page_and_the_api_take_the_same_texts(client: FlaskClient, parts: Parts, text: str, is_taken: bool) -> None:
    path = f"/v1/jobs/{client.post('/v1/jobs', data=png()).get_json()['id']}/corrections"
    finish(parts, path.split("/")[3])
    where = {"page_number": 1, "line_number": 1}
    said = client.post(path, json={**where, "before": "你好 world", "after": text})
    assert said.status_code == (201 if is_taken else 422)
    before = text if is_taken else "你好 world"
    form = {**where, "before": before, "after": text, "csrf": token_of(client, "/")}
    assert client.post(path.removeprefix("/v1"), data=form).status_code == (303 if is_taken else 422)
