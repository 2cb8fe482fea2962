"""Results as files, for the command line: which one is wanted, and where it goes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from api.formats.format import Format
from api.formats.table import BY_NAME

JOB_FORMATS = ("text", "json")
"""Without a folder these show the job itself."""


@dataclass(frozen=True)
class Wanted:
    """What the user asked for. output: the folder for the files; None: the terminal."""

    form: Format
    output: Path | None
    keep_layout: bool
    pdfa: bool

    @classmethod
    def of(cls, form: str, *, output: Path | None, keep_layout: bool, pdfa: bool) -> Wanted:
        """The same, checked; raises UsageError."""
        wanted = cls(BY_NAME[form], output, keep_layout, pdfa)
        for name, is_given in (("layout", keep_layout), ("pdfa", pdfa)):
            if is_given and name not in wanted.form.choices:
                fitting = next(other.name for other in BY_NAME.values() if name in other.choices)
                raise click.UsageError(f"{form} does not know it: --{name.replace('layout', 'keep-layout')} goes with "
                                       f"--format {fitting}.")  # fmt: skip
        if output is None and not wanted.form.is_text:
            raise click.UsageError(f"A {form} is nothing for a terminal. Name a folder for the files with --output.")
        return wanted

    @property
    def is_fetched(self) -> bool:
        """Whether the server makes a file: the job alone does not do."""
        return self.output is not None or self.keep_layout or self.form.name not in JOB_FORMATS

    def query(self) -> dict[str, str]:
        """What the route is asked."""
        chosen = {"layout": self.keep_layout, "pdfa": self.pdfa}
        return {"format": self.form.name} | {name: "true" for name, is_given in chosen.items() if is_given}
