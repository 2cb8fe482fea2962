"""The option ``--data``: which data folder a command works on."""

from __future__ import annotations

from pathlib import Path

import click

DATA = click.option("--data", "data_dir", type=click.Path(path_type=Path), help="Folder of everything that is kept.")
