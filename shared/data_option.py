"""The option ``--data``: which data folder a command works on."""

from __future__ import annotations

from pathlib import Path

import click

from shared.settings import Settings

DATA = click.option(
    "--data",
    "data_dir",
    type=click.Path(path_type=Path),
    help="Folder of everything that is kept.  [default: OCRELAY_DATA_DIR, else ocrelay-data here]",
)


def of_data(data_dir: Path | None) -> Settings:
    """The settings, with the data folder that was given on the command line."""
    return Settings.load(**({} if data_dir is None else {"data_dir": data_dir}))
