"""The arithmetic of tests.bench.cascade: readings that were kept, what the cascade makes of them, the rule's fit."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from worker.ocr.text import cascade, rule
from worker.ocr.text.ctc import Peak
from worker.ocr.text.decoder import Reading
from worker.ocr.text.rule import Rule

Row = dict[str, Any]
STEPS, RATE, DECAY = 4000, 0.05, 1e-3  # of the regression
SURE = 0.9  # of a line, in both readings, before their difference is called a dispute
ALLOWED = (1.15, 0.0015)  # times the error rate of the stronger alone, or so much above it: the larger counts
MARGIN = 0.6  # of what is allowed; the rest is for lines that nobody has seen
HARM = 0.5  # edits: a line counts as an error where the stronger reading is better by more


def readings(row: Row, who: str) -> list[Reading]:
    """What one recogniser read in a row."""
    kept = row[who]
    lines = [[Peak(*peak) for peak in peaks] for peaks in kept["peaks"]]
    return [
        Reading(peaks, "".join(peak.text for peak in peaks), frames)
        for peaks, frames in zip(lines, kept["frames_per_height"], strict=True)
    ]


def text(read: list[Reading]) -> str:
    return " ".join(reading.text for reading in read)


def doubt(row: Row, using: Rule) -> float:
    """Of the line in most doubt; without any reading there is no end of it."""
    measured = row["fast"]["measured"]
    return max((using.doubt(one) if one else np.inf for one in measured), default=np.inf)


def balanced(row: Row, using: Rule) -> tuple[list[Reading], bool]:
    """What the cascade reads, and whether it read twice."""
    first = readings(row, "fast")
    if doubt(row, using) < using.limit:
        return first, False
    pairs = zip(first, readings(row, "strong"), strict=True)
    return [cascade.choose(one, other, using.sure) for one, other in pairs], True


def edits(score: ModuleType, row: Row, read: list[Reading]) -> int:
    truth, guess = (score.normalise(one).lower() for one in (row["truth"], text(read)))
    return int(Levenshtein.distance(truth, guess))


def rates(score: ModuleType, rows: list[Row], using: Rule) -> dict[str, float]:
    """CER (case ignored) of the three qualities, the share that was read twice, and seconds for each line."""
    length = sum(len(score.normalise(row["truth"])) for row in rows) or 1
    both = [balanced(row, using) for row in rows]
    seconds = {who: sum(row[who]["seconds"] for row in rows) for who in ("fast", "strong")}
    again = sum(row["strong"]["seconds"] for row, (_, twice) in zip(rows, both, strict=True) if twice)
    return {
        "fast": sum(edits(score, row, readings(row, "fast")) for row in rows) / length,
        "balanced": sum(edits(score, row, read) for row, (read, _) in zip(rows, both, strict=True)) / length,
        "best": sum(edits(score, row, readings(row, "strong")) for row in rows) / length,
        "twice": sum(twice for _, twice in both) / len(rows),
        "fast s": seconds["fast"] / len(rows),
        "balanced s": (seconds["fast"] + again) / len(rows),
        "best s": seconds["strong"] / len(rows),
    }


def by_set(rows: list[Row]) -> dict[str, list[Row]]:
    return {name: [row for row in rows if row["set"] == name] for name in dict.fromkeys(row["set"] for row in rows)}


def regress(features: NDArray[np.float64], wrong: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Weights and offset of a logistic regression of (N, F) standardised features, by gradient descent."""
    weights, offset = np.zeros(features.shape[1]), 0.0
    for _ in range(STEPS):
        error = 1 / (1 + np.exp(-(features @ weights + offset))) - wrong
        weights -= RATE * (features.T @ error / len(wrong) + DECAY * weights)
        offset -= RATE * float(error.mean())
    return weights, offset


def fit_weights(score: ModuleType, rows: list[Row]) -> Rule:
    """The regression over the lines that hold text: is the stronger reading better?"""
    seen = [row for row in rows if len(row["fast"]["measured"]) == 1 and row["fast"]["measured"][0]]
    names = list(seen[0]["fast"]["measured"][0])
    values = np.array([[row["fast"]["measured"][0][name] for name in names] for row in seen])
    gain = [edits(score, row, readings(row, "fast")) - edits(score, row, readings(row, "strong")) for row in seen]
    middle, spread = values.mean(0), values.std(0) + 1e-6
    weights, offset = regress((values - middle) / spread, (np.array(gain) > HARM).astype(np.float64))
    weights = weights / spread
    kept = {name: round(float(weight), 4) for name, weight in zip(names, weights, strict=True)}
    return Rule(kept, round(offset - float(weights @ middle), 4), 0.0, SURE)


def limit_for(score: ModuleType, rows: list[Row], using: Rule) -> float:
    """The highest limit at which every set stays near enough to the stronger recogniser alone."""
    limits = np.arange(3.0, -9.0, -0.1)
    return next((round(float(one), 1) for one in limits if _is_near(score, rows, using, float(one))), -9.0)


def _is_near(score: ModuleType, rows: list[Row], using: Rule, limit: float) -> bool:
    tried = dataclasses.replace(using, limit=limit)
    for of_set in by_set(rows).values():
        found = rates(score, of_set, tried)
        allowed = MARGIN * max((ALLOWED[0] - 1) * found["best"], ALLOWED[1])
        if found["balanced"] > found["best"] + allowed:
            return False
    return True


def show(score: ModuleType, rows: list[Row], using: Rule) -> None:
    for name, of_set in by_set(rows).items():
        found = rates(score, of_set, using)
        spaces: dict[str, Callable[[Row], str]] = {
            "fast": lambda row: text(readings(row, "fast")),
            "balanced": lambda row: text(balanced(row, using)[0]),
            "best": lambda row: text(readings(row, "strong")),
        }
        space = " ".join(f"{k} {score.space_f1([(r['truth'], of(r)) for r in of_set]):.3f}" for k, of in spaces.items())
        cer = "  ".join(f"{key} {found[key]:.2%}" for key in ("fast", "balanced", "best", "twice"))
        pace = "  ".join(f"{key} {found[key] * 1000:.1f} ms" for key in ("fast s", "balanced s", "best s"))
        print(f"{name:22} {len(of_set):4}  {cer}  {pace}  space F1 {space}", flush=True)


def fit(rows: list[Row], score: ModuleType, write: bool) -> None:
    """Fit the rule and show what it does with the lines that it was fitted on."""
    fitted = fit_weights(score, rows)
    fitted = dataclasses.replace(fitted, limit=limit_for(score, rows, fitted))
    print(fitted.to_json())
    show(score, rows, fitted)
    if write:
        models = {who: rows[0][who].get("model", "") for who in ("fast", "strong")}
        stored = {**json.loads(fitted.to_json()), "fitted_on": len(rows), "models": models}
        rule.FILE.write_text(json.dumps(stored, indent=1) + "\n", "utf-8")


def measure(rows: list[Row], score: ModuleType) -> None:
    """Show what the shipped rule does with lines that it was not fitted on."""
    show(score, rows, rule.load())
