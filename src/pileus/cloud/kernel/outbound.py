"""HTTP/1.1 out: what data planes send to addresses of the user's own (HTTP integrations, key sets).

One request, one connection: nothing is kept that an idle peer could close under the next request. Redirects are not
followed and nothing is retried, as API Gateway has it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

import httptools

_MAX_BODY = 32 * 1024 * 1024
_CHUNK = 64 * 1024
#: Headers about one connection: a client's say nothing about this one.
_OWN = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding"})


class Unreachable(Exception):
    """No answer: the name is unknown, nobody listens, the connection broke, or what came is no HTTP."""


class InvalidAddress(Exception):
    """The URL is no http or https address."""


@dataclass(slots=True)
class Reply:
    """headers: in order, names as they came. body: without transfer encoding; content encodings are left as they are."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


async def send(
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    timeout: float,
    *,
    verify: bool = True,
) -> Reply:
    """Sends one request and reads the whole answer.

    headers: host and those of the connection are set here, and left out where they are given. timeout: seconds for all
    of it. Raises InvalidAddress, Unreachable and TimeoutError.
    """
    host, port, secure, target, authority = _address(url)
    lines = [f"{method} {target} HTTP/1.1\r\nhost: {authority}\r\n"]
    lines += [f"{name}: {_clean(value)}\r\n" for name, value in headers if name.lower() not in _OWN]
    if body or method not in ("GET", "HEAD", "OPTIONS", "DELETE"):
        lines.append(f"content-length: {len(body)}\r\n")
    lines.append("connection: close\r\n\r\n")
    message = "".join(lines).encode("latin-1", "replace") + body
    async with asyncio.timeout(timeout):
        try:
            context = _context(verify) if secure else None
            reader, writer = await asyncio.open_connection(host, port, ssl=context)
        except (OSError, UnicodeError, ssl.SSLError) as error:
            raise Unreachable(str(error)) from None
        try:
            writer.write(message)
            return await _read(reader, method)
        except (OSError, httptools.HttpParserError) as error:
            raise Unreachable(str(error)) from None
        finally:
            writer.close()


def _address(url: str) -> tuple[str, int, bool, str, str]:
    """Host, port, whether TLS, target and authority of a URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidAddress(str(error)) from None
    host = parts.hostname
    if parts.scheme not in ("http", "https") or not host:
        raise InvalidAddress(url)
    secure = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if any(char <= " " or char == "\x7f" for char in target + host):
        raise InvalidAddress(url)
    return host, port or (443 if secure else 80), secure, target, parts.netloc.rpartition("@")[2]


def _clean(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ")


@lru_cache(2)  # reading the machine's certificates costs milliseconds
def _context(verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class _Parsing:
    """What httptools calls while it reads an answer."""

    def __init__(self) -> None:
        self.reply = Reply()
        self.chunks: list[bytes] = []
        self.size = 0
        self.headed = False
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.reply.headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        self.headed = True

    def on_body(self, data: bytes) -> None:
        self.chunks.append(data)
        self.size += len(data)

    def on_message_complete(self) -> None:
        self.complete = True


async def _read(reader: asyncio.StreamReader, method: str) -> Reply:
    """The final answer: interim ones (1xx) are passed over."""
    parsing = _Parsing()
    parser = httptools.HttpResponseParser(parsing)
    while data := await reader.read(_CHUNK):
        parser.feed_data(data)
        if parsing.headed and parser.get_status_code() < 200:
            parsing = _Parsing()
            rest = data.partition(b"\r\n\r\n")[2]
            parser = httptools.HttpResponseParser(parsing)
            if rest:
                parser.feed_data(rest)
        if parsing.complete or (parsing.headed and method == "HEAD"):
            break
        if parsing.size > _MAX_BODY:
            raise Unreachable("the answer is too large")
    if not parsing.headed:
        raise Unreachable("the connection was closed without an answer")
    if not (parsing.complete or method == "HEAD" or _ends_with_connection(parsing.reply)):
        raise Unreachable("the connection was closed in the middle of the answer")
    reply = parsing.reply
    reply.status = parser.get_status_code()
    reply.body = b"".join(parsing.chunks)
    return reply


def _ends_with_connection(reply: Reply) -> bool:
    return not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in reply.headers)
