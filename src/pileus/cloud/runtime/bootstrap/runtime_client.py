"""The runtime's side of the Runtime API, on a raw socket.

The response to one event and the wait for the next one go out in a single send, and the server answers both in a
single write: two context switches an invocation.
"""

from __future__ import annotations

import os
import socket

_PATH = "/2018-06-01/runtime/"
_ACCEPTED = (
    b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n'
)


class Invocation:
    """One event with its headers, by their names as AWS writes them."""

    __slots__ = ("headers", "payload", "request_id")

    def __init__(self, headers: dict[str, str], payload: bytes) -> None:
        self.headers = headers
        self.payload = payload
        self.request_id = headers["Lambda-Runtime-Aws-Request-Id"]


class RuntimeClient:
    """address: of the Runtime API. connection: one that is there already."""

    def __init__(self, address: str, connection: socket.socket) -> None:
        self._socket = connection
        self._buffer = b""
        self._pending: list[bytes] = []
        self._unanswered = 0
        self._next = (f"GET {_PATH}invocation/next HTTP/1.1\r\nHost: {address}\r\n\r\n").encode()
        self._host = f" HTTP/1.1\r\nHost: {address}\r\nContent-Length: "

    def next(self) -> Invocation:
        """Sends what is pending and waits for the next event; ends the process when the server is gone."""
        self._pending.append(self._next)
        self._send()
        while self._unanswered:
            self._unanswered -= 1
            self._read()
        headers, payload = self._read()
        return Invocation(headers, payload)

    def respond(self, request_id: str, body: bytes) -> None:
        self._post(f"invocation/{request_id}/response", body)

    def fail(self, request_id: str, body: bytes) -> None:
        self._post(f"invocation/{request_id}/error", body)

    def report_files(self, body: bytes) -> None:
        self._post("pileus/files", body)

    def fail_init(self, body: bytes) -> None:
        self._post("init/error", body)
        self._send()
        self._read()

    def _post(self, path: str, body: bytes) -> None:
        """Keeps the request until the next send; each costs one answer to be read."""
        self._pending.append(f"POST {_PATH}{path}{self._host}{len(body)}\r\n\r\n".encode())
        self._pending.append(body)
        self._unanswered += 1

    def _send(self) -> None:
        data = b"".join(self._pending)
        self._pending.clear()
        try:
            self._socket.sendall(data)
        except OSError:
            os._exit(0)

    def _more(self) -> None:
        try:
            data = self._socket.recv(262_144)
        except OSError:
            data = b""
        if not data:
            os._exit(0)
        self._buffer = self._buffer + data if self._buffer else data

    def _read(self) -> tuple[dict[str, str], bytes]:
        if self._buffer.startswith(_ACCEPTED):  # to the last byte what our own server says
            self._buffer = self._buffer[len(_ACCEPTED) :]
            return {}, b""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            self._more()
        lines = self._buffer[:end].decode("latin-1").split("\r\n")
        headers = dict([line.split(": ", 1) for line in lines[1:]])
        start, length = end + 4, int(headers.get("Content-Length", "0"))
        if len(self._buffer) < start + length:
            chunks = [self._buffer]
            missing = start + length - len(self._buffer)
            while missing > 0:  # joined once: a large event arrives in many pieces
                self._buffer = b""
                self._more()
                chunks.append(self._buffer)
                missing -= len(self._buffer)
            self._buffer = b"".join(chunks)
        body = self._buffer[start : start + length]
        self._buffer = self._buffer[start + length :]
        return headers, body
