"""Read labelled lines and pages through the running service and score what comes back.

    python -m tests.bench.recognition DATA [SET ...] [--server URL] [--limit N] [--json FILE]

DATA (or the variable OCRELAY_EVAL_DATA) holds `sets/NAME/` with labels.tsv (lines) or pages.jsonl (pages); the metric,
`score.py`, lies beside DATA or is named by --score. Without data there is nothing to measure, and the bench says so.
Every image goes in by HTTP, through the broker and a worker, with layout=line or layout=page. `order` of page sets
that say in which order their blocks are read: see tests.bench.reading_order.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

from api.client.demo import log_of, running
from api.client.http import Client
from tests.bench import reading_order
from tests.bench.metric import load_metric

CLIENTS = 6
WAIT_SECONDS = 60
DEFAULT_SETS = [
    "omnidoc_zh_lines",
    "omnidoc_en_lines",
    "zhphoto_hand_lines",
    "sroie_lines",
    "sroie_pages",
    "omnidoc_pages",
]


def recognise(server: str, images: list[Path], layout: str) -> list[list[dict[str, Any]]]:
    """Lines of each image, in order; a failed job counts as no text and is named."""

    def one(image: Path) -> list[dict[str, Any]]:
        client = Client(server)
        job = client.finished(client.submit(image, {"layout": layout, "dedupe": "false"}, WAIT_SECONDS))
        if job["result"] is None:
            print(f"  {image.name}: {job['error']}")
            return []
        return [line for page in job["result"]["pages"] for line in page["lines"]]

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(one, images))


def measure(server: str, folder: Path, score: ModuleType, limit: int) -> dict[str, Any]:
    """Scores of one set."""
    is_pages = (folder / "pages.jsonl").exists()
    rows = list(score.read_pages(folder) if is_pages else score.read_lines(folder))
    if limit:
        rows = rows[:: max(1, len(rows) // limit)][:limit]
    started = time.perf_counter()
    found = recognise(server, [path for path, _ in rows], "page" if is_pages else "line")
    pace = len(rows) / (time.perf_counter() - started)
    read = [[line["text"] for line in lines] for lines in found]
    if is_pages:
        blocks = reading_order.read_blocks(folder)
        orders = [
            reading_order.of_blocks(blocks[path], [line["polygon"] for line in lines])
            for (path, _), lines in zip(rows, found, strict=True)
            if path in blocks
        ]
        return {
            **score.page_scores([(truth, lines) for (_, truth), lines in zip(rows, read, strict=True)]),
            **({"order": round(sum(orders) / len(orders), 4)} if orders else {}),
            "per_s": round(pace, 1),
        }
    pairs = [(truth, " ".join(lines)) for (_, truth), lines in zip(rows, read, strict=True)]
    return {**score.line_scores(pairs), "space_f1": score.space_f1(pairs), "per_s": round(pace, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Score recognition of real data through the service.")
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("OCRELAY_EVAL_DATA"))
    parser.add_argument("sets", nargs="*", default=DEFAULT_SETS)
    parser.add_argument("--score", type=Path, help="the metric file [default: DATA/../score.py]")
    parser.add_argument("--server", help="URL of a running server [default: start one]")
    parser.add_argument("--limit", type=int, default=0, help="so many images of each set, evenly spread")
    parser.add_argument("--json", type=Path, help="write the scores here, too")
    args = parser.parse_args()
    if args.data is None:
        print("No evaluation data: name its folder or set OCRELAY_EVAL_DATA. Nothing was measured.")
        return
    data = Path(args.data)
    score = load_metric(args.score or data.parent / "score.py")
    found: dict[str, Any] = {}
    with contextlib.ExitStack() as stack:
        server = args.server
        if server is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            stack.enter_context(log_of(Path(folder)))
            server = stack.enter_context(running(Path(folder)))
        for name in args.sets:
            found[name] = measure(server, data / "sets" / name, score, args.limit)
            print(name, json.dumps(found[name]), flush=True)
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
