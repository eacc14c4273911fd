"""An embedded cloud on a thread of its own, so that synchronous tests talk to it with boto3 over the wire."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, cast

import uvloop

from ..cloud.kernel import Cloud, Settings
from ..cloud.kernel.settings import ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY
from ..cloud.server import CloudServer

T = TypeVar("T")
_START_TIMEOUT = 30.0


class EmbeddedCloud:
    """`with EmbeddedCloud() as aws: aws.client("sqs").create_queue(QueueName="q")`.

    state: a folder, for state that outlives it; None keeps all in memory. port: 0 takes a free one.
    """

    def __init__(self, *, state: Path | None = None, port: int = 0, settings: Settings | None = None) -> None:
        self._settings = settings or Settings(state=state)
        self._port = port
        self._server: CloudServer | None = None
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="pileus-cloud", daemon=True)

    def start(self) -> EmbeddedCloud:
        self._thread.start()
        try:
            self.run(self._start(), timeout=_START_TIMEOUT)
        except BaseException:
            self._end_loop()
            raise
        return self

    def stop(self) -> None:
        if self._server is not None:
            self.run(self._server.stop(), timeout=_START_TIMEOUT)
            self._server = None
        self._end_loop()

    def __enter__(self) -> EmbeddedCloud:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def server(self) -> CloudServer:
        if self._server is None:
            raise RuntimeError("the embedded cloud is not running")
        return self._server

    @property
    def cloud(self) -> Cloud:
        return self.server.cloud

    @property
    def url(self) -> str:
        return self.server.url

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client for the cloud's endpoint, with the root's credentials unless `options` name others.

        Retries are off, so that a test sees the first answer.
        """
        import boto3
        from botocore.config import Config

        config = Config(retries={"max_attempts": 1, "mode": "standard"}, connect_timeout=5, read_timeout=60)
        if "config" in options:
            config = config.merge(options.pop("config"))
        session = boto3.session.Session(
            aws_access_key_id=options.pop("aws_access_key_id", ROOT_ACCESS_KEY_ID),
            aws_secret_access_key=options.pop("aws_secret_access_key", ROOT_SECRET_ACCESS_KEY),
            aws_session_token=options.pop("aws_session_token", None),
            region_name=options.pop("region_name", self._settings.region),
        )
        return session.client(service, endpoint_url=self.url, config=config, **options)

    def run(self, work: Coroutine[Any, Any, T], *, timeout: float = 60.0) -> T:
        """Runs a coroutine on the cloud's loop and waits for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def within(self, action: Callable[[Cloud], T]) -> T:
        """Runs `action(cloud)` on the cloud's loop: the only place from which its store may be touched."""

        async def step() -> T:
            return action(self.cloud)

        return self.run(step())

    def drain(self, timeout: float = 30.0) -> None:
        """Waits until no event is under way."""
        self.run(self.cloud.drain(timeout), timeout=timeout + 5)

    def travel(self, seconds: float) -> None:
        """Moves the clock and lets all that falls due happen."""
        self.run(self.cloud.travel(seconds))

    def outbox(self) -> list[dict[str, Any]]:
        """The mails that SES took, oldest first."""
        return self.within(
            lambda cloud: cast("list[dict[str, Any]]", cast("Any", cloud.service("ses")).outbox())
        )

    async def _start(self) -> None:
        self._server = CloudServer(self._settings, self._port)
        await self._server.start()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
