"""Just enough Markdown to hold the pages to their word."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in ("docs", "models") for page in (ROOT / folder).rglob("*.md"))])

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def name_of(page: Path) -> str:
    """The page's path in the repository, as the name of a test case."""
    return str(page.relative_to(ROOT))


def blocks(page: Path, *languages: str) -> list[str]:
    """Fenced blocks in one of the languages."""
    return [body for language, body in _FENCE.findall(page.read_text("utf-8")) if language in languages]


def spans(page: Path) -> list[str]:
    """Inline code."""
    return _SPAN.findall(_without_blocks(page))


def links(page: Path) -> list[str]:
    """Targets of links, and of images."""
    return _LINK.findall(_without_blocks(page))


def headings(page: Path) -> list[str]:
    """Headings without their marks."""
    return _HEADING.findall(_without_blocks(page))


def anchors(page: Path) -> set[str]:
    """What `#...` may lead to on a page, as GitHub names it."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings(page)}


def rows(page: Path, heading: str) -> list[list[str]]:
    """Cells of every table row below a heading, up to the next heading; heads and rules left out."""
    _, _, below = page.read_text("utf-8").partition(f"# {heading}\n")
    section = re.split(r"^#", below, maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line.strip() for line in section.splitlines() if line.startswith("|")]
    tables = [line for line, after in zip(lines, [*lines[1:], ""], strict=True) if not re.match(r"\|[-|]+$", after)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in tables if not re.match(r"\|[-|]+$", line)]


def _without_blocks(page: Path) -> str:
    return _FENCE.sub("", page.read_text("utf-8"))
