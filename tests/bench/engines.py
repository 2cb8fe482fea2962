"""One OCR engine over a list of images, in a process of its own and on one core: the worker of tests.bench.peers.

    python tests/bench/engines.py ENGINE {line,page} < images.txt > answers.json

ENGINE is ocrelay, rapidocr or tesseract. Imports only what its engine needs, so it runs with the Python of another
environment, too. Answers {"texts": [[line, ...], ...], "seconds": ..., "peak_mib": ...}; loading is not timed.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

Reader = Callable[[str], list[str]]


def ocrelay(layout: str) -> Reader:
    """Our own pipeline, called in-process."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    import cv2

    import models
    from models import detector
    from worker.ocr.pipeline import Options, recognize_document

    cv2.setNumThreads(1)
    recognizer, finder = models.load(), detector.load()
    options = Options(layout=layout)  # type: ignore[arg-type]

    def read(path: str) -> list[str]:
        document = recognize_document(Path(path).read_bytes(), recognizer, options, detector=finder)
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


ENGINES = {"ocrelay": ocrelay, "rapidocr": rapidocr, "tesseract": tesseract}


def main() -> None:
    """Read every image that standard input names."""
    name, layout = sys.argv[1:]
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    images = sys.stdin.read().splitlines()
    read = ENGINES[name](layout)
    read(images[0])
    started = time.perf_counter()
    texts = [read(image) for image in images]
    seconds = time.perf_counter() - started
    who = resource.RUSAGE_CHILDREN if name == "tesseract" else resource.RUSAGE_SELF
    peak = resource.getrusage(who).ru_maxrss / 1024
    json.dump({"texts": texts, "seconds": seconds, "peak_mib": peak}, sys.stdout)


if __name__ == "__main__":
    main()
