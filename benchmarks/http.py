"""Single HTTP requests over a plain socket, for measurements of one answer."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass

_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """seconds: from the first byte sent to the last received, over a new connection."""

    status: int
    body: bytes
    seconds: float


def ask(port: int, method: str, path: str, body: bytes | None = None) -> Answer | None:
    """None where nobody listens yet."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    started = time.perf_counter()
    try:
        headers = {"content-type": "application/json"} if body is not None else {}
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return Answer(response.status, response.read(), time.perf_counter() - started)
    except (ConnectionError, http.client.RemoteDisconnected):
        return None
    finally:
        connection.close()
