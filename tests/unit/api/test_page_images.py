"""A page of an upload as a browser can show it."""

from __future__ import annotations

import io

import pytest
from flask.testing import FlaskClient
from PIL import Image

from tests.images import saved, saved_together
from tests.unit.api.conftest import png


def encoded(*pages: Image.Image, form: str = "PNG", **options: object) -> bytes:
    return saved_together(*pages, kind=form, **options) if len(pages) > 1 else saved(pages[0], form, **options)


def shown(client: FlaskClient, content: bytes, page: int = 1, query: str = "") -> Image.Image:
    job_id = client.post("/v1/jobs", data=content).get_json()["id"]
    answer = client.get(f"/v1/jobs/{job_id}/pages/{page}/image{query}")
    assert (answer.status_code, answer.content_type) == (200, "image/jpeg")
    return Image.open(io.BytesIO(answer.get_data()))


@pytest.mark.parametrize(("query", "size"), [("", (300, 150)), ("?width=100", (100, 50)), ("?width=5000", (300, 150))])
def test_it_is_no_wider_than_asked_and_never_enlarged(client: FlaskClient, query: str, size: tuple[int, int]) -> None:
    assert shown(client, encoded(Image.new("L", (300, 150), 255)), query=query).size == size


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16"])
def test_every_kind_of_pixel_can_be_shown(client: FlaskClient, mode: str) -> None:
    assert shown(client, encoded(Image.new(mode, (20, 10)))).size == (20, 10)


def test_it_is_turned_as_its_file_says(client: FlaskClient) -> None:
    image = Image.new("RGB", (40, 20))
    image.getexif()[0x0112] = 6
    assert shown(client, encoded(image, form="JPEG", exif=image.getexif())).size == (20, 40)


def test_each_page_of_a_document_has_its_own(client: FlaskClient) -> None:
    pages = [Image.new("L", (10 * n, 10), 40 * n) for n in (1, 2, 3)]
    content = encoded(*pages, form="TIFF")
    assert [shown(client, content, page).width for page in (1, 2, 3)] == [10, 20, 30]


def test_a_page_that_is_not_there_is_not_found(client: FlaskClient) -> None:
    job_id = client.post("/v1/jobs", data=png()).get_json()["id"]
    assert client.get(f"/v1/jobs/{job_id}/pages/2/image").get_json()["code"] == "not_found"
    assert client.get(f"/v1/jobs/{job_id}/pages/0/image").status_code in (404, 422)
    assert client.get("/v1/jobs/job_no/pages/1/image").get_json()["code"] == "job_not_found"


def test_a_broken_image_is_said_to_be_broken(client: FlaskClient) -> None:
    job_id = client.post("/v1/jobs", data=png()[:-30]).get_json()["id"]
    assert client.get(f"/v1/jobs/{job_id}/pages/1/image").get_json()["code"] == "corrupt_image"


def test_a_page_of_a_pdf_is_drawn(client: FlaskClient) -> None:
    content = encoded(Image.new("RGB", (100, 200), "red"), Image.new("RGB", (100, 50), "blue"), form="PDF")
    first, second = (shown(client, content, page, "?width=80") for page in (1, 2))
    assert (first.size, second.size) == ((80, 160), (80, 40))
    assert second.getpixel((40, 20))[2] > 200  # type: ignore[index]
