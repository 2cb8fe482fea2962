"""The one command, ``ocrelay``. Each room brings its own sub-commands by entry point, so no room imports another."""

from __future__ import annotations

import os
import sys
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import click

from shared import errors
from shared.up import lifeline

ENTRY_POINTS = "ocrelay.commands"


class Commands(click.Group):
    """The sub-commands of all rooms, each imported only when it is called."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """Return the names of all sub-commands."""
        return sorted(entry_points(group=ENTRY_POINTS).names)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Import and return one sub-command."""
        found: tuple[EntryPoint, ...] = tuple(entry_points(group=ENTRY_POINTS, name=name))
        if not found:
            return None
        command = found[0].load()
        assert isinstance(command, click.Command), f"{found[0].value} is not a click command"
        return command

    def invoke(self, context: click.Context) -> Any:
        """Run a sub-command; an error of ours becomes one line that says what to do.

        Whoever reads our output may have seen enough, as `head` has: that is no failure.
        """
        try:
            try:
                return super().invoke(context)
            finally:
                sys.stdout.flush()
        except errors.OcrelayError as error:
            click.ClickException(_explain(error)).show()
            context.exit(error.exit_code)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left must go somewhere
            context.exit(0)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ocrelay")
@click.option("--lifeline", "descriptor", type=int, hidden=True, help="Set by `ocrelay up` for its children.")
def main(descriptor: int | None) -> None:
    """Turn images into text, reliably, on your own machines."""
    if descriptor is not None:
        lifeline.hold(descriptor)


def _explain(error: errors.OcrelayError) -> str:
    reason = error.details.get("reason")
    return f"{error.message} ({reason})" if reason else error.message


if __name__ == "__main__":
    main()
