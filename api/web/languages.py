"""The languages of the pages: chosen by hand, else by the browser; their strings are gettext catalogues.

The catalogues are read from their source, `translations/LANGUAGE/LC_MESSAGES/messages.po`: nobody has to build them.
"""

from __future__ import annotations

import io
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, has_request_context, request
from flask_babel import Babel

FOLDER = Path(__file__).parent / "translations"
DOMAIN = "messages"
COOKIE = "ocrelay_language"
NAMES = {"en": "English", "zh": "中文"}
"""What each language calls itself; the first one is that of the strings in the code."""
TAGS = {"en": "en", "zh": "zh-Hans"}
"""As HTML states it."""


def register(app: Flask) -> None:
    """Let templates and `gettext` speak the language of the request."""
    babel = Babel()
    babel.init_app(app, locale_selector=chosen, default_translation_directories=str(FOLDER))
    with app.app_context():
        for language in NAMES:
            babel.domain_instance.cache[language, DOMAIN] = catalogue(language)


def chosen() -> str:
    """The language of this request."""
    if not has_request_context():
        return next(iter(NAMES))
    by_hand = request.cookies.get(COOKIE)
    if by_hand in NAMES:
        return by_hand
    wanted = (tag.replace("_", "-").partition("-")[0].lower() for tag, _ in request.accept_languages)
    return next((language for language in wanted if language in NAMES), next(iter(NAMES)))


def path_of(language: str) -> Path:
    """Where the strings of a language are."""
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def catalogue(language: str) -> NullTranslations:
    """The strings of a language; nothing of the one in which the code is written."""
    path = path_of(language)
    if not path.exists():
        return NullTranslations()
    built = io.BytesIO()
    with path.open("rb") as source:
        write_mo(built, read_po(source, locale=language))
    built.seek(0)
    return Translations(built, domain=DOMAIN)
