"""schemathesis against a running server: every check, every phase.

    python -m tests.contract.calls.run http://127.0.0.1:8000 --examples 200 --seed 7

The server must let webhooks reach this machine (OCRELAY_WEBHOOK_ALLOWED_NETWORKS=127.0.0.1), or those that are valid by
the document are refused, and it should be one to throw away: everything in it is read, changed and deleted. With keys:
`--header "Authorization: Bearer ocr_..."`, of a key with every scope and without limits.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

HERE = Path(__file__).parent
PHASES = "examples,coverage,fuzzing,stateful"


def run(
    url: str, *, examples: int, seed: int, model: str, headers: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Call everything that the server's own document names; the exit status is 0 where all answers were right.

    Args:
        url: Where the server is.
        examples: Cases of each call.
        seed: The same one makes the same cases.
        model: Name of the one that its workers have loaded.
        headers: Sent with each request.
    """
    program = [sys.executable, "-m", "schemathesis.cli"]
    options = ["--config-file", str(HERE / "schemathesis.toml"), "run", f"{url}/openapi.json"]
    options += ["--phases", PHASES, "--checks", "all", "--continue-on-failure", "--max-examples", str(examples)]
    options += ["--seed", str(seed), "--generation-database", "none", "--request-timeout", "30"]
    for header in headers:
        options += ["--header", header]
    root = HERE.parents[2]
    hooks = {"SCHEMATHESIS_HOOKS": "tests.contract.calls.hooks", "CALLS_MODEL": model}
    with tempfile.TemporaryDirectory() as folder:  # it keeps notes where it runs
        return subprocess.run(
            [*program, *options],
            env=os.environ | {"PYTHONPATH": str(root)} | hooks,
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )


@click.command()
@click.argument("url")
@click.option("--examples", default=100, show_default=True, help="Cases of each call.")
@click.option("--seed", default=1, show_default=True)
@click.option("--model", default="crnn-zh-en", show_default=True, help="The one that the workers have loaded.")
@click.option("--header", "headers", multiple=True, help='Sent with each request, like "Authorization: Bearer ...".')
def main(url: str, *, examples: int, seed: int, model: str, headers: tuple[str, ...]) -> None:
    """Call everything that the document of the server at URL names."""
    done = run(url, examples=examples, seed=seed, model=model, headers=headers)
    click.echo(done.stdout + done.stderr)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
