"""The arithmetic of tests.bench.cascade: readings that were kept, what the cascade makes of them, the rule's fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from tests.bench.calibration import Point, diagram
from tests.bench.lines import are_right
from worker.ocr.text import cascade, rule
from worker.ocr.text.ctc import Peak
from worker.ocr.text.decoder import Reading
from worker.ocr.text.rule import Rule

Row = dict[str, Any]
STEPS, DECAY = 40, 1e-2  # of the regression
EPSILON = 1e-6
SURE = 0.9  # of a line, in both readings, before their difference is called a dispute
ALLOWED = (1.15, 0.0015)  # times the error rate of the stronger alone, or so much above it: the larger counts
ENOUGH = 6.0  # what all errors of one set may cost together, in multiples of what is allowed
TIME_PRICE = 6.0  # the same unit, for reading all lines of a set again
LIMITS = np.arange(-5.0, 1.01, 0.25)  # of the doubt, that are tried: 0 is what the regression says
SLOPE = 0.6  # of the limit against the length of the line in heights, log2: what reading it again takes
EXCESS_PRICE = 5.0  # of errors as many again as a set may have, where reading all of its lines again costs 1
SMALL = 3.0  # more weight on small hanzi: they are on screens, few and short, and the fast one is sure of its errors
SURER = 1.0  # below the limit that costs least: as far as receipts and forms take half of RapidOCR's seconds
FEWEST = 30  # lines; smaller sets say nothing about a limit
USUAL_SECONDS = 0.025  # of the processor, for reading a line again


def readings(row: Row, who: str) -> list[Reading]:
    """What one recogniser read in a row."""
    kept = row[who]
    lines = [[Peak(*peak) for peak in peaks] for peaks in kept["peaks"]]
    return [
        Reading(peaks, "".join(peak.text for peak in peaks), frames)
        for peaks, frames in zip(lines, kept["frame_counts"], strict=True)
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


def regress(
    features: NDArray[np.float64], wrong: NDArray[np.float64], prices: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Weights and offset of a logistic regression of (N, F) standardised features, each row by its price: Newton."""
    extended = np.hstack([features, np.ones((len(features), 1))])
    pull = DECAY * np.diag([*np.ones(features.shape[1]), 0.0])
    found = np.zeros(extended.shape[1])
    prices = prices / prices.sum()
    for _ in range(STEPS):
        likely = 1 / (1 + np.exp(-extended @ found))
        slope = extended.T @ (prices * (likely - wrong)) + pull @ found
        curve = (extended * (prices * likely * (1 - likely))[:, None]).T @ extended + pull
        found -= np.linalg.solve(curve, slope)
    return found[:-1], float(found[-1])


def gain(score: ModuleType, row: Row) -> int:
    """Edits that reading again saves; below 0 it costs some."""
    first, second = readings(row, "fast"), readings(row, "strong")
    chosen = [cascade.choose(one, other, SURE) for one, other in zip(first, second, strict=True)]
    return edits(score, row, first) - edits(score, row, chosen)


def prices(score: ModuleType, rows: list[Row]) -> list[float]:
    """What it costs to decide wrongly about each line of a set.

    Where the stronger one reads better: the edits that it saves, as a share of those that the set may have more than it
    has with the stronger one alone. Elsewhere: the time for reading again.
    """
    saved = np.array([gain(score, row) for row in rows])
    best = sum(edits(score, row, readings(row, "strong")) for row in rows)
    length = sum(len(score.normalise(row["truth"])) for row in rows)
    allowed = max((ALLOWED[0] - 1) * best, ALLOWED[1] * length, 1.0)
    whole = min(1.0, ENOUGH / max(np.maximum(saved, 0).sum() / allowed, EPSILON))  # no set speaks for all
    times = np.array([row["strong"]["seconds"] for row in rows]) / USUAL_SECONDS / len(rows)
    return [float(price) for price in np.abs(saved) / allowed * whole + np.where(saved > 0, 0.0, TIME_PRICE * times)]


def fit_weights(score: ModuleType, rows: list[Row]) -> Rule:
    """The regression over the lines that hold text: is the stronger reading better, and worth its time?"""
    seen = [row for row in rows if len(row["fast"]["measured"]) == 1 and row["fast"]["measured"][0]]
    seen = [row for of_set in by_set(seen).values() for row in of_set]
    names = list(seen[0]["fast"]["measured"][0])
    values = np.array([[row["fast"]["measured"][0][name] for name in names] for row in seen])
    worth = np.array([price for of_set in by_set(seen).values() for price in prices(score, of_set)])
    wrong = np.array([gain(score, row) > 0 for row in seen], np.float64)
    middle, spread = values.mean(0), values.std(0) + EPSILON
    weights, offset = regress((values - middle) / spread, wrong, worth)
    weights = weights / spread
    kept = {name: round(float(weight), 4) for name, weight in zip(names, weights, strict=True)}
    return Rule(kept, round(offset - float(weights @ middle), 4), 0.0, SURE)


