"""The access log of a stage: one line an event, in the format that the stage gives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from pileus.cloud.kernel import Cloud

    from .stage import SocketStage

_NAME = r"context(?:\.[A-Za-z0-9_-]+)+"
_VARIABLE = re.compile(rf"\$(?:({_NAME})|\{{({_NAME})\}})")


def write_line(cloud: Cloud, stage: SocketStage, context: Mapping[str, Any], status: int) -> None:
    if stage.access_log is None:
        return
    group, template = stage.access_log
    known = {**context, "status": str(status)}

    def filled(found: re.Match[str]) -> str:
        value: Any = known
        for part in (found[1] or found[2]).split(".")[1:]:
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is None:
            return "-"
        return value if isinstance(value, str) else orjson.dumps(value).decode()

    line = _VARIABLE.sub(filled, template)
    name = f"{stage.api_id}/{stage.name}"
    cloud.logs.append(stage.account, stage.region, group, name, [(int(cloud.clock.now() * 1000), line)])
