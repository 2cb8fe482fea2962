"""One OCR engine over a list of images, in a process of its own and on one core: the worker of tests.bench.peers.

    python tests/bench/engines.py ENGINE {line,page} < images.txt > answers.json

ENGINE is fast, balanced or best (ocrelay, with the stronger model of the settings), rapidocr or tesseract. Imports only
what its engine needs, so it runs with the Python of another environment, too. Answers {"texts": [[line, ...], ...],
"seconds": ..., "peak_mib": ...}; loading is not timed.
"""

from __future__ import annotations

import functools
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

Reader = Callable[[str], list[str]]


def ocrelay(quality: str, layout: str) -> Reader:
    """Our own pipeline, called in-process."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    import cv2

    import models
    from models import detector
    from shared.settings import Settings
    from worker.models.stronger import find_stronger
    from worker.ocr.pipeline import Options, recognize_document

    cv2.setNumThreads(1)
    recognizer, finder, found = models.load(), detector.load(), find_stronger(Settings.load())
    options = Options(layout=layout, quality=quality)  # type: ignore[arg-type]
    stronger = found.load if found else None
    if stronger and quality != "fast":
        stronger()

    def read(path: str) -> list[str]:
        document = recognize_document(Path(path).read_bytes(), recognizer, options, detector=finder, stronger=stronger)
        return [line.text for page in document.pages for line in page.lines]

    return read


def rapidocr(layout: str) -> Reader:
    """RapidOCR 3.10 with the models that its package carries (PP-OCRv6 small)."""
    import cv2
    from rapidocr import RapidOCR  # type: ignore[import-not-found]

    cv2.setNumThreads(1)
    threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    engine = RapidOCR(params={**threads, "Global.log_level": "error"})

    def read(path: str) -> list[str]:
        image = cv2.imread(path)
        if layout == "line":
            return ["".join(engine(image, use_det=False, use_cls=False, use_rec=True).txts or ())]
        return list(engine(image).txts or ())

    return read


def tesseract(layout: str) -> Reader:
    """Tesseract's command line with Debian's models, Chinese and English."""

    def read(path: str) -> list[str]:
        mode = "7" if layout == "line" else "3"
        command = ["tesseract", path, "-", "--psm", mode, "-l", "chi_sim+eng"]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "OMP_THREAD_LIMIT": "1"}
        )
        return [line for line in done.stdout.splitlines() if line.strip()]

    return read


QUALITIES = ("fast", "balanced", "best")
ENGINES = {
    **{quality: functools.partial(ocrelay, quality) for quality in QUALITIES},
    "rapidocr": rapidocr,
    "tesseract": tesseract,
}


def seconds_of(name: str) -> float:
    """Seconds of the processor that were used so far: what else runs on the machine does not count."""
    who = resource.RUSAGE_CHILDREN if name == "tesseract" else resource.RUSAGE_SELF
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Read every image that standard input names."""
    name, layout = sys.argv[1:]
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    images = sys.stdin.read().splitlines()
    read = ENGINES[name](layout)
    read(images[0])
    started = seconds_of(name)
    texts = [read(image) for image in images]
    seconds = seconds_of(name) - started
    who = resource.RUSAGE_CHILDREN if name == "tesseract" else resource.RUSAGE_SELF
    peak = resource.getrusage(who).ru_maxrss / 1024
    json.dump({"texts": texts, "seconds": seconds, "peak_mib": peak}, sys.stdout)


if __name__ == "__main__":
    main()
