"""Where a service that runs offline answers: what is printed, and what a command of --exec finds in its environment."""

from __future__ import annotations

from dataclasses import dataclass

from ..cloud.kernel.settings import ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY

_REACHABLE = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}


def reachable(host: str) -> str:
    """The host of URLs, for an address that is listened on."""
    return _REACHABLE.get(host, host)


@dataclass(frozen=True, slots=True)
class Addresses:
    """endpoint: of AWS's APIs. site: of REST and HTTP APIs; prefix: what the REST API's paths begin with. The others
    are None where nothing listens."""

    endpoint: str
    site: str
    prefix: str
    region: str
    lambda_url: str | None = None
    websocket: str | None = None
    alb: str | None = None
    has_rest: bool = False
    has_http: bool = False

    @property
    def rest(self) -> str:
        return self.site + self.prefix

    @property
    def main(self) -> str:
        """The one that people want first."""
        if self.has_rest:
            return self.rest
        if self.has_http:
            return self.site
        return self.websocket or self.alb or self.endpoint

    def variables(self) -> dict[str, str]:
        """Environment variables for a command that talks with the service."""
        found = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ROOT_ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": ROOT_SECRET_ACCESS_KEY,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "PILEUS_URL": self.main,
            "PILEUS_REST_URL": self.rest if self.has_rest else "",
            "PILEUS_HTTP_API_URL": self.site if self.has_http else "",
            "PILEUS_WEBSOCKET_URL": self.websocket or "",
            "PILEUS_ALB_URL": self.alb or "",
            "PILEUS_LAMBDA_URL": self.lambda_url or self.endpoint,
        }
        return {name: value for name, value in found.items() if value}