def longer_is_dearer(using: Rule, slope: float) -> Rule:
    """The rule with a limit that grows with the length of a line, which is what reading it again takes."""
    return heavier(heavier(using, "length", -slope), "room", -slope)


def heavier(using: Rule, name: str, more: float) -> Rule:
    """The rule with more weight on one of its measures."""
    return replace(using, weights={**using.weights, name: round(using.weights[name] + more, 4)})


class Told(NamedTuple):
    """What is known of a line. fast, strong: edits of a reading; saved: by reading it again; length: of its text."""

    row: Row
    fast: int
    strong: int
    saved: int
    length: int


def told(score: ModuleType, row: Row) -> Told:
    fast, strong = (edits(score, row, readings(row, who)) for who in ("fast", "strong"))
    return Told(row, fast, strong, gain(score, row), len(score.normalise(row["truth"])))


def excess(sets: list[list[Told]], using: Rule) -> float:
    """What a rule costs: errors beyond those that a set may have, and the time that reading again takes, set by set."""
    cost = 0.0
    for of_set in sets:
        again = [one for one in of_set if doubt(one.row, using) >= using.limit]
        left = sum(one.fast for one in of_set) - sum(one.saved for one in again)
        best, length = sum(one.strong for one in of_set), sum(one.length for one in of_set)
        allowed = max(ALLOWED[0] * best, best + ALLOWED[1] * length)
        seconds, whole = (sum(one.row["strong"]["seconds"] for one in part) for part in (again, of_set))
        cost += EXCESS_PRICE * max(0.0, (left + 0.5) / allowed - 1.0) + seconds / whole
    return cost


def choose_limit(score: ModuleType, rows: list[Row], using: Rule) -> Rule:
    """The rule with nearly the limit that costs least; longer lines are dearer, and small hanzi weigh more."""
    sets = [[told(score, row) for row in of_set] for of_set in by_set(rows).values() if len(of_set) >= FEWEST]
    using = heavier(longer_is_dearer(using, SLOPE), "small", SMALL)
    rules = (replace(using, limit=float(at)) for at in LIMITS)
    best = min(rules, key=lambda rule: excess(sets, rule))
    return replace(best, limit=best.limit - SURER)


def calibration_error(score: ModuleType, rows: list[Row], of: Callable[[Row], list[Reading]]) -> float:
    """ECE of the characters, as tests.bench.calibration has it."""
    points: list[Point] = []
    for row in rows:
        peaks = [peak for reading in of(row) for peak in reading.peaks]
        judged = zip(peaks, are_right(score, "".join(peak.text for peak in peaks), row["truth"]), strict=True)
        points += [Point(peak.confidence, float(right), right) for peak, right in judged if right is not None]
    return diagram(points)[0] if points else 0.0


def show(score: ModuleType, rows: list[Row], using: Rule) -> None:
    """A line for each set: error rates, share that was read twice, times, spaces and calibration of the qualities."""
    reads: dict[str, Callable[[Row], list[Reading]]] = {
        "fast": lambda row: readings(row, "fast"),
        "balanced": lambda row: balanced(row, using)[0],
        "best": lambda row: readings(row, "strong"),
    }
    for name, of_set in by_set(rows).items():
        found = rates(score, of_set, using)
        pairs = {quality: [(row["truth"], text(of(row))) for row in of_set] for quality, of in reads.items()}
        space = " ".join(f"{score.space_f1(pairs[quality]):.3f}" for quality in reads)
        ece = " ".join(f"{calibration_error(score, of_set, of):.3f}" for of in reads.values())
        cer = "  ".join(f"{key} {found[key]:.2%}" for key in ("fast", "balanced", "best", "twice"))
        pace = "  ".join(f"{key} {found[key] * 1000:.1f} ms" for key in ("fast s", "balanced s", "best s"))
        print(f"{name:20} {len(of_set):4}  {cer}  {pace}  space F1 {space}  ECE {ece}", flush=True)


def fit(rows: list[Row], score: ModuleType, write: bool) -> None:
    """Fit the rule and show what it does with the lines that it was fitted on."""
    fitted = choose_limit(score, rows, fit_weights(score, rows))
    print(fitted.to_json())
    show(score, rows, fitted)
    if write:
        models = {who: rows[0][who].get("model", "") for who in ("fast", "strong")}
        stored = {**json.loads(fitted.to_json()), "fitted_on": len(rows), "models": models}
        rule.FILE.write_text(json.dumps(stored, indent=1) + "\n", "utf-8")


def measure(rows: list[Row], score: ModuleType) -> None:
    """Show what the shipped rule does with lines that it was not fitted on."""
    show(score, rows, rule.load())
