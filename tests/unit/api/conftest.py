"""The application over a real SQLite file and a broker that is not there: what the API does must not need one."""

from __future__ import annotations

import pickle
import shutil
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import openapi, utils
from pydantic import BaseModel

from api.app import app_of
from api.service.parts import Parts
from api.service.waiting import Waiting
from shared import jobs, queue
from shared.database import Database
from shared.settings import Settings
from shared.uploads.blobs import Blobs
from tests.images import END, chunk, header, png_of

RESULT = {
    "text": "你好 world",
    "confidence": 0.9,
    "min_confidence": 0.8,
    "model": {"name": "m", "version": "1", "sha256": "0" * 64},
    "pages": [
        {
            "page_number": 1,
            "width": 8,
            "height": 8,
            "angle": 0.0,
            "source": "recognition",
            "quality": {},
            "warnings": [],
            "lines": [
                {
                    "text": "你好 world",
                    "raw_text": "你好 world",
                    "confidence": 0.8,
                    "polygon": [[0, 0], [8, 0], [8, 8], [0, 8]],
                    "words": [],
                    "edits": [],
                }
            ],
        }
    ],
}


def png(width: int = 8, height: int = 8) -> bytes:
    """A gray PNG whose header says `width` x `height`; the pixels are white and compress to nothing."""
    rows = zlib.compress((b"\0" + b"\xff" * width) * min(height, 64), 9)
    return png_of(header(width, height), chunk(b"IDAT", rows), END)


@pytest.fixture(scope="session", autouse=True)
def schemas_made_once() -> Iterator[None]:
    """Each application describes all its models anew, which takes longer than most tests; a model's schema stays."""
    make = utils.get_model_schema
    made = cache(lambda model, mode: pickle.dumps(make(model, mode)))

    def schema(model: type[BaseModel], mode: Any = "validation") -> Any:
        return pickle.loads(made(model, mode))  # a copy, for the caller takes it apart

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, "get_model_schema", schema)
        patch.setattr(openapi, "get_model_schema", schema)
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(
        data_dir=tmp_path, redis_url="redis://127.0.0.1:1/0", wait_limit_seconds=2, sync_wait_seconds=2
    )


@pytest.fixture
def parts(settings: Settings, migrated_sqlite: Path) -> Iterator[Parts]:
    shutil.copy(migrated_sqlite, settings.data_dir / "ocrelay.sqlite3")
    database = Database(settings.database)
    celery = queue.create_app(settings, "redis://127.0.0.1:1/0", role="client")
    celery.breaker.trip()  # the broker is known to be down, so no submission waits for it
    yield Parts(settings, database, Blobs(settings.blobs_dir), celery, Waiting(database))
    database.close()


@pytest.fixture
def client(parts: Parts) -> FlaskClient:
    return app_of(parts).test_client()


READER = "ef" * 32


def finish(parts: Parts, job_id: str, result: dict[str, Any] = RESULT) -> None:
    """Do what a worker does: claim the job and end it with a result."""
    with parts.database.write() as connection:
        job = jobs.claim(connection, job_id, owner="test/1", lease_seconds=30)
        assert job is not None and job.lease_token is not None
        assert jobs.succeed(
            connection, job_id, job.lease_token, result=result, timings_ms={"total": 3.0}, reader_sha256=READER
        )
