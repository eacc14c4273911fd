"""CORS as the API is configured: preflights are answered here, and the function's own CORS headers give way.

Source: "Configure CORS for HTTP APIs in API Gateway" in the developer guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pileus.cloud.kernel import HttpRequest, HttpResponse

_PREFIX = "access-control-"


class Cors:
    """configuration: `CorsConfiguration` of the API."""

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        origins = configuration.get("AllowOrigins") or ()
        self._any = "*" in origins
        self._origins = frozenset(origin.lower() for origin in origins)
        #: `http://*` and `https://*` stand for every origin of the scheme.
        self._schemes = tuple(origin[:-1] for origin in self._origins if origin.endswith("://*"))
        self._plain: dict[str, str] = {}
        if configuration.get("AllowCredentials"):
            self._plain["access-control-allow-credentials"] = "true"
        self._preflight = dict(self._plain)
        for name, member in (("methods", "AllowMethods"), ("headers", "AllowHeaders")):
            if configuration.get(member):
                self._preflight[f"access-control-allow-{name}"] = ",".join(configuration[member])
        if configuration.get("MaxAge") is not None:
            self._preflight["access-control-max-age"] = str(configuration["MaxAge"])
        if configuration.get("ExposeHeaders"):
            exposed = ",".join(configuration["ExposeHeaders"])
            self._plain["access-control-expose-headers"] = exposed
            self._preflight["access-control-expose-headers"] = exposed

    def _allowed(self, origin: str) -> str | None:
        if self._any:
            return "*"
        lower = origin.lower()
        return (
            origin if lower in self._origins or (self._schemes and lower.startswith(self._schemes)) else None
        )

    def preflight(self, request: HttpRequest) -> HttpResponse | None:
        """The answer to a preflight, whatever routes there are; None for any other request."""
        headers = request.headers
        if request.method != "OPTIONS" or "origin" not in headers:
            return None
        if "access-control-request-method" not in headers:
            return None
        return HttpResponse(204, self._headers(request, self._preflight))

    def finish(self, request: HttpRequest, response: HttpResponse) -> None:
        """Puts the API's headers in the place of the integration's."""
        for name in [name for name in response.headers if name[:15].lower() == _PREFIX]:
            del response.headers[name]
        extra = response.extra_headers
        response.extra_headers = [pair for pair in extra if pair[0][:15].lower() != _PREFIX]
        response.headers.update(self._headers(request, self._plain))

    def _headers(self, request: HttpRequest, rest: Mapping[str, str]) -> dict[str, str]:
        origin = request.headers.get("origin")
        allowed = self._allowed(origin) if origin is not None else None
        return {} if allowed is None else {"access-control-allow-origin": allowed, **rest}
