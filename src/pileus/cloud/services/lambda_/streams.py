"""Responses that are sent on while the function still writes them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable


class Chunks(AsyncIterator[bytes]):
    """The chunks of a response; `ended` is called once, however they end: a generator that was never begun would not
    say that it was closed, and its environment would count as busy for ever."""

    def __init__(self, chunks: AsyncIterator[bytes], ended: Callable[[], None]) -> None:
        self._chunks = chunks
        self._ended: Callable[[], None] | None = ended

    async def __anext__(self) -> bytes:
        try:
            return await self._chunks.__anext__()
        except BaseException:
            self._end()
            raise

    async def aclose(self) -> None:
        try:
            close = getattr(self._chunks, "aclose", None)
            if close is not None:
                await close()
        finally:
            self._end()

    def _end(self) -> None:
        ended, self._ended = self._ended, None
        if ended is not None:
            ended()
