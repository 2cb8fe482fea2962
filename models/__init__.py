"""Recognition models: their weights, how to load them, and (in `models.training`) how they are made."""

from __future__ import annotations

from models.recognizer import Recognizer, load, names

__all__ = ["Recognizer", "load", "names"]
