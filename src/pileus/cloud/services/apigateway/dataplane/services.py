"""AWS integrations with services: `arn:aws:apigateway:REGION:SERVICE:action/NAME` and `…:path/PATH`.

As API Gateway does, the request is signed with the integration's role and sent to the service's endpoint, here the
embedded cloud's own: so every service that is emulated answers in its own protocol.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from pileus.cloud.kernel import AwsError, Cloud, HttpRequest, HttpResponse, NotEmulated, Principal
from pileus.cloud.protocol import sigv4
from pileus.cloud.protocol.model import model_metadata

from .exchange import Exchange
from .http import exchange_with, grouped, verb_of
from .mapping import Templates, mapped, select
from .outgoing import Outgoing, RequestMapping
from .responses import GatewayFailure

_URI = re.compile(r"arn:[\w-]+:apigateway:([\w-]+):(?:([^:]+)\.)?([\w-]+):(action|path)/(.*)")
_MOST_CREDENTIALS = 256
_EARLY = 60.0


class Credentials:
    """Sessions of the roles that integrations run with, kept until they expire."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, dict[str, str]]] = {}

    def of(self, cloud: Cloud, role: str, source_arn: str) -> dict[str, str]:
        """Raises AwsError where the role can't be assumed by API Gateway."""
        now = cloud.clock.now()
        known = self._known.get(role)
        if known is not None and known[0] > now:
            return known[1]
        request = {"RoleArn": role, "RoleSessionName": "BackplaneAssumeRoleSession"}
        account = role.split(":")[4] if role.count(":") >= 5 else ""
        principal = Principal.service("apigateway.amazonaws.com", account, source_arn)
        found: dict[str, str] = cloud.call("sts", "AssumeRole", request, principal=principal)["Credentials"]
        if len(self._known) >= _MOST_CREDENTIALS:
            self._known.clear()
        self._known[role] = (now + 3600 - _EARLY, found)
        return found


@dataclass(frozen=True, slots=True)
class ServiceIntegration:
    """what: service and action, for what is refused. role: the integration's credentials."""

    service: str
    region: str
    action: str | None
    verb: str
    mapping: RequestMapping
    templates: Templates
    timeout: float
    role: str | None

    @classmethod
    def compiled(
        cls, document: Mapping[str, Any], templates: Templates, timeout: float
    ) -> ServiceIntegration | None:
        """None where the URI is none of a service."""
        found = _URI.fullmatch(document.get("uri") or "")
        if found is None:
            return None
        region, within, service, kind, rest = found.groups()
        path = "/" if kind == "action" else f"/{within + '/' if within else ''}{rest.lstrip('/')}"
        mapping = RequestMapping.compiled({**document, "uri": path})
        action = rest if kind == "action" else None
        verb, role = verb_of(document), document.get("credentials")
        return cls(service, region, action, verb, mapping, templates, timeout, role)

    async def answer(self, cloud: Cloud, exchange: Exchange) -> HttpResponse:
        if not any(self.service in entry.signing_names for entry in cloud.registry.values()):
            raise NotEmulated(f"apigateway AWS integrations with {self.service}")
        body = self.templates.request(exchange)
        outgoing = self.mapping.outgoing(exchange)
        outgoing.body = body
        if not outgoing.has("content-type"):
            outgoing.put("Content-Type", "application/json")
        if self.action is not None:
            _name_action(outgoing, self.service, self.action, cloud)
        _sign(cloud, exchange, outgoing, self)
        outgoing.url = cloud.settings.endpoint + outgoing.url
        reply = await exchange_with(exchange, self.verb, outgoing, self.timeout, True)
        chosen = select(self.templates.responses, str(reply.status))
        return mapped(exchange, chosen, reply.body, grouped(reply))


def _name_action(outgoing: Outgoing, service: str, action: str, cloud: Cloud) -> None:
    """An action goes into the target header of JSON services, and into the query of the others."""
    name = next(entry.name for entry in cloud.registry.values() if service in entry.signing_names)
    metadata = model_metadata(name, cache_dir=cloud.settings.cache)
    if metadata["protocol"] == "json" and service != "sqs":  # SQS is still spoken to as a query service
        outgoing.put("X-Amz-Target", f"{metadata['targetPrefix']}.{action}")
        outgoing.put("Content-Type", f"application/x-amz-json-{metadata['jsonVersion']}")
        return
    separator = "&" if "?" in outgoing.url else "?"
    outgoing.url += f"{separator}Action={action}&Version={metadata['apiVersion']}"


def _sign(cloud: Cloud, exchange: Exchange, outgoing: Outgoing, integration: ServiceIntegration) -> None:
    if not integration.role:
        raise GatewayFailure("API_CONFIGURATION_ERROR", "Internal server error")
    if ":user/*" in integration.role:
        raise NotEmulated("apigateway integrations with the caller's credentials (arn:aws:iam::*:user/*)")
    try:
        keys = exchange.stage.credentials.of(cloud, integration.role, exchange.arn)
    except AwsError:
        raise GatewayFailure("API_CONFIGURATION_ERROR", "Internal server error") from None
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time()))  # the wall's, as every client's
    digest = hashlib.sha256(outgoing.body).hexdigest()
    outgoing.put("X-Amz-Date", stamp)
    outgoing.put("X-Amz-Security-Token", keys["SessionToken"])
    outgoing.put("X-Amz-Content-Sha256", digest)
    signed = "host;x-amz-content-sha256;x-amz-date;x-amz-security-token"
    parts = urlsplit(cloud.settings.endpoint + outgoing.url)
    headers = {name.lower(): value for name, value in outgoing.headers} | {"host": parts.netloc}
    request = HttpRequest(integration.verb, parts.path, parts.query, headers, outgoing.body)
    signature = sigv4.Signature(
        keys["AccessKeyId"], stamp[:8], integration.region, integration.service, signed, "", stamp, None
    )
    key = sigv4.signing_key(keys["SecretAccessKey"], stamp[:8], integration.region, integration.service)
    signature = replace(signature, signature=sigv4.calculate(key, request, signature, digest))
    outgoing.put(
        "Authorization",
        f"{sigv4.ALGORITHM} Credential={signature.access_key_id}/{signature.scope},"
        f" SignedHeaders={signed}, Signature={signature.signature}",
    )
