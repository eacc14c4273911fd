"""A stage as it is served: the compiled API with the stage's own settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pileus.cloud.kernel import HttpRequest, HttpResponse

from .compiled import CompiledApi, Method
from .services import Credentials

_FUNCTION = re.compile(r":lambda:path/\d{4}-\d\d-\d\d/functions/(.+)/(?:response-streaming-)?invocations$")
_STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.(\w+)\}")


class ServedStage:
    def __init__(self, api: CompiledApi, stage: Mapping[str, Any], credentials: Credentials) -> None:
        self.credentials = credentials
        self.api = api
        self.api_id = api.api_id
        self.account = api.account
        self.region = api.region
        self.name: str = stage["stageName"]
        self.deployment_id: str = stage["deploymentId"]
        self.variables: dict[str, str] = stage.get("variables") or {}
        self.tracing: bool = stage["tracingEnabled"]
        self.arn = f"arn:aws:execute-api:{self.region}:{self.account}:{self.api_id}/{self.name}"
        self.place = (self.account, self.region)
        log = stage.get("accessLogSettings") or {}
        self.access_log = (
            (_log_group(log["destinationArn"]), log["format"])
            if log.get("destinationArn") and log.get("format")
            else None
        )
        self._settings: Mapping[str, Mapping[str, Any]] = stage.get("methodSettings") or {}
        self._functions: dict[str, str] = {}
        self._throttles: dict[tuple[str, str], tuple[float, float] | None] = {}
        self._all_binary = "*/*" in api.binary_types

    def filled(self, uri: str) -> str:
        """An integration's URI with stage variables filled in."""
        return _STAGE_VARIABLE.sub(lambda m: self.variables.get(m[1], ""), uri) if "${" in uri else uri

    def function(self, uri: str) -> str:
        """The function's ARN in an integration URI, stage variables filled in."""
        found = self._functions.get(uri)
        if found is None:
            filled = self.filled(uri)
            match = _FUNCTION.search(filled)
            found = self._functions[uri] = match[1] if match else filled
        return found

    def source_arn(self, method: Method, verb: str) -> str:
        """On whose behalf a function is called, as resource policies of functions name it."""
        return f"{self.arn}/{method.verb if method.verb != 'ANY' else verb}{method.resource_path}"

    def throttle(self, method: Method, verb: str) -> tuple[float, float] | None:
        """(rate, burst) of the method's or the stage's settings; None where there is no limit of its own."""
        if not self._settings:
            return None
        name = (method.resource_path, verb)
        if name not in self._throttles:
            self._throttles[name] = self._limits(method.resource_path, verb)
        return self._throttles[name]

    def _limits(self, path: str, verb: str) -> tuple[float, float] | None:
        escaped = path.replace("~", "~0").replace("/", "~1")
        for key in (f"{escaped}/{verb}", f"{path.strip('/')}/{verb}", f"{escaped}/*", "*/*"):
            setting = self._settings.get(key)
            if setting is not None:
                rate, burst = setting["throttlingRateLimit"], setting["throttlingBurstLimit"]
                return None if rate < 0 or burst < 0 else (float(rate), float(burst))
        return None

    def is_binary(self, content_type: str) -> bool:
        types = self.api.binary_types
        if not types:
            return False
        return self._all_binary or _media_type(content_type) in types

    def accepts_binary(self, request: HttpRequest) -> bool:
        """Whether the first media type that the client accepts is a binary one."""
        return self.is_binary(request.headers.get("accept", "").partition(",")[0])

    def wants_binary(self, request: HttpRequest, response: HttpResponse) -> bool:
        """Whether a base64 body is decoded: the first media type that the client accepts decides."""
        if not self.api.binary_types:
            return False
        accept = request.headers.get("accept")
        if accept is None:
            return self.is_binary(response.headers.get("Content-Type", ""))
        return self.is_binary(accept.partition(",")[0])


@lru_cache(256)
def _media_type(text: str) -> str:
    return text.partition(";")[0].strip().lower()


def _log_group(arn: str) -> str:
    """`arn:aws:logs:region:account:log-group:NAME` → NAME."""
    return arn.partition(":log-group:")[2].removesuffix(":*")
