"""Fit the confidence of a model on rendered lines and write it into the model's card.

    python -m models.training.calibrate build/training models/weights/crnn-zh-en

Reads lines that training never saw, compares each character with the text by alignment (case does not count), and fits
for Chinese characters and for the rest the line in the logit that makes the truth likeliest.

Source: Platt, "Probabilistic outputs for support vector machines", 1999.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from models.calibration import Calibration, Line, logit
from models.charset import BLANK, CJK
from models.line_image import TIME_STRIDE
from models.recognizer import FILE_NAME, Recognizer, load
from models.training.batches import bucket_width
from models.training.drawing.render import LineRenderer
from models.training.export import write_card

LINES = 4000
SEED = 31
STEPS = 50


@dataclasses.dataclass(frozen=True)
class Characters:
    """What was read: text of N characters, their probabilities (N,) float64, and whether each is right (N,) bool."""

    text: str
    probabilities: NDArray[np.float64]
    right: NDArray[np.bool_]


def read(recognizer: Recognizer, image: NDArray[np.uint8]) -> tuple[str, list[float]]:
    """The best path of one line: its characters and the probability of each at its peak."""
    line = recognizer.prepare(image)
    frames = line.shape[2] // TIME_STRIDE
    padded = np.zeros((1, *line.shape[:2], bucket_width(line.shape[2])), np.float32)
    padded[0, :, :, : line.shape[2]] = line
    logits = recognizer.logits(padded)[0, :frames].astype(np.float64)
    labels = logits.argmax(1)
    top = logits.max(1)
    probabilities = 1 / np.exp(logits - top[:, None]).sum(1)
    text = ""
    found: list[float] = []
    for frame, label in enumerate(labels.tolist()):
        if label == BLANK:
            continue
        if frame and labels[frame - 1] == label:
            found[-1] = max(found[-1], float(probabilities[frame]))
        else:
            text += recognizer.card.charset.decode([label])
            found.append(float(probabilities[frame]))
    return text, found


def are_right(guess: str, truth: str) -> NDArray[np.bool_]:
    """For each character of `guess` whether it stands opposite its like in the best alignment with `truth`."""
    right = np.zeros(len(guess), np.bool_)
    for step in Levenshtein.opcodes(guess.lower(), truth.lower()):
        if step.tag == "equal":
            right[step.src_start : step.src_end] = True
    return right


def collect(recognizer: Recognizer, renderer: LineRenderer, lines: int) -> Characters:
    """Read so many rendered lines."""
    texts: list[str] = []
    probabilities: list[float] = []
    right: list[NDArray[np.bool_]] = []
    for _ in range(lines):
        rendered = renderer.render()
        text, found = read(recognizer, rendered.image)
        texts.append(text)
        probabilities += found
        right.append(are_right(text, rendered.text))
    return Characters("".join(texts), np.array(probabilities), np.concatenate(right))


def fit(probabilities: NDArray[np.float64], right: NDArray[np.bool_]) -> Line:
    """Logistic regression of being right on the logit of the probability, by Newton's method."""
    inputs = np.stack([logit(probabilities), np.ones(len(probabilities))], 1)
    weights = np.array([1.0, 0.0])
    for _ in range(STEPS):
        guess = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (guess - right)
        curve = (inputs * (guess * (1 - guess))[:, None]).T @ inputs + 1e-6 * np.eye(2)
        weights -= np.linalg.solve(curve, slope)
    return Line(round(float(weights[0]), 4), round(float(weights[1]), 4))


def calibrate(found: Characters) -> Calibration:
    """Fit both kinds of characters."""
    chinese = np.array([CJK.match(character) is not None for character in found.text], np.bool_)
    lines = (fit(found.probabilities[which], found.right[which]) for which in (chinese, ~chinese))
    return Calibration(*lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Calibrate the confidence of a model.")
    parser.add_argument("folder", type=pathlib.Path, help="the training folder, with fonts and corpora")
    parser.add_argument("model", type=pathlib.Path, help="the model's folder; the card in its model.onnx is rewritten")
    parser.add_argument("--lines", type=int, default=LINES)
    args = parser.parse_args()
    recognizer = load(str(args.model))
    renderer = LineRenderer(args.folder, list(recognizer.card.charset.characters), SEED)
    found = collect(recognizer, renderer, args.lines)
    calibration = calibrate(found)
    write_card(args.model / FILE_NAME, dataclasses.replace(recognizer.card, calibration=calibration))
    before = abs(found.probabilities.mean() - found.right.mean())
    after = abs(calibration.apply(found.text, found.probabilities.astype(np.float32)).mean() - found.right.mean())
    print(f"{len(found.text)} characters, {found.right.mean():.2%} right; {calibration}")
    print(f"mean confidence is off by {before:.4f} before, {after:.4f} after")


if __name__ == "__main__":
    main()
