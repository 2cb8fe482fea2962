"""`make words`: brings the catalogues of the pages up to date with the strings in templates and code.

What is new stands in them without a translation, and a test fails until there is one; what nobody says any more goes.
"""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from api.web.languages import NAMES, path_of

ROOM = Path(__file__).parent
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
}
WIDTH = 120


def strings() -> Catalog:
    """All strings that the pages say, in the order of the files."""
    found = Catalog(project="ocrelay", charset="utf-8")
    options = {"templates/**.html": {"encoding": "utf-8"}}
    for name, _, message, _, _ in extract_from_dir(ROOM, METHODS, options, KEYWORDS):
        found.add(message, locations=[(name, 0)])
    return found


def main() -> None:
    """Write each catalogue anew, with the translations that it has."""
    for language in list(NAMES)[1:]:
        path = path_of(language)
        catalogue = Catalog(locale=language, project="ocrelay", charset="utf-8")
        if path.exists():
            with path.open("rb") as source:
                catalogue = read_po(source, locale=language)
        catalogue.update(strings(), no_fuzzy_matching=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as target:
            write_po(target, catalogue, width=WIDTH, no_location=True, omit_header=True, ignore_obsolete=True)


if __name__ == "__main__":
    main()
