from __future__ import annotations

import base64
import io
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from api.app import app_of
from api.http.intake import decode_base64
from api.service.parts import Parts
from shared import jobs, workers
from shared.audit import trail
from shared.options import QUALITIES
from tests.pdfs import PdfPage, encrypted, pdf
from tests.unit.api.conftest import READER, RESULT, png

PNG = png()
BASE64 = base64.b64encode(PNG).decode()


def stored(parts: Parts) -> tuple[int, int]:
    """Number of jobs and of files."""
    with parts.database.read() as connection:
        files = [path for path in parts.blobs.root.rglob("*") if path.is_file()] if parts.blobs.root.exists() else []
        return len(jobs.list_jobs(connection)), len(files)


def test_a_form_upload_is_accepted_with_its_address(client: FlaskClient, parts: Parts) -> None:
    answer = client.post(
        "/v1/jobs", data={"file": (io.BytesIO(PNG), "scan.png"), "layout": "line", "reference": "订单 7"}
    )
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/jobs/{answer.json['id']}" == answer.json["links"]["self"]
    assert answer.headers["Retry-After"] == "1"
    assert (answer.json["state"], answer.json["attempt"], answer.json["reference"]) == ("queued", 0, "订单 7")
    with parts.database.read() as connection:
        job = jobs.get(connection, answer.json["id"])
        events = trail.list_events(connection, job_id=answer.json["id"])
    assert job is not None and job.client_ip == "127.0.0.1"
    assert job.options == {"layout": "line", "charset": "all", "text_layer": "auto"}
    assert [event.event for event in events] == ["job.submitted"]
    assert parts.blobs.get(job.sha256) == PNG


@pytest.mark.parametrize(
    "content_type", [None, "image/png", "application/octet-stream", "application/x-www-form-urlencoded"]
)
def test_a_raw_body_is_taken_whatever_it_calls_itself(client: FlaskClient, content_type: str | None) -> None:
    answer = client.post("/v1/jobs?layout=page&priority=bulk", data=PNG, content_type=content_type)
    assert answer.status_code == 202
    assert (answer.json["document"]["media_type"], answer.json["priority"]) == ("image/png", "bulk")


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
def test_base64_in_json_is_taken_with_and_without_a_data_uri(client: FlaskClient, prefix: str) -> None:
    answer = client.post("/v1/jobs", json={"image": prefix + base64.b64encode(PNG).decode(), "layout": "auto"})
    assert answer.status_code == 202
    assert answer.json["document"]["size_bytes"] == len(PNG)


ODD = b"\xfb\xff\xfe" + PNG  # in base64 with + and /
WRITTEN = {
    "the standard alphabet": base64.b64encode(ODD).decode(),
    "the URL alphabet": base64.urlsafe_b64encode(ODD).decode(),
    "no padding": base64.b64encode(ODD).decode().rstrip("="),
    "the URL alphabet without padding": base64.urlsafe_b64encode(ODD).decode().rstrip("="),
    "lines": base64.encodebytes(ODD).decode(),
    "a data URI": "data:image/png;base64," + base64.b64encode(ODD).decode(),
    "a data URI with escapes": "DATA:image/png;charset=x;base64," + quote(base64.b64encode(ODD).decode(), safe=""),
}


@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize("extra", [0, 1, 2])
def test_base64_is_the_same_bytes_however_it_is_written(how: str, extra: int) -> None:
    assert decode_base64(WRITTEN[how]) == ODD
    more = base64.urlsafe_b64encode(ODD + bytes(extra)).decode()
    assert decode_base64(more.rstrip("=")) == decode_base64(more) == ODD + bytes(extra)


NAMES = {"utf-8": "扫描.png", "gb18030": "扫描件\\.png", "latin-1": "caf\xe9.png", "big5": "掃描功.png"}


def form_of(*parts: bytes) -> dict[str, object]:
    body = b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + b"--x--\r\n"
    return {"data": body, "content_type": "multipart/form-data; boundary=x"}


def field(name: bytes, value: bytes, more: bytes = b"") -> bytes:
    return b'Content-Disposition: form-data; name="' + name + b'"' + more + b"\r\n\r\n" + value


