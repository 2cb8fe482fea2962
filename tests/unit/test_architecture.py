"""What each process may read for itself: the time and the environment have one door each."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("api", "worker", "shared")
TIME = {
    *(f"time.{name}" for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "sleep")),
    *(f"{owner}.{name}" for owner in ("datetime", "datetime.datetime") for name in ("now", "utcnow", "today")),
    "date.today",
    "datetime.date.today",
}
ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.putenv"}


def reads(source: str, forbidden: set[str]) -> set[str]:
    """Which of the names the source uses, whether by attribute or by an import of the name itself."""
    nodes = list(ast.walk(ast.parse(source)))
    used = {ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)}
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    used |= {f"{node.module}.{name.name}" for node in imports for name in node.names}
    aliased = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names if name.asname}
    return used & forbidden | aliased & {name.partition(".")[0] for name in forbidden}


@pytest.mark.parametrize(
    ("forbidden", "door"), [(TIME, "shared/clock.py"), (ENVIRONMENT, "shared/settings.py")], ids=["time", "environment"]
)
def test_only_one_module_reads_it(forbidden: set[str], door: str) -> None:
    files = {path.relative_to(ROOT).as_posix(): path for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    found = {name: reads(path.read_text(encoding="utf-8"), forbidden) for name, path in files.items()}
    assert {name for name, names in found.items() if names} == {door}


@pytest.mark.parametrize(
    "source", ["import time\ntime.time()", "from time import sleep", "import time as t", "from os import environ"]
)
def test_the_guard_sees_every_spelling(source: str) -> None:
    assert reads(source, TIME | ENVIRONMENT)
