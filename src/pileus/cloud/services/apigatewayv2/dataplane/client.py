"""HTTP to the outside: issuers' key sets, and the endpoints of HTTP_PROXY integrations. Blocking calls on threads."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import urllib3

_MOST_AT_ONCE = 64
_SECONDS_TO_CONNECT = 10.0


class Unreachable(Exception):
    """No answer: no connection, no valid HTTP, or not in time."""


class Answer(NamedTuple):
    """headers: in order, repeated names as they came."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Client:
    """Connections are pooled by host. It follows no redirects, retries nothing and checks certificates."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None
        self._pool: urllib3.PoolManager | None = None

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        seconds: float = 30.0,
    ) -> Answer:
        """Raises Unreachable."""
        if self._threads is None:
            import urllib3  # late: most services ask nobody

            self._threads = ThreadPoolExecutor(_MOST_AT_ONCE, "apigatewayv2")
            self._pool = urllib3.PoolManager(maxsize=_MOST_AT_ONCE, retries=False)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, self._ask, method, url, dict(headers or {}), body, seconds
        )

    def _ask(self, method: str, url: str, headers: dict[str, str], body: bytes, seconds: float) -> Answer:
        import urllib3

        assert self._pool is not None
        timeout = urllib3.Timeout(connect=min(_SECONDS_TO_CONNECT, seconds), read=seconds)
        try:
            answer = self._pool.request(
                method, url, headers=headers, body=body or None, timeout=timeout, redirect=False,
                decode_content=False,
            )  # fmt: skip
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise Unreachable(str(error)) from None
        return Answer(answer.status, list(answer.headers.iteritems()), answer.data)

    def close(self) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
        if self._pool is not None:
            self._pool.clear()
