"""The card of a recogniser that was not exported here: from its metadata, a card beside it, and how it behaves."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping
from typing import Any

from models.bringing.trial import Shape, examine
from models.card import CHARSET_KEY, KIND, ModelCard, ModelFileError, sha256_of
from models.line_image import MARGIN

CARD_NAME = "card.json"  # the keys of the metadata; lies beside a model that must not be changed, and comes first
NORMALISATION = {1: "line-standardise", 3: "centre"}  # by channels, where nobody says: ours, and PP-OCR's
TEXTS = ("kind", "version", "licence", "source", "sha256")
MOST_CARD_BYTES = 1 << 20  # the largest charsets take a fifth of it
MOST_DIGITS = 9  # that are looked at; whatever has more is too large
MARGINS = {1: MARGIN, 3: 0.15}  # the same; PP-OCR's read 0.6 points more of receipts wrongly with ours


def derive_card(session: Any, path: pathlib.Path, name: str) -> ModelCard:
    """The card of the recogniser that `session` has loaded from `path`.

    Raises:
        ModelFileError: it is no recogniser that can be run, or what its card says is not so.
    """
    metadata = {**session.get_modelmeta().custom_metadata_map, **read_beside(path)}
    if metadata.get("kind", KIND) != KIND or CHARSET_KEY not in metadata:
        return ModelCard.from_metadata(metadata, name, "")  # refuses, with the reason
    shape = examine(session, name, _stated(metadata, "input_height"), _stated(metadata, "time_stride"))
    derived = {
        "input_height": str(shape.height),
        "channels": str(shape.channels),
        "time_stride": str(shape.time_stride),
        "normalisation": NORMALISATION[shape.channels],
        "margin": str(MARGINS[shape.channels]),
        "output": shape.output,
    }
    metadata[CHARSET_KEY] = complete_charset(metadata[CHARSET_KEY], shape.class_count, name)
    card = ModelCard.from_metadata({**derived, **metadata}, name, sha256_of(path))
    _compare(card, shape)
    return card


def read_beside(path: pathlib.Path) -> dict[str, str]:
    """The card that lies beside a model; empty where there is none.

    Raises:
        ModelFileError: it is no JSON object, or says in another way what is a text.
    """
    beside = path.with_name(CARD_NAME)
    if path.name == CARD_NAME or not beside.is_file():
        return {}
    try:
        if beside.stat().st_size > MOST_CARD_BYTES:
            raise ValueError(f"it is larger than {MOST_CARD_BYTES // 1024} KiB")
        found = json.loads(beside.read_text("utf-8"))
        json.dumps(found, ensure_ascii=False).encode()  # half a character, which JSON can say, cannot be written down
        return {key: value if isinstance(value, str) else _plain(key, value) for key, value in found.items()}
    except (OSError, ValueError, AttributeError, TypeError, RecursionError) as error:
        raise ModelFileError(f"{beside} is no card: {error}. Correct or remove it.") from error


def complete_charset(characters: str, class_count: int, name: str) -> str:
    """A charset as the file writes it, one character a line, with the space where the classes count one more.

    PP-OCR's recognisers have a class for the space behind all others and leave it out of their list.

    Raises:
        ModelFileError: characters and classes cannot be brought together.
    """
    listed = characters.split("\n")
    if class_count == len(listed) + 2 and " " not in listed:
        return characters + "\n "
    if class_count != len(listed) + 1:
        raise ModelFileError(
            f"{name}: {len(listed)} characters and {class_count} classes do not fit; there is one class for the blank, "
            "and one for the space if the list lacks it. Correct `character` in the metadata or in card.json."
        )
    return characters


def _stated(metadata: Mapping[str, str], key: str) -> int:
    stated = metadata.get(key, "0")
    return int(stated[:MOST_DIGITS]) if stated.isdecimal() else 0


def _plain(key: str, value: Any) -> str:
    if key in TEXTS:
        raise TypeError(f"`{key}` is a text in quotes, not {json.dumps(value):.80}")
    return "\n".join(value) if key == CHARSET_KEY else json.dumps(value, ensure_ascii=False)


def _compare(card: ModelCard, shape: Shape) -> None:
    """Refuse a card that its model contradicts."""
    stated = (card.input_height, card.channels, card.time_stride, card.output)
    seen = (shape.height, shape.channels, shape.time_stride, shape.output)
    if stated != seen:
        raise ModelFileError(
            f"{card.name}: its card says height, channels, time stride, output {stated}, but it has {seen}."
        )
