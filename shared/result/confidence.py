"""Confidences, 0..1: how they are averaged, checked, rounded and told. What one is, `worker.ocr.text.ctc` says."""

from __future__ import annotations

from collections.abc import Iterable


def mean_confidence(confidences: Iterable[float]) -> float | None:
    """Return the mean of characters' confidences, 0..1, or None of none."""
    values = list(confidences)
    return sum(values) / len(values) if values else None


def require_confidence(value: float) -> None:
    """Raise ValueError outside 0..1."""
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"a confidence lies in 0..1, not at {value}")


def rounded(confidence: float | None) -> float | None:
    """Return it with the digits that it has in the `result` object."""
    return None if confidence is None else round(confidence, 4)


def percent(confidence: float) -> str:
    """Return it as people read it, such as `99.8 %`, to a tenth; never 100.0 % unless it is."""
    return f"{int(round(confidence * 1000, 6)) / 10:.1f} %"
