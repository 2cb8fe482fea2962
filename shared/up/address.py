"""Where the running service of a data folder answers: a file that `ocrelay up` leaves for the commands."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

FILE_NAME = "address"


def write(folder: Path, url: str) -> None:
    """Leave the URL, for the user of the folder alone."""
    descriptor, name = tempfile.mkstemp(prefix=".address-", dir=folder)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{url}\n")
    Path(name).replace(folder / FILE_NAME)


def read(folder: Path) -> str | None:
    """The URL of the service that runs on the folder, or ran until it was killed; None: none does."""
    try:
        return (folder / FILE_NAME).read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def remove(folder: Path) -> None:
    """Nothing runs any more."""
    (folder / FILE_NAME).unlink(missing_ok=True)
