"""The SQLite that ocrelay uses: the one in the wheel `pysqlite3` where it is installed, else the one Python links.

Python links the system's, which is often too old for WAL (see ``database.wal_is_safe``); the wheel brings its own.
"""

from __future__ import annotations

import sqlite3
from types import ModuleType
from typing import Any

driver: ModuleType = sqlite3
try:
    from pysqlite3 import dbapi2
except ImportError:  # there is no wheel for this platform
    pass
else:
    driver = dbapi2

VERSION: tuple[int, int, int] = driver.sqlite_version_info
OperationalError: type[Exception] = driver.OperationalError


def says_full(error: Any) -> bool:
    """Whether SQLite means that the disk is full."""
    return getattr(error, "sqlite_errorname", None) == "SQLITE_FULL" or "disk is full" in str(error)
