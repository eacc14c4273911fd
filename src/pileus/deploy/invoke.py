"""One call of a deployed function, through the Lambda API of a cloud: AWS, or an embedded one."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ..cloud.kernel.settings import ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY
from . import running

_CONNECT_SECONDS = 10
#: A function runs for 15 minutes at most.
_LONGEST = 910


@dataclass(frozen=True, slots=True)
class Place:
    """Where functions are called. endpoint: None for AWS itself. offline: the stage of the `pileus offline` that was
    found there by itself."""

    endpoint: str | None = None
    offline: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """payload: what the function returned, or its error document. error: whether it is one. log: the last 4 KB of its
    log, where asked for."""

    status: int
    payload: bytes
    error: bool = False
    log: str = ""


def place(folder: Path, stage: str | None, *, profile: str | None = None) -> Place:
    """In this order: AWS_ENDPOINT_URL(_LAMBDA); the `pileus offline` that runs in `folder`; AWS.

    stage: the one that was asked for by name; another one's offline is not meant. profile: so is AWS, by a profile.
    """
    named = os.environ.get("AWS_ENDPOINT_URL_LAMBDA") or os.environ.get("AWS_ENDPOINT_URL")
    if named:
        return Place(named)
    found = None if profile else running.find(folder / ".pileus")
    if found is None or stage not in (None, found.stage):
        return Place()
    return Place(found.endpoint, found.stage)


def client(service: str, where: Place, region: str, profile: str | None = None) -> Any:
    """botocore's client there. Raises botocore's errors."""
    import botocore.session
    from botocore.config import Config

    session = botocore.session.Session(profile=profile)
    if where.offline:
        session.set_credentials(ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY)
    config = Config(
        read_timeout=_LONGEST, connect_timeout=_CONNECT_SECONDS, retries={"total_max_attempts": 1}
    )
    return session.create_client(service, region_name=region, endpoint_url=where.endpoint, config=config)


def invoke(
    client: Any,
    function: str,
    event: Any,
    *,
    kind: str = "RequestResponse",
    qualifier: str | None = None,
    log: bool = False,
    context: Any = None,
) -> Answer:
    """function: its name or ARN. context: what it sees as its client context. Raises botocore's errors."""
    request: dict[str, Any] = {
        "FunctionName": function,
        "InvocationType": kind,
        "LogType": "Tail" if log else "None",
        "Payload": orjson.dumps(event),
    }
    if qualifier:
        request["Qualifier"] = qualifier
    if context is not None:
        request["ClientContext"] = client_context(context)
    answer = client.invoke(**request)
    tail = base64.b64decode(answer.get("LogResult") or "").decode("utf-8", "replace")
    return Answer(answer["StatusCode"], answer["Payload"].read(), "FunctionError" in answer, tail)


def client_context(context: Any) -> str:
    return base64.b64encode(orjson.dumps(context)).decode()
