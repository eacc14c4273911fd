"""Requests as no client would write them: bytes on a socket, signed by hand where they must get through the gate."""

from __future__ import annotations

import hashlib
import hmac
import socket
import time
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from pileus.testing import EmbeddedCloud


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def exchange(cloud: EmbeddedCloud, request: bytes, *, end: bool = False, port: int = 0) -> Answer | None:
    """Sends the bytes and reads one answer; None where the server closes without one. end: nothing follows."""
    with socket.create_connection(
        ("127.0.0.1", port or cloud.server._listener.port), timeout=20
    ) as connection:
        try:
            connection.sendall(request)
            if end:
                connection.shutdown(socket.SHUT_WR)
            return _read(connection)
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            return None  # closed while we were still sending


def _read(connection: socket.socket) -> Answer | None:
    file = connection.makefile("rb")
    first = file.readline()
    if not first:
        return None
    headers: dict[str, str] = {}
    while (line := file.readline().strip()) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    body = b""
    if first.split()[1] in (b"204", b"304"):
        pass
    elif headers.get("transfer-encoding") == "chunked":
        while size := int(file.readline(), 16):
            body += file.read(size)
            file.readline()
    elif "content-length" in headers:
        body = file.read(int(headers["content-length"]))
    else:
        body = file.read()
    return Answer(int(first.split()[1]), headers, body)


@dataclass(frozen=True)
class Request:
    """path: percent-encoded as it goes out. service: of the signature."""

    service: str
    method: str = "POST"
    path: str = "/"
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def signed(
        self, *, at: float | None = None, region: str = "us-east-1", secret: str = "test", key: str = "test"
    ) -> bytes:
        """The request as bytes, with a signature that holds (unless a keyword says otherwise)."""
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() if at is None else at))
        digest = hashlib.sha256(self.body).hexdigest()
        headers = {
            "host": "127.0.0.1",
            "x-amz-date": date,
            "x-amz-content-sha256": digest,
            **dict(self.headers),
        }
        names = ";".join(sorted(headers))
        lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in sorted(headers))
        path = quote(unquote_to_bytes(self.path) if self.service == "s3" else self.path, safe="/-_.~")
        canonical = f"{self.method}\n{path}\n{_query(self.query)}\n{lines}\n{names}\n{headers['x-amz-content-sha256']}"
        scope = f"{date[:8]}/{region}/{self.service}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode('latin-1')).hexdigest()}"
        signing = f"AWS4{secret}".encode()
        for part in scope.split("/"):
            signing = hmac.digest(signing, part.encode(), "sha256")
        signature = hmac.digest(signing, text.encode(), "sha256").hex()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
        return self.bytes(headers)

    def bytes(self, headers: dict[str, str] | None = None) -> bytes:
        headers = {"host": "127.0.0.1", **dict(self.headers)} if headers is None else headers
        headers.setdefault("content-length", str(len(self.body)))
        target = f"{self.path}?{self.query}" if self.query else self.path
        head = f"{self.method} {target} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        return head.encode("latin-1") + b"\r\n" + self.body


def _query(query: str) -> str:
    pairs = [part.partition("=")[::2] for part in query.split("&") if part]
    encoded = sorted(tuple(quote(unquote_to_bytes(text), safe="-_.~") for text in pair) for pair in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def json_call(
    service: str, target: str, body: bytes, *headers: tuple[str, str], version: str = "1.0"
) -> Request:
    return Request(
        service,
        headers=(("x-amz-target", target), ("content-type", f"application/x-amz-json-{version}"), *headers),
        body=body,
    )


def query_call(service: str, body: bytes) -> Request:
    return Request(service, headers=(("content-type", "application/x-www-form-urlencoded"),), body=body)
