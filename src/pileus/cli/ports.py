"""The ports of `pileus offline` beside the AWS endpoint: the ones that users of serverless-offline know."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..cloud.server import PortInUse, bind
from .failure import UserError
from .serving import listening

#: Name → (option, default). `port` is the AWS endpoint itself.
PORTS = {
    "port": ("--port", 4566),
    "http_port": ("--http-port", 3000),
    "websocket_port": ("--websocket-port", 3001),
    "lambda_port": ("--lambda-port", 3002),
    "alb_port": ("--alb-port", 3003),
}


@dataclass(slots=True)
class Ports:
    """wanted: by name. given: those that the user named; of the others, one that is taken is told, and done without.

    Where --http-port asks for a free port, those that the user did not name are free ones, too: two services that run
    side by side don't meet.
    """

    host: str
    wanted: Mapping[str, int]
    given: frozenset[str]
    note: Callable[[str], None]
    _open: list[socket.socket] = field(default_factory=list)

    def check(self) -> None:
        """Raises UserError where two that the user named are the same."""
        seen: dict[int, str] = {}
        for name, (option, _) in PORTS.items():
            port = self.wanted[name]
            other = seen.setdefault(port, option) if port else option
            if other != option and (name in self.given or name in ("port", "http_port")):
                raise UserError(f"{option} and {other} are both {port}.", hint="give each its own.")

    def take(self, name: str) -> socket.socket:
        """A listening socket. Raises UserError."""
        option, port = PORTS[name][0], self.wanted[name]
        with listening(option, self.host, port):
            taken = bind(self.host, port)
        self._open.append(taken)
        return taken

    def take_beside(self, name: str, instead: str) -> socket.socket | None:
        """The same for a port that only this kind of client needs. instead: what there is without it."""
        option = PORTS[name][0]
        if name in self.given:
            return self.take(name)
        port = 0 if self.wanted["http_port"] == 0 else self.wanted[name]
        try:
            taken = bind(self.host, port)
        except PortInUse:
            self.note(f"port {port} is in use: {instead}; {option} takes another one")
            return None
        self._open.append(taken)
        return taken

    def close(self) -> None:
        for each in self._open:
            each.close()
