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

from pileus.cloud.tokens import Claims, InvalidToken, NotPublished, SignedTokens, published

from .exchange import Exchange
from .lookup import lookup
from .responses import GatewayFailure

if TYPE_CHECKING:
    from pileus.cloud.kernel import Cloud

log = logging.getLogger("pileus.apigateway")

ENDPOINT = "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"
_POOL = re.compile(r"arn:[\w-]+:cognito-idp:([\w-]+):\d+:userpool/([\w-]+)")
_KEYS_LIVE = 3600.0


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


class Tokens:
    """Lets tokens of user pools in. Issuers are the addresses of pools."""

    def __init__(self, cloud: Cloud) -> None:
        self._tokens = SignedTokens(cloud, ("RS256",), _KEYS_LIVE, _key_set)

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

    async def _claims(self, pools: UserPools, token: str) -> Claims | None:
        """The claims of a token that one of the pools has signed."""
        bases = [_base(region, pool) for region, pool in pools.pools]
        for base in bases:
            known = self._tokens.known(base, token)
            if known is not None:
                return known
        import jwt  # late: it brings cryptography along

        try:
            head = jwt.get_unverified_header(token)
            said = jwt.decode(token, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            return None
        for base, place in zip(bases, pools.pools, strict=True):
            if said.get("iss") in (base, _issuer(*place)):
                try:
                    return await self._tokens.claims(base, token, head)
                except InvalidToken:
                    return None
        return None


def _issuer(region: str, pool: str) -> str:
    return f"https://cognito-idp.{region}.amazonaws.com/{pool}"


def _base(region: str, pool: str) -> str:
    """Where a pool's keys are, which is also what its tokens call their issuer."""
    elsewhere = os.environ.get(ENDPOINT, "").rstrip("/")
    return f"{elsewhere}/{pool}" if elsewhere else _issuer(region, pool)


async def _key_set(base: str) -> Mapping[str, Any]:
    """Raises GatewayFailure where it can't be had, and says what to do."""
    url = f"{base}/.well-known/jwks.json"
    try:
        found = await published(url)
        if isinstance(found.get("keys"), list):
            return found
    except NotPublished:
        pass
    log.warning(
        "apigateway: the user pool's keys are not at %s; user pools are not emulated: set %s to where they are,"
        " or use a Lambda authorizer here",
        url,
        ENDPOINT,
    )
    raise GatewayFailure("AUTHORIZER_FAILURE")


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
