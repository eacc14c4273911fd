"""A response that its function still writes: what the Runtime API takes in, for somebody to iterate over."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from types import TracebackType
from typing import Any

from ..kernel import StreamFailed

#: Above this much that nobody has taken yet, the function has to wait.
_HIGH, _LOW = 1_048_576, 262_144

OnPause = Callable[[bool], None]


class ResponseStream(AsyncGenerator[bytes, None]):
    """pause(True): the runtime is to stop sending; pause(False): to go on."""

    def __init__(self, pause: OnPause) -> None:
        self._pause = pause
        self._chunks: deque[bytes] = deque()
        self._held = 0
        self._paused = False
        self._ended = False
        self._left = False
        self._error: StreamFailed | None = None
        self._more: asyncio.Future[None] | None = None

    # -- the function's side --------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        if self._left:
            return  # the client went away; the function goes on all the same
        self._chunks.append(data)
        self._held += len(data)
        if self._held > _HIGH and not self._paused:
            self._paused = True
            self._pause(True)
        self._wake()

    def end(self, error: StreamFailed | None = None) -> None:
        self._ended, self._error = True, error
        self._wake()

    def _wake(self) -> None:
        if self._more is not None and not self._more.done():
            self._more.set_result(None)

    # -- the client's side ----------------------------------------------------------------------------------------

    async def __anext__(self) -> bytes:
        while not self._chunks:
            if self._ended or self._left:
                error, self._error = self._error, None
                raise error or StopAsyncIteration
            self._more = asyncio.get_running_loop().create_future()
            await self._more
        found = b"".join(self._chunks) if len(self._chunks) > 1 else self._chunks[0]
        self._chunks.clear()
        self._taken(len(found))
        return found

    def _taken(self, count: int) -> None:
        self._held -= count
        if self._paused and self._held < _LOW:
            self._paused = False
            self._pause(False)

    async def aclose(self) -> None:
        self._left = True
        self._chunks.clear()
        self._taken(self._held)

    async def asend(self, value: None) -> bytes:
        return await self.__anext__()

    async def athrow(
        self,
        typ: Any,
        val: BaseException | object = None,
        tb: TracebackType | None = None,
    ) -> bytes:
        await self.aclose()
        raise typ


class Collected:
    """A streamed response that somebody wants in one piece."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._chunks: list[bytes] = []
        self._size = 0

    @property
    def too_large(self) -> bool:
        return self._size > self._most

    def feed(self, data: bytes) -> None:
        self._size += len(data)
        if self.too_large:
            self._chunks.clear()
        else:
            self._chunks.append(data)

    def payload(self) -> bytes:
        return b"".join(self._chunks)
