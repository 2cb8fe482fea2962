"""How the pages tell of documents: their names, what warnings are about, formats, confidence, time."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.app import app_of
from api.formats.table import NAMES
from api.service.parts import Parts
from api.web import words
from api.web.operator.status import duration
from shared import jobs, keys
from shared.audit.actor import OPERATOR
from shared.keys.record import Scope
from shared.result.confidence import percent
from tests.unit.api.conftest import RESULT, finish, png
from tests.unit.api.web.test_sign_in import enter

CHINESE = {"Accept": "text/html", "Accept-Language": "zh-CN"}


def sent(parts: Parts, **options: str) -> str:
    return str(app_of(parts).test_client().post("/v1/jobs", query_string=options, data=png()).get_json()["id"])


@pytest.mark.parametrize("path", ["/jobs", "/jobs/{job_id}", "/review"])
def test_a_document_without_a_name_is_called_by_what_it_is(client: FlaskClient, parts: Parts, path: str) -> None:
    job_id = sent(parts)
    finish(parts, job_id)
    assert f"Image without a name (…{job_id[-6:]})" in client.get(path.format(job_id=job_id)).text
    chinese = client.get(path.format(job_id=job_id), headers=CHINESE).text
    assert f"未命名的图片 (…{job_id[-6:]})" in chinese


def test_a_name_is_what_its_sender_says_else_that_of_the_file(parts: Parts) -> None:
    with parts.database.read() as connection:
        job = jobs.get(connection, sent(parts))
    assert job is not None
    with app_of(parts).test_request_context():
        assert words.name_of(replace(job, reference="mine", filename="a.png")) == "mine"
        assert words.name_of(replace(job, filename="a.png")) == "a.png"
        assert words.name_of(replace(job, media_type="application/pdf")).startswith("PDF without a name")


@pytest.mark.parametrize(
    ("about", "told"),
    [
        ([[]], []),
        ([["blurred"]], ["The image"]),
        ([["blurred"], []], ["Page 1: The image"]),
        ([[], ["blurred", "blurred"], ["blurred"], [], ["blurred"]], ["Pages 2–3, 5: The image"]),
        ([["blank_page"], ["blurred"]], ["Page 1: The page looks empty", "Page 2: The image"]),
    ],
)
def test_a_warning_names_its_pages_where_there_are_several(
    parts: Parts, about: list[list[str]], told: list[str]
) -> None:
    result: dict[str, Any] = copy.deepcopy(RESULT)
    result["pages"] = [
        result["pages"][0] | {"page_number": number, "warnings": [{"code": code, "message": ""} for code in codes]}
        for number, codes in enumerate(about, 1)
    ]
    with app_of(parts).test_request_context():
        found = words.warnings_of(result)
    assert len(found) == len(told) and all(one.startswith(text) for one, text in zip(found, told, strict=True)), found


@pytest.mark.parametrize(
    ("text", "told"), [("", "done, but no text was found"), (" \n", "done, but no text"), ("a", "done<")]
)
def test_a_document_in_which_nothing_was_read_is_not_plainly_done(
    client: FlaskClient, parts: Parts, text: str, told: str
) -> None:
    job_id = sent(parts)
    finish(parts, job_id, RESULT | {"text": text})
    listed = client.get("/jobs").text
    assert told in listed and ('class="state empty"' in listed) is (text != "a")
    assert ("no text was found</span>" in client.get(f"/jobs/{job_id}").text) is (text != "a")
    assert ("已完成，但未找到文字" in client.get("/jobs", headers=CHINESE).text) is (text != "a")


def test_the_page_of_a_document_belongs_to_its_list(client: FlaskClient, parts: Parts) -> None:
    page = client.get(f"/jobs/{sent(parts)}").text
    assert page.count('<a href="/jobs" aria-current="true">') == 2 == page.count("aria-current"), (
        "wide, and in the menu"
    )
    assert '<a href="/jobs" aria-current="page">' in client.get("/jobs").text


def test_every_format_has_words_and_its_ending(client: FlaskClient, parts: Parts) -> None:
    assert set(words.FORMATS) == set(NAMES)
    job_id = sent(parts)
    finish(parts, job_id)
    for path in ("/jobs", f"/jobs/{job_id}"):
        options = re.findall(r'<option value="(\w+)"[^>]*>(.*?)</option>', client.get(path).text)
        assert {"text": "Plain text (.txt)", "hocr": "Web page with places (hOCR) (.hocr)"}.items() <= dict(
            options
        ).items()
    assert "纯文本 (.txt)" in client.get(f"/jobs/{job_id}", headers=CHINESE).text


@pytest.mark.parametrize(
    ("share", "told"), [(1.0, "100.0 %"), (0.99999, "99.9 %"), (0.998, "99.8 %"), (0.9, "90.0 %"), (0.289, "28.9 %")]
)
def test_a_confidence_is_never_rounded_up_and_has_as_many_digits_as_any_other(share: float, told: str) -> None:
    assert percent(share) == told == words.percent(share)


def test_the_review_says_below_what_lines_are_listed(client: FlaskClient) -> None:
    assert "below 90 %" in client.get("/review").text
    assert "低于 90 %" in client.get("/review", headers=CHINESE).text


def test_times_have_units_of_the_language(parts: Parts) -> None:
    app = app_of(parts)
    with app.test_request_context():
        assert [duration(seconds) for seconds in (0, 185, 7800)] == ["0 s", "3:05 min", "2:10:00 h"]
    with app.test_request_context(headers=CHINESE):
        assert [duration(seconds) for seconds in (0, 185, 7800)] == ["0 秒", "3:05 分", "2:10:00 小时"]


def test_the_trail_names_keys_and_says_who_in_the_language_of_the_page(parts: Parts) -> None:
    client = app_of(parts).test_client()
    with parts.database.write() as connection:
        key, text = keys.create(connection, name="office", scopes=[Scope.ADMIN], actor=OPERATOR)
    enter(client, text)
    page = client.get("/audit", headers=CHINESE).text
    rows = re.findall(r"<tr>\s*<td class=\"number\"><time.*?</tr>", page, re.DOTALL)
    plain = [" ".join(re.sub("<[^>]*>", " ", row).split()) for row in rows]
    assert any("客户端 · office " + key.id in row for row in plain), plain
    assert any("密钥" in row and "管理员" in row and "office" in row for row in plain), plain
    assert client.get("/audit?actor=客户端", headers=CHINESE).text.count("data-exact") == 1
