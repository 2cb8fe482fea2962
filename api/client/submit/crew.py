"""Several documents at a time, and what became of them in the order in which they were given."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future

from api.client.submit.documents import Document
from api.client.submit.sending import Outcome

AHEAD = 16
"""For each thread so many documents may be done before one that takes longer."""

Task = tuple[Document, "Future[Outcome]"]


def work(documents: Iterable[Document | None], send: Callable[[Document], Outcome], threads: int) -> Iterator[Outcome]:
    """Send documents with so many threads; yield each outcome as soon as it and all before it are there.

    Args:
        documents: None says that there is none at the moment, and that outcomes may be asked for meanwhile.
        send: What is done with one. What it raises ends all.
        threads: So many at a time. None of them holds up the end of the process.
    """
    waiting: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
    for _ in range(threads):
        threading.Thread(target=_toil, args=(waiting, send), daemon=True).start()
    under_way: deque[Future[Outcome]] = deque()
    try:
        for document in documents:
            if document is not None:
                future: Future[Outcome] = Future()
                under_way.append(future)
                waiting.put((document, future))
            while under_way and (under_way[0].done() or len(under_way) >= threads * AHEAD):
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        for future in under_way:
            future.cancel()
        for _ in range(threads):
            waiting.put(None)


def _toil(waiting: queue.SimpleQueue[Task | None], send: Callable[[Document], Outcome]) -> None:
    while (task := waiting.get()) is not None:
        document, future = task
        if not future.set_running_or_notify_cancel():
            continue
        try:
            future.set_result(send(document))
        except BaseException as error:  # noqa: BLE001  (it is raised where the outcome is asked for)
            future.set_exception(error)
