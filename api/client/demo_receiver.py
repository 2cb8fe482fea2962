"""The webhook receiver of the demo: what a client of ocrelay would run, in a few lines."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from standardwebhooks import Webhook, WebhookVerificationError

WAIT_SECONDS = 30


class Received(NamedTuple):
    """One webhook as it came in."""

    webhook_id: str
    event: dict[str, Any]
    is_genuine: bool


class Receiver:
    """What came in, by the id of the job. The server asks for the secret when it has one."""

    def __init__(self) -> None:
        self.url = ""
        self.secret = ""
        self._came: dict[str, Received] = {}
        self._news = threading.Condition()

    def take(self, headers: dict[str, str], body: bytes) -> bool:
        """Check and keep one message; False: it was not signed with the secret."""
        try:
            Webhook(self.secret).verify(body, headers)
            is_genuine = True
        except WebhookVerificationError:
            is_genuine = False
        event = json.loads(body)
        with self._news:
            self._came[event["data"]["id"]] = Received(headers["webhook-id"], event, is_genuine)
            self._news.notify_all()
        return is_genuine

    def about(self, job_id: str) -> Received | None:
        """The message about a job; waits for it, for a while."""
        with self._news:
            self._news.wait_for(lambda: job_id in self._came, WAIT_SECONDS)
            return self._came.get(job_id)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Receive on a free port of this machine until the block ends."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(204 if receiver.take(headers, body) else 400)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """The demo shows what came in itself."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
