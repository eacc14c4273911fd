"""An HTTP request and response, as the gateway, the protocols and the data planes hand them around."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from .sockets import SocketListener

_BEYOND_ASCII = re.compile(r"%[89A-Fa-f]")


@dataclass(slots=True)
class HttpRequest:
    """One request, head parsed and body read (unless the operation streams it).

    method: upper case. path: percent-encoded as it came, without the query. query: the raw query string.
    headers: lower-case names; repeated ones joined with `,`. body: whole body; empty while `stream` is set.
    stream: the chunks of a body that has not been read (S3 uploads). client: the peer's address.
    scheme, host: of the URL that the client used (`host` with its port). repeated: the single values of headers that
    came more than once; None where none did. spelling: names of headers as the client wrote them, where that is not in
    lower case; None of requests that came over no connection.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""
    stream: AsyncIterator[bytes] | None = None
    client: str = "127.0.0.1"
    scheme: str = "http"
    repeated: dict[str, list[str]] | None = None
    spelling: dict[str, str] | None = None
    _params: dict[str, list[str]] | None = None

    @property
    def host(self) -> str:
        return self.headers.get("host", "")

    @property
    def base_url(self) -> str:
        """`scheme://host[:port]` as the client addressed us; what QueueUrls and the like begin with."""
        return f"{self.scheme}://{self.host}"

    @property
    def params(self) -> dict[str, list[str]]:
        """The query's parameters, decoded, in order; `?a` alone gives `{"a": [""]}`."""
        if self._params is None:
            self._params = _parsed(self.query, "surrogateescape")
        return self._params

    def replace_undecodable(self) -> None:
        """Lets U+FFFD stand in `params` for what is no UTF-8, so that they can be written anywhere."""
        if self._params is None and _BEYOND_ASCII.search(self.query):
            self._params = _parsed(self.query, "replace")

    def param(self, name: str) -> str | None:
        values = self.params.get(name)
        return values[0] if values else None


def _parsed(query: str, errors: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if query:
        for name, value in parse_qsl(query, keep_blank_values=True, errors=errors):
            found.setdefault(name, []).append(value)
    return found


@dataclass(slots=True)
class HttpResponse:
    """One response. `stream`, where set, is sent after `body`; give a content-length header when it is known.

    upgrade: what takes the connection over as a WebSocket, of a 101 to a handshake.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    stream: AsyncIterator[bytes] | Iterable[bytes] | None = None
    extra_headers: list[tuple[str, str]] = field(default_factory=list)  # repeated names (Set-Cookie)
    upgrade: SocketListener | None = None
