"""A request's body that is still coming: chunks as they arrive, with the sender held back while nobody reads."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

_HIGH, _LOW = 256 * 1024, 64 * 1024


class Body:
    """An async iterator over the chunks. Raises ConnectionResetError where the client goes away before the end.

    hold, release: stop and go on reading from the connection. invite: tells a client that waits for
    `100 Continue` to send; called with the first read.
    """

    def __init__(
        self,
        chunks: list[bytes],
        hold: Callable[[], None],
        release: Callable[[], None],
        invite: Callable[[], None] | None,
    ) -> None:
        self._chunks = deque(chunks)
        self._buffered = sum(map(len, chunks))
        self._hold, self._release = hold, release
        self._invite = invite
        self._held = False
        self._discarding = False
        self._lost = False
        self._reader: asyncio.Future[None] | None = None
        self.ended = False

    @property
    def is_uninvited(self) -> bool:
        """Whether the client still waits for `100 Continue`."""
        return self._invite is not None

    def feed(self, data: bytes) -> None:
        if self._discarding:
            return
        self._chunks.append(data)
        self._buffered += len(data)
        if self._buffered > _HIGH and not self._held:
            self._held = True
            self._hold()
        self._wake()

    def end(self) -> None:
        self.ended = True
        self._wake()

    def lose(self) -> None:
        """The connection is gone."""
        self._lost = True
        self._wake()

    def discard(self) -> None:
        """Nobody will read on: what still comes is dropped."""
        self._discarding = True
        self._chunks.clear()
        self._go_on()

    def __aiter__(self) -> Body:
        return self

    async def __anext__(self) -> bytes:
        if self._invite is not None:
            invite, self._invite = self._invite, None
            invite()
        while not self._chunks:
            if self.ended:
                raise StopAsyncIteration
            if self._lost:
                raise ConnectionResetError("the client went away in the middle of its request")
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        chunk = self._chunks.popleft()
        self._buffered -= len(chunk)
        if self._buffered < _LOW:
            self._go_on()
        return chunk

    async def aclose(self) -> Any:
        self.discard()

    def _go_on(self) -> None:
        if self._held:
            self._held = False
            self._release()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