@pytest.mark.parametrize("encoding", NAMES)
def test_a_file_name_in_any_encoding_is_a_name_only(client: FlaskClient, encoding: str) -> None:
    file_name = b'; filename="' + NAMES[encoding].encode(encoding) + b'"'
    answer = client.post("/v1/jobs", **form_of(field(b"file", PNG, file_name), field(b"layout", b"line")))
    assert answer.status_code == 202
    assert answer.json["document"]["size_bytes"] == len(PNG)


def test_a_field_name_in_another_encoding_is_an_unknown_option_and_no_missing_file(client: FlaskClient) -> None:
    parts = field(b"file", PNG, b'; filename="a.png"'), field("备注".encode("gbk"), b"1")
    answer = client.post("/v1/jobs", **form_of(*parts))
    assert (answer.status_code, answer.json["code"]) == (422, "unknown_option")
    assert "备注" in answer.json["detail"]


def test_a_reference_in_another_encoding_is_stored_as_it_was_meant(client: FlaskClient) -> None:
    parts = field(b"file", PNG, b'; filename="a.png"'), field(b"reference", "发票".encode("gbk"))
    assert client.post("/v1/jobs", **form_of(*parts)).json["reference"] == "发票"


FORM = {"content_type": "multipart/form-data"}
BAD_UPLOADS = {
    "empty body": ({"data": b""}, 422, "empty_document"),
    "not an image": ({"data": b"hello, world"}, 415, "unsupported_media_type"),
    "cut inside the header": ({"data": PNG[:20]}, 422, "unreadable_header"),
    "11 MiB": ({"data": PNG + b"\0" * (11 << 20)}, 413, "document_too_large"),
    "beyond what is read at all": ({"data": b"\0" * (16 << 20)}, 413, "document_too_large"),
    "20,000 x 20,000 pixels": ({"data": png(20_000, 20_000)}, 413, "too_many_pixels"),
    "zero width": ({"data": png(0, 8)}, 422, "zero_size_image"),
    "zero height": ({"data": png(8, 0)}, 422, "zero_size_image"),
    "wrong base64": ({"json": {"image": "***"}}, 422, "invalid_base64"),
    "base64 that is no string": ({"json": {"image": 7}}, 422, "invalid_base64"),
    "JSON without an image": ({"json": {"picture": "AAAA"}}, 422, "missing_file"),
    "JSON that is none": ({"data": "{", "content_type": "application/json"}, 400, "invalid_json"),
    "JSON that is a list": ({"json": []}, 422, "not_an_object"),
    "base64 with a letter too many": ({"json": {"image": "AAAAA"}}, 422, "invalid_base64"),
    "base64 with padding inside": ({"json": {"image": "AA==AAAA"}}, 422, "invalid_base64"),
    "a form without a boundary": ({"data": b"--x\r\n", "content_type": "multipart/form-data"}, 400, "invalid_form"),
    "a form that never ends": (
        {"data": b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1",
         "content_type": "multipart/form-data; boundary=x"}, 400, "invalid_form",
    ),
    "a part without a name": (
        {"data": b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n",
         "content_type": "multipart/form-data; boundary=x"}, 400, "invalid_form",
    ),
    "3,000 fields": ({"data": {f"field{i}": "1" for i in range(3000)}, **FORM}, 413, "form_too_large"),
    "an endless field": (form_of(field(b"reference", b"x" * 600_000)), 413, "form_too_large"),
    "wrong field name": ({"data": {"upload": (io.BytesIO(PNG), "x.png")}}, 422, "missing_file"),
    "a form without a file": ({"data": {"layout": "line"}, **FORM}, 422, "missing_file"),
    "two files": ({"data": {"file": [(io.BytesIO(PNG), "a"), (io.BytesIO(PNG), "b")]}}, 422, "missing_file"),
    "unknown option": ({"data": PNG, "query_string": {"langauge": "zh"}}, 422, "unknown_option"),
    "unknown option in JSON": ({"json": {"image": BASE64, "lang": "zh"}}, 422, "unknown_option"),
    "wrong value": ({"data": PNG, "query_string": {"layout": "table"}}, 422, "invalid_option"),
    "unknown charset": ({"data": PNG, "query_string": {"charset": "hex"}}, 422, "invalid_option"),
    "a model that is no name": ({"data": PNG, "query_string": {"model": "../x"}}, 422, "invalid_option"),
    "a model without a name": ({"data": PNG, "query_string": {"model": ""}}, 422, "invalid_option"),
    "a model without a name in JSON": ({"json": {"image": BASE64, "model": ""}}, 422, "invalid_option"),
    "an option twice": ({"data": PNG, "query_string": "layout=line&layout=page"}, 422, "invalid_option"),
    "pages that are none": ({"data": PNG, "query_string": {"pages": "1,"}}, 422, "invalid_option"),
    "a page that is not there": ({"data": PNG, "query_string": {"pages": "2"}}, 422, "invalid_option"),
    "a PDF with a password": ({"data": encrypted([PdfPage()])}, 422, "encrypted_document"),
    "a PDF without pages": ({"data": pdf([])}, 422, "no_pages"),
    "a PDF that is cut": ({"data": pdf([PdfPage()])[:50]}, 422, "broken_document"),
    "an endless reference": ({"data": PNG, "query_string": {"reference": "x" * 201}}, 422, "invalid_option"),
    "a NUL in the reference": ({"data": PNG, "query_string": {"reference": "x\0"}}, 422, "invalid_option"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_UPLOADS)
def test_bad_input_is_refused_with_a_way_out_and_nothing_is_stored(
    client: FlaskClient, parts: Parts, name: str
) -> None:
    request, status, code = BAD_UPLOADS[name]
    answer = client.post("/v1/jobs", **request)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert (answer.json["status"], answer.json["code"], answer.json["retryable"]) == (status, code, False)
    assert answer.json["detail"].endswith((".", "?")) and len(answer.json["detail"].split()) > 5
    assert stored(parts) == (0, 0)


HOW_A_MODEL_IS_NAMED = {
    "form": lambda name: {"data": {"file": (io.BytesIO(PNG), "scan.png"), "model": name}},
    "JSON": lambda name: {"json": {"image": BASE64, "model": name}},
    "query string": lambda name: {"data": PNG, "query_string": {"model": name}},
}


def load_model(parts: Parts, name: str, stronger: str | None = None) -> None:
    reads, again = ({"name": one, "version": "1", "sha256": "0"} for one in (name, stronger))
    with parts.database.write() as connection:
        workers.register(connection, node="n", host="h", pid=1, model=reads, stronger=again if stronger else None)


def options_of(parts: Parts, job_id: str) -> dict[str, Any]:
    with parts.database.read() as connection:
        job = jobs.get(connection, job_id)
    assert job is not None
    return job.options


HOW_A_QUALITY_IS_CHOSEN = {
    "form": lambda quality: {"data": {"file": (io.BytesIO(PNG), "scan.png"), "quality": quality}},
    "JSON": lambda quality: {"json": {"image": BASE64, "quality": quality}},
    "query string": lambda quality: {"data": PNG, "query_string": {"quality": quality}},
}


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("how", HOW_A_QUALITY_IS_CHOSEN)
def test_a_quality_can_be_chosen(client: FlaskClient, parts: Parts, how: str, quality: str) -> None:
    load_model(parts, "crnn-zh-en", "ppocr-v6")
    answer = client.post("/v1/jobs", **HOW_A_QUALITY_IS_CHOSEN[how](quality))
    assert answer.status_code == 202
    assert options_of(parts, answer.json["id"])["quality"] == quality


def test_without_a_stronger_model_the_best_is_refused_and_nothing_is_stored(client: FlaskClient, parts: Parts) -> None:
    load_model(parts, "crnn-zh-en")
    answer = client.post("/v1/jobs?quality=best", data=PNG)
    assert (answer.status_code, answer.json["code"]) == (422, "no_stronger_model")
    assert "`ocrelay models install ppocr-v6`" in answer.json["detail"]
    assert stored(parts) == (0, 0)
    assert client.post("/v1/jobs?quality=balanced", data=PNG).status_code == 202


def test_without_a_worker_the_one_that_comes_says_whether_it_has_the_best(client: FlaskClient) -> None:
    assert client.post("/v1/jobs?quality=best", data=PNG).status_code == 202


def test_a_quality_that_there_is_not_is_refused(client: FlaskClient) -> None:
    answer = client.post("/v1/jobs?quality=good", data=PNG)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_option")


def test_a_model_and_a_quality_together_are_refused(client: FlaskClient, parts: Parts) -> None:
    answer = client.post("/v1/jobs?quality=fast&model=m", data=PNG)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_option")
    assert answer.json["detail"].startswith("`model` and `quality` both say who reads; send one of them.")
    assert stored(parts) == (0, 0)


def test_the_stronger_model_can_be_asked_for_by_name(client: FlaskClient, parts: Parts) -> None:
    load_model(parts, "crnn-zh-en", "ppocr-v6")
    assert client.post("/v1/jobs?model=ppocr-v6", data=PNG).status_code == 202


@pytest.mark.parametrize("how", HOW_A_MODEL_IS_NAMED)
def test_a_model_can_be_asked_for_by_name(client: FlaskClient, parts: Parts, how: str) -> None:
    load_model(parts, "crnn-zh-en")
    answer = client.post("/v1/jobs", **HOW_A_MODEL_IS_NAMED[how]("crnn-zh-en"))
    assert answer.status_code == 202
    with parts.database.read() as connection:
        job = jobs.get(connection, answer.json["id"])
    assert job is not None and job.options == {
        "layout": "auto",
        "charset": "all",
        "text_layer": "auto",
        "model": "crnn-zh-en",
    }


@pytest.mark.parametrize("how", HOW_A_MODEL_IS_NAMED)
def test_a_model_that_no_worker_has_is_refused_and_nothing_is_stored(
    client: FlaskClient, parts: Parts, how: str
) -> None:
    load_model(parts, "crnn-zh-en")
    answer = client.post("/v1/jobs", **HOW_A_MODEL_IS_NAMED[how]("another"))
    assert (answer.status_code, answer.json["code"], answer.json["retryable"]) == (422, "unknown_model", False)
    assert answer.json["details"] == {"model": "another", "loaded": ["crnn-zh-en"]}
    assert stored(parts) == (0, 0)


def test_a_model_that_every_worker_has_on_hand_can_be_named_and_one_that_some_lack_cannot(
    client: FlaskClient, parts: Parts
) -> None:
    told = {"name": "a", "version": "1", "sha256": "a" * 64}
    with parts.database.write() as connection:
        for pid, names in ((1, "bc"), (2, "b")):
            on_hand = {name: name * 64 for name in names}
            workers.register(connection, node="n", host="h", pid=pid, model=told, on_hand=on_hand)
    assert client.post("/v1/jobs?model=b", data=PNG).status_code == 202
    answer = client.post("/v1/jobs?model=c", data=PNG)
    assert (answer.status_code, answer.json["code"]) == (422, "unknown_model")
    assert answer.json["details"] == {"model": "c", "loaded": ["a", "b"]}


def test_a_detector_that_every_worker_has_can_be_named_and_one_that_some_lack_cannot(
    client: FlaskClient, parts: Parts
) -> None:
    told, finds = ({"name": name, "version": "1", "sha256": name * 64} for name in "ad")
    with parts.database.write() as connection:
        for pid, names in ((1, "ef"), (2, "e")):
            detectors = {name: name * 64 for name in names}
            workers.register(connection, node="n", host="h", pid=pid, model=told, detector=finds, detectors=detectors)
    assert client.post("/v1/jobs?detector=e", data=PNG).status_code == 202
    answer = client.post("/v1/jobs?detector=f", data=PNG)
    assert (answer.status_code, answer.json["code"]) == (422, "unknown_model")
    assert answer.json["details"] == {"detector": "f", "loaded": ["d", "e"]}


def test_a_repeated_upload_is_copied_only_from_the_very_detector_that_it_names(
    client: FlaskClient, parts: Parts
) -> None:
    told, finds = ({"name": name, "version": "1", "sha256": name * 64} for name in "ad")
    with parts.database.write() as connection:
        workers.register(
            connection, node="n", host="h", pid=1, model=told, reader_sha256=READER, detector=finds,
            detectors={"e": "e" * 64},
        )  # fmt: skip
    first = client.post("/v1/jobs?detector=e", data=PNG).json["id"]
    with parts.database.write() as connection:
        job = jobs.claim(connection, first, owner="test/1", lease_seconds=30)
        assert job is not None
        reader = workers.named_reader(READER, "e" * 64)
        assert jobs.succeed(connection, first, str(job.lease_token), result=RESULT, timings_ms={}, reader_sha256=reader)
    assert client.post("/v1/jobs?detector=e", data=PNG).json["copied_from"] == first
    assert client.post("/v1/jobs?detector=d", data=PNG).json["copied_from"] is None
    assert client.post("/v1/jobs", data=PNG).json["copied_from"] is None


def test_a_repeated_upload_is_copied_only_from_the_very_model_that_it_names(client: FlaskClient, parts: Parts) -> None:
    def worker_with(sha256: str) -> None:
        told = {"name": "a", "version": "1", "sha256": "a" * 64}
        with parts.database.write() as connection:
            workers.register(
                connection, node="n", host="h", pid=1, model=told, reader_sha256=READER, on_hand={"b": sha256}
            )

    worker_with("b" * 64)
    first = client.post("/v1/jobs?model=b", data=PNG).json["id"]
    with parts.database.write() as connection:
        job = jobs.claim(connection, first, owner="test/1", lease_seconds=30)
        assert job is not None
        reader = workers.named_reader(READER, "b" * 64)
        assert jobs.succeed(connection, first, str(job.lease_token), result=RESULT, timings_ms={}, reader_sha256=reader)
    assert client.post("/v1/jobs?model=b", data=PNG).json["copied_from"] == first
    assert client.post("/v1/jobs?model=a", data=PNG).json["copied_from"] is None
    worker_with("d" * 64)  # another file under the same name
    assert client.post("/v1/jobs?model=b", data=PNG).json["copied_from"] is None


def test_while_no_worker_lives_any_model_may_be_asked_for(client: FlaskClient) -> None:
    assert client.post("/v1/jobs?model=another", data=PNG).status_code == 202


@pytest.mark.parametrize("name", ["pages", "quality", "model", "detector", "reference", "webhook"])
def test_null_for_an_option_without_a_default_is_as_if_it_were_left_out(
    client: FlaskClient, parts: Parts, name: str
) -> None:
    answer = client.post("/v1/jobs", json={"image": base64.b64encode(PNG).decode(), name: None})
    assert answer.status_code == 202
    with parts.database.read() as connection:
        job = jobs.get(connection, answer.json["id"])
    assert job is not None and name not in job.options


@pytest.mark.parametrize("name", ["layout", "charset", "text_layer", "priority", "dedupe"])
def test_null_for_an_option_with_a_default_is_refused(client: FlaskClient, parts: Parts, name: str) -> None:
    answer = client.post("/v1/jobs", json={"image": base64.b64encode(PNG).decode(), name: None})
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_option")
    assert stored(parts) == (0, 0)


def test_a_form_field_given_twice_is_refused(client: FlaskClient) -> None:
    answer = client.post("/v1/jobs?layout=line", data={"file": (io.BytesIO(PNG), "x.png"), "layout": "line"})
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_option")


def test_a_full_backlog_answers_503_with_retry_after(parts: Parts) -> None:
    from api.app import app_of

    full = replace(parts, settings=parts.settings.model_copy(update={"backlog_limit": 1}))
    client = app_of(full).test_client()
    assert client.post("/v1/jobs", data=PNG).status_code == 202
    answer = client.post("/v1/jobs", data=png(9, 9))
    assert (answer.status_code, answer.json["code"], answer.json["retryable"]) == (503, "saturated", True)
    assert int(answer.headers["Retry-After"]) > 0
    assert stored(parts) == (1, 1)


def test_a_stranger_is_refused_while_there_are_no_keys(client: FlaskClient, parts: Parts) -> None:
    answer = client.post("/v1/jobs", data=PNG, environ_overrides={"REMOTE_ADDR": "192.0.2.9"})
    assert (answer.status_code, answer.json["code"]) == (403, "loopback_only")
    assert stored(parts) == (0, 0)


def test_a_forwarded_header_of_an_untrusted_peer_is_not_believed(parts: Parts) -> None:
    open_to_all = replace(parts, settings=parts.settings.model_copy(update={"allow_remote_without_keys": True}))
    client = app_of(open_to_all).test_client()
    answer = client.post("/v1/jobs", data=PNG, headers={"X-Forwarded-For": "203.0.113.7"})
    with parts.database.read() as connection:
        job = jobs.get(connection, answer.json["id"])
    assert job is not None and job.client_ip == "127.0.0.1"


def test_the_last_address_before_our_proxies_is_the_client(parts: Parts) -> None:
    from api.app import app_of

    changes = {"trusted_proxies": "10.0.0.0/8, 127.0.0.1", "allow_remote_without_keys": True}
    behind = replace(parts, settings=parts.settings.model_copy(update=changes))
    client = app_of(behind).test_client()
    answer = client.post("/v1/jobs", data=PNG, headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.7, 10.1.2.3"})
    with parts.database.read() as connection:
        job = jobs.get(connection, answer.json["id"])
    assert job is not None and job.client_ip == "203.0.113.7"
