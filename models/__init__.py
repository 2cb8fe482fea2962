"""Recognition models: their weights, how to load them, and (in `models.training`) how they are made."""

from __future__ import annotations

from models.card import ModelFileError
from models.recognizer import DEFAULT, Recognizer, load, names

__all__ = ["DEFAULT", "ModelFileError", "Recognizer", "load", "names"]
