"""COGNITO_USER_POOLS authorizers: a token of a user pool, checked against the pool's published keys.

User pools are not emulated: their keys come from Cognito itself, or from where AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER
(the variable of AWS's SDKs) says that user pools are. Source: "Control access to REST APIs using Amazon Cognito user pools
as an authorizer" in the developer guide.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from pileus.cloud.kernel.outbound import InvalidAddress, Unreachable, send

from .exchange import Exchange
from .lookup import lookup
from .responses import GatewayFailure

if TYPE_CHECKING:
    from pileus.cloud.kernel import Cloud

log = logging.getLogger("pileus.apigateway")

ENDPOINT = "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"
_POOL = re.compile(r"arn:[\w-]+:cognito-idp:([\w-]+):\d+:userpool/([\w-]+)")
_MOST_TOKENS = 2_000
_KEYS_LIVE = 3600.0
_MISSES_LIVE = 10.0
_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class UserPools:
    """pools: (region, id). source: of the token. audience: what the `aud` of an identity token must match."""

    pools: tuple[tuple[str, str], ...]
    source: str
    audience: re.Pattern[str] | None

    @classmethod
    def compiled(cls, document: Mapping[str, Any]) -> UserPools:
        found = (_POOL.fullmatch(arn) for arn in document.get("providerARNs") or ())
        expression = document.get("identityValidationExpression")
        pools = tuple((match[1], match[2]) for match in found if match is not None)
        return cls(pools, document["identitySource"], re.compile(expression) if expression else None)


class _Keys:
    """The keys of one pool. asked: when."""

    def __init__(self, asked: float, keys: dict[str, Any]) -> None:
        self.asked = asked
        self.keys = keys


class Tokens:
    """Checks tokens, and keeps the keys of pools and the tokens whose signatures held."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._keys: dict[str, _Keys] = {}
        self._known: dict[tuple[str, str], dict[str, Any]] = {}

    async def authorize(self, exchange: Exchange, pools: UserPools, scopes: tuple[str, ...]) -> None:
        """Raises GatewayFailure unless the request may go on; sets the claims."""
        token = lookup(exchange, pools.source) or ""
        if token[:7].lower() == "bearer ":
            token = token[7:].strip()
        claims = await self._claims(pools, token)
        if claims is None or not _fits(claims, pools, scopes):
            raise _unauthorized()
        if float(claims.get("exp") or 0) <= exchange.now:
            raise GatewayFailure("EXPIRED_TOKEN", "The incoming token has expired", status=401)
        exchange.authorizer = {"claims": {name: _text(value) for name, value in claims.items()}}

    async def _claims(self, pools: UserPools, token: str) -> dict[str, Any] | None:
        """The claims of a token that one of the pools has signed."""
        import jwt  # late: it brings cryptography along

        try:
            head = jwt.get_unverified_header(token)
            said = jwt.decode(token, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            return None
        for region, pool in pools.pools:
            base = _base(region, pool)
            if head.get("alg") != "RS256" or said.get("iss") not in (base, _issuer(region, pool)):
                continue
            known = self._known.get((base, token))
            if known is not None:
                return known
            key = await self._key(base, str(head.get("kid")))
            try:
                payload = jwt.PyJWS(algorithms=["RS256"]).decode(token, key, algorithms=["RS256"])
            except (jwt.InvalidTokenError, TypeError):
                return None
            claims: dict[str, Any] = orjson.loads(payload)
            if len(self._known) >= _MOST_TOKENS:
                self._known.clear()
            self._known[base, token] = claims
            return claims
        return None

    async def _key(self, base: str, key_id: str) -> Any:
        now = self._cloud.clock.now()
        known = self._keys.get(base)
        age = now - known.asked if known is not None else _KEYS_LIVE
        if known is None or age >= _KEYS_LIVE or (key_id not in known.keys and age >= _MISSES_LIVE):
            known = self._keys[base] = _Keys(now, await _published(base))
        return known.keys.get(key_id)


def _issuer(region: str, pool: str) -> str:
    return f"https://cognito-idp.{region}.amazonaws.com/{pool}"


def _base(region: str, pool: str) -> str:
    """Where a pool's keys are, which is also what its tokens call their issuer."""
    elsewhere = os.environ.get(ENDPOINT, "").rstrip("/")
    return f"{elsewhere}/{pool}" if elsewhere else _issuer(region, pool)


async def _published(base: str) -> dict[str, Any]:
    """Keys by id. Raises GatewayFailure where they can't be had, and says what to do."""
    import jwt

    url = f"{base}/.well-known/jwks.json"
    try:
        reply = await send("GET", url, [("accept", "application/json")], b"", _SECONDS)
        documents = orjson.loads(reply.body)["keys"] if reply.status == 200 else None
    except (TimeoutError, Unreachable, InvalidAddress, orjson.JSONDecodeError, KeyError, TypeError):
        documents = None
    if not isinstance(documents, list):
        log.warning(
            "apigateway: the user pool's keys are not at %s; user pools are not emulated: set %s to where they are,"
            " or use a Lambda authorizer here",
            url,
            ENDPOINT,
        )
        raise GatewayFailure("AUTHORIZER_FAILURE")
    return {str(each.get("kid")): jwt.PyJWK.from_dict(each, "RS256").key for each in documents}


def _fits(claims: Mapping[str, Any], pools: UserPools, scopes: tuple[str, ...]) -> bool:
    """With scopes the method wants an access token that has one of them, without an identity token."""
    if scopes:
        own = str(claims.get("scope") or "").split()
        return claims.get("token_use") == "access" and any(scope in own for scope in scopes)
    if claims.get("token_use") != "id":
        return False
    return pools.audience is None or pools.audience.fullmatch(str(claims.get("aud"))) is not None


def _text(value: Any) -> str:
    """Claims are strings; of a list, its items between commas."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return orjson.dumps(value).decode()


def _unauthorized() -> GatewayFailure:
    return GatewayFailure("UNAUTHORIZED", "Unauthorized")
