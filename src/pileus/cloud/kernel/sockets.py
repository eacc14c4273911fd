"""A WebSocket as the gateway hands it to a data plane: the gateway speaks frames, the data plane speaks messages.

The data plane answers an upgrade with an `HttpResponse` of status 101 whose `upgrade` is a `SocketListener`.
"""

from __future__ import annotations

from typing import Protocol


class Socket(Protocol):
    """An open connection to one client. Nothing here waits, and nothing raises once the client has gone."""

    @property
    def unsent(self) -> int:
        """Bytes that wait for the client to read."""
        ...

    def send(self, message: str | bytes) -> None:
        """Sends one message, text or binary, in as many frames as it takes."""
        ...

    def close(self, code: int, reason: str = "") -> None:
        """Begins to close; the listener's `closed` is called with the same code and reason."""
        ...


class SocketListener(Protocol):
    """What a data plane gives for one connection."""

    def opened(self, socket: Socket) -> None:
        """The answer to the handshake is on its way; what is sent from now on follows it."""
        ...

    def touched(self) -> None:
        """A frame came, of whatever kind."""
        ...

    async def received(self, message: str | bytes) -> None:
        """A whole message came. Several of one client may be under way at the same time."""
        ...

    async def closed(self, code: int, reason: str) -> None:
        """The connection ended, for whatever reason; called once.

        code: of RFC 6455; 1005 where the client gave none, 1006 where it went without a word.
        """
        ...
