"""Whatever a page tells people to type exists."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from shared.cli import main
from tests.docs import markdown

OCRELAY = re.compile(r"^(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?ocrelay (.+)$")
MAKE = re.compile(r"^make ([a-z-]+)")


def typed(page: Path) -> Iterator[str]:
    """Command lines on a page, in blocks and inline."""
    for block in markdown.blocks(page, "sh"):
        yield from block.replace("\\\n", " ").splitlines()
    yield from markdown.spans(page)


def commands(page: Path) -> Iterator[list[str]]:
    """Arguments of each call of `ocrelay` on a page."""
    for line in typed(page):
        found = OCRELAY.match(line.strip())
        if found and found[1] != "...":
            yield shlex.split(found[1], comments=True)


def registered() -> set[str]:
    project = tomllib.loads((markdown.ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return set(project["entry-points"]["ocrelay.commands"])


@pytest.mark.parametrize("page", markdown.PAGES, ids=markdown.name_of)
def test_each_sub_command_and_option_on_a_page_exists(page: Path) -> None:
    context = click.Context(main)
    for name, *arguments in commands(page):
        command = main.get_command(context, name)
        assert command is not None, f"ocrelay {name}"
        if isinstance(command, click.Group) and arguments:
            command = command.get_command(context, arguments[0])
            assert command is not None, f"ocrelay {name} {arguments[0]}"
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        given = {argument.partition("=")[0] for argument in arguments if argument.startswith("--")}
        assert given <= known, f"ocrelay {name} {' '.join(arguments)}"


def test_each_sub_command_is_on_some_page() -> None:
    assert registered() <= {arguments[0] for page in markdown.PAGES for arguments in commands(page)}


@pytest.mark.parametrize("page", markdown.PAGES, ids=markdown.name_of)
def test_each_make_target_on_a_page_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (markdown.ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = [found[1] for line in typed(page) for part in line.split("&&") if (found := MAKE.match(part.strip()))]
    assert set(named) <= targets


@pytest.mark.parametrize("page", markdown.PAGES, ids=markdown.name_of)
def test_each_compose_service_on_a_page_exists(page: Path) -> None:
    services = yaml.safe_load((markdown.ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    for line in typed(page):
        assert set(re.findall(r"--scale (\w+)=", line)) <= set(services), line


@pytest.mark.parametrize("page", markdown.PAGES, ids=markdown.name_of)
def test_each_shell_block_on_a_page_is_a_valid_script(page: Path) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    for block in markdown.blocks(page, "sh"):
        checked = subprocess.run([bash, "-n"], input=block, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, f"{checked.stderr}\n{block}"


def test_the_quick_start_is_two_commands() -> None:
    readme = (markdown.ROOT / "README.md").read_text("utf-8")
    quick_start = readme.partition("## Quick start")[2].partition("\n## ")[0]
    assert re.findall(r"^```sh\n(.*?)\n```$", quick_start, re.MULTILINE | re.DOTALL) == ["make demo", "make test"]


def test_each_sample_that_a_page_sends_is_in_the_repository() -> None:
    for page in markdown.PAGES:
        for named in re.findall(r"docs/samples/[\w-]+\.\w+", page.read_text("utf-8")):
            assert (markdown.ROOT / named).is_file(), f"{markdown.name_of(page)}: {named}"
