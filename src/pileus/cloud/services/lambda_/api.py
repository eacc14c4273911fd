"""AWS Lambda, all parts together. The folder's other files hold one resource each."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from pathlib import Path

from ...runtime import FunctionSpec
from .event_sources import EventSources
from .events import AsyncEvents
from .invoke_stream import StreamedInvoke
from .layer_permissions import LayerPermissions
from .names import FunctionName
from .permissions import Permissions
from .provisioned import Provisioned
from .url_plane import UrlPlane
from .versions import Versions


class Lambda(
    Versions,
    LayerPermissions,
    Permissions,
    AsyncEvents,
    EventSources,
    UrlPlane,
    StreamedInvoke,
    Provisioned,
):
    """The service, and the port `Functions` of the kernel."""

    def start(self) -> None:
        self.start_pollers()
        with contextlib.suppress(RuntimeError):
            loop = asyncio.get_running_loop()
            loop.call_soon(self.warm_all)
            loop.call_soon(self.provision_all)

    async def stop(self) -> None:
        await self.stop_pollers()
        if self._runtime is not None:
            await self._runtime.stop()
            self._runtime = None

    def is_busy(self) -> bool:
        return (
            self.pollers_busy()
            or self.provisioning()
            or (self._runtime is not None and self._runtime.is_busy)
        )

    def warm(self, spec: FunctionSpec) -> None:
        """Has the function's interpreter started and its third-party modules imported, ahead of the first event."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:  # no loop, no processes: a tool that only looks at the state
            return
        self.runtime.prepare(spec)

    def prestart(self, folder: Path, handlers: Iterable[str], runtime: str) -> None:
        """`warm` for code that is about to be mounted from `folder`: a command that knows its handlers calls this before
        it compiles and deploys them, so that both happen at once. runtime: as in `python3.11`."""
        settings = self.cloud.settings
        name = FunctionName(settings.account, settings.region, "prestart")
        code = folder.resolve()
        for handler in handlers:
            self.warm(
                FunctionSpec(
                    name.arn,
                    name.name,
                    "$LATEST",
                    *name.key[:2],
                    "prestart",
                    runtime,
                    handler,
                    code,
                    memory=1024,  # Serverless Framework's default: a spare process is of one size
                    reload=True,
                )
            )

    def warm_all(self) -> None:
        for row in self.store.all("SELECT account, region, name FROM lambda_version WHERE number=0"):
            self.warm(self.target(row["name"], row["account"], row["region"]).choose())
