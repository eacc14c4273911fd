"""The X-Ray daemon's side of UDP: datagrams of a JSON header line and a segment document, as every SDK sends them.

Source: "Sending trace data to X-Ray", the section on segments and the daemon.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from typing import Any

import orjson

log = logging.getLogger("pileus.xray")

_HEADER = b'{"format"'
_LARGEST = 65_535


class Daemon:
    """take: called with each segment document that arrives."""

    def __init__(self, host: str, take: Callable[[dict[str, Any]], None]) -> None:
        self._take = take
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._readable)

    @property
    def address(self) -> str:
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def close(self) -> None:
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _readable(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                self._datagram(self._socket.recv(_LARGEST))

    def _datagram(self, data: bytes) -> None:
        header, _, body = data.partition(b"\n")
        if not header.startswith(_HEADER):
            log.warning("a datagram without the X-Ray header was dropped")
            return
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            log.warning("a datagram with malformed JSON was dropped")
            return
        if isinstance(document, dict):
            self._take(document)
