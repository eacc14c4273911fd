"""A runtime with real processes, and functions written into a folder."""

from __future__ import annotations

import asyncio
import itertools
import os
import textwrap
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from pileus.cloud.interpreters import Started
from pileus.cloud.runtime import Event, FunctionSpec, Outcome, Runtime, RuntimeHooks
from pileus.cloud.runtime.variables import SessionKeys

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:f"


class Lab:
    """files: written below `root`. lines: all that was logged."""

    def __init__(self, root: Path) -> None:
        self.root = root / "code"
        self.root.mkdir()
        self.lines: list[str] = []
        self.notes: list[str] = []
        self.keys = SessionKeys("AKID", "SECRET", "TOKEN")
        self.started: Started | None = None
        self._ids = itertools.count(1)
        self._scratch = root / "scratch"
        self._runtime: Runtime | None = None

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(textwrap.dedent(text))

    def spec(self, handler: str, **settings: Any) -> FunctionSpec:
        settings = {"timeout": 10.0, "log_group": "/aws/lambda/f", **settings}
        return FunctionSpec(
            arn=ARN,
            name="f",
            version="$LATEST",
            account="123456789012",
            region="eu-west-1",
            revision=f"{handler}{sorted(settings.items())}",
            runtime="python3.11",
            handler=handler,
            code=self.root,
            **settings,
        )

    @property
    def runtime(self) -> Runtime:
        if self._runtime is None:
            self._runtime = Runtime(
                RuntimeHooks(
                    clock=time.time,
                    endpoint=lambda: "http://127.0.0.1:4566",
                    xray=lambda: "127.0.0.1:2000",
                    credentials=lambda spec: self.keys,
                    suffix=lambda: os.urandom(16).hex(),
                    note=self.notes.append,
                    scratch=self._scratch,
                    started=self.started,
                )
            )
            self._runtime.observers.append(lambda spec, stream, lines: self.lines.extend(t for _, t in lines))
        return self._runtime

    async def invoke(self, handler: str, payload: bytes = b"{}", **settings: Any) -> Outcome:
        return await self.submit(handler, payload, **settings)

    def submit(self, handler: str, payload: bytes = b"{}", **settings: Any) -> asyncio.Future[Outcome]:
        request_id = f"00000000-0000-4000-8000-{next(self._ids):012}"
        event = Event(
            request_id, payload, ARN, "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1", tail=True
        )
        return self.runtime.submit(self.spec(handler, **settings), event)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        async def all_of_it() -> Any:
            try:
                async with asyncio.timeout(30):
                    return await work
            finally:
                await self.runtime.stop()
                self._runtime = None

        return asyncio.run(all_of_it())


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


Submit = Callable[..., asyncio.Future[Outcome]]
