"""A stage as it is served: routes compiled once, with the stage's own settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..documents import Served
from .authorizer import LambdaAuthorizer
from .cors import Cors
from .integrations import Integration, compile_integration
from .jwt import JwtAuthorizer
from .routing import Router

_FUNCTION = re.compile(r":lambda:path/\d{4}-\d\d-\d\d/functions/(.+)/invocations$")
_STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.(\w+)\}")
#: What an account may do at most, where a route's settings give one of the two limits only.
_ACCOUNT_RATE, _ACCOUNT_BURST = 10_000.0, 5_000.0


class Bucket:
    """Tokens of one route: `rate` a second, `burst` at most."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._level, self._since = burst, 0.0

    def take(self, now: float) -> bool:
        self._level = min(self._burst, self._level + max(now - self._since, 0.0) * self._rate)
        self._since = now
        if self._level < 1:
            return False
        self._level -= 1
        return True


@dataclass(frozen=True, slots=True)
class Route:
    """kind: NONE, JWT, CUSTOM or AWS_IAM. path: with its variables; `$default` for that route."""

    key: str
    method: str
    path: str
    kind: str
    authorizer: JwtAuthorizer | LambdaAuthorizer | None
    scopes: tuple[str, ...]
    integration: Integration | None
    bucket: Bucket | None

    def source_arn(self, stage_arn: str, method: str) -> str:
        """On whose behalf a function is called, as resource policies of functions name it."""
        if self.key == "$default":
            return f"{stage_arn}/$default"
        return f"{stage_arn}/{method if self.method == 'ANY' else self.method}{self.path}"


class ServedStage:
    def __init__(self, served: Served) -> None:
        api, stage = served.snapshot["Api"], served.stage
        self.api_id: str = api["ApiId"]
        self.account, self.region = served.account, served.region
        self.name: str = stage["StageName"]
        self.prefix = "" if self.name == "$default" else f"/{self.name}"
        self.disabled: bool = api["DisableExecuteApiEndpoint"]
        self.variables: dict[str, str] = stage["StageVariables"]
        self.arn = f"arn:aws:execute-api:{self.region}:{self.account}:{self.api_id}/{self.name}"
        log = stage.get("AccessLogSettings") or {}
        self.access_log = (
            (log["DestinationArn"].partition(":log-group:")[2].removesuffix(":*"), log["Format"])
            if log.get("DestinationArn") and log.get("Format")
            else None
        )
        cors = api.get("CorsConfiguration")
        self.cors = Cors(cors) if cors else None
        self.router: Router[Route] = Router()
        self._functions: dict[str, str] = {}
        parts = _Parts(served.snapshot, stage)
        for document in served.snapshot["Routes"]:
            self.router.add(document["RouteKey"], parts.route(document))

    def filled(self, text: str) -> str:
        return _STAGE_VARIABLE.sub(lambda found: self.variables.get(found[1], ""), text)

    def function(self, uri: str) -> str:
        """The function's ARN in an integration's or authorizer's URI, stage variables filled in."""
        found = self._functions.get(uri)
        if found is None:
            text = self.filled(uri)
            match = _FUNCTION.search(text)
            found = self._functions[uri] = match[1] if match else text
        return found


class _Parts:
    """What routes refer to, each compiled once."""

    def __init__(self, snapshot: Mapping[str, Any], stage: Mapping[str, Any]) -> None:
        self._default = stage["DefaultRouteSettings"]
        self._settings = stage["RouteSettings"]
        self._integrations = {
            document["IntegrationId"]: compile_integration(document) for document in snapshot["Integrations"]
        }
        self._authorizers = {
            document["AuthorizerId"]: JwtAuthorizer.compiled(document)
            if document["AuthorizerType"] == "JWT"
            else LambdaAuthorizer.compiled(document)
            for document in snapshot["Authorizers"]
        }

    def route(self, document: Mapping[str, Any]) -> Route:
        key = document["RouteKey"]
        method, _, path = key.partition(" ")
        return Route(
            key,
            method,
            path or key,
            document["AuthorizationType"],
            self._authorizers.get(document.get("AuthorizerId", "")),
            tuple(document.get("AuthorizationScopes") or ()),
            self._integrations.get((document.get("Target") or "").removeprefix("integrations/")),
            self._bucket(key),
        )

    def _bucket(self, key: str) -> Bucket | None:
        settings = {**self._default, **self._settings.get(key, {})}
        rate, burst = settings.get("ThrottlingRateLimit"), settings.get("ThrottlingBurstLimit")
        if rate is None and burst is None:
            return None
        return Bucket(
            _ACCOUNT_RATE if rate is None else float(rate), _ACCOUNT_BURST if burst is None else float(burst)
        )
