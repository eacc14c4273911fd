"""Requests, prepared before the load: what boto3 would send, signed, caught on its way out and written as raw HTTP.

A signature is valid for 15 minutes, so a case prepares its requests just before it is measured. All contestants get the
same requests; only the host, which is part of the signature, differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

#: wrk cannot answer `100 Continue`; the signature does not cover the header.
_LEFT_OUT = frozenset({"expect", "connection"})


class _Caught(Exception):
    """Carries a request out of boto3 before it is sent."""

    def __init__(self, request: Any) -> None:
        super().__init__("caught")
        self.request = request


def client(service: str, url: str) -> Any:
    """A boto3 client for one contestant, without retries."""
    config = Config(
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=5,
        read_timeout=30,
        s3={"addressing_style": "path"},
    )
    session = boto3.session.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1"
    )
    return session.client(service, endpoint_url=url, config=config)


def capture(service: str, url: str, make: Callable[[Any, int], Any], count: int) -> list[bytes]:
    """The requests that `make(client, i)` would send, for i in 0..count-1."""
    catching = client(service, url)

    def catch(request: Any, **_: Any) -> None:
        raise _Caught(request)

    catching.meta.events.register_first("before-send", catch)
    found = []
    for number in range(count):
        try:
            make(catching, number)
        except _Caught as caught:
            found.append(raw(caught.request))
    if len(found) != count:
        raise ValueError(f"{count - len(found)} of {count} calls sent no request")
    return found


def raw(request: Any) -> bytes:
    """A prepared botocore request as the bytes of HTTP/1.1."""
    parts = urlsplit(request.url)
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    body = _body(request.body)
    headers = {"Host": parts.netloc}
    for name, value in request.headers.items():
        if name.lower() not in _LEFT_OUT:
            headers[name] = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    if body or request.method in ("POST", "PUT"):
        headers["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{request.method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


def _body(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    return bytes(body.read())


def get(url: str) -> bytes:
    """A plain GET."""
    parts = urlsplit(url)
    return f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode("latin-1")


def write(path: Path, requests: Iterable[bytes]) -> Path:
    """The file that replay.lua reads."""
    with path.open("wb") as file:
        for request in requests:
            file.write(len(request).to_bytes(4, "big") + request)
    return path
