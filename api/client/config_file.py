"""The user's configuration file: one server and the key for it, readable by the user alone."""

from __future__ import annotations

import json
import os
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

import click

from shared import errors


@dataclass(frozen=True)
class Login:
    """What `ocrelay login` keeps. key: for this server alone; empty: it wants none."""

    server: str
    key: str = ""


def path() -> Path:
    """Where the file lies, whether it is there or not."""
    return Path(click.get_app_dir("ocrelay")) / "config.toml"


def read(file: Path) -> Login | None:
    """What was kept; None: nothing.

    Raises:
        InvalidConfiguration: The file cannot be read, or others can read it.
    """
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            found = tomllib.load(opened)
    except FileNotFoundError:
        return None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise errors.InvalidConfiguration(
            f"{file} cannot be read ({error}). Correct it, or write it anew with `ocrelay login`."
        ) from None
    server, key = found.get("server"), found.get("key", "")
    if not isinstance(server, str) or not isinstance(key, str):
        raise errors.InvalidConfiguration(f"{file} names no server. Write it anew with `ocrelay login`.")
    if key and os.name != "nt" and mode & 0o077:
        raise errors.InvalidConfiguration(f"Others can read the key in {file}. Run `chmod 600 {file}`.")
    return Login(server, key)


def write(file: Path, login: Login) -> None:
    """Keep it, for the user alone from its first byte on; an earlier one is replaced as a whole."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(prefix=".config-", dir=file.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(f"server = {json.dumps(login.server)}\nkey = {json.dumps(login.key)}\n")
    Path(name).replace(file)
