"""JWT authorizers: a token's signature against the issuer's published keys, then its claims.

Source: "Control access to HTTP APIs with JWT authorizers in API Gateway" in the developer guide; OpenID Connect
Discovery 1.0 for where the keys are. API Gateway takes RSA signatures only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from pileus.cloud.tokens import Claims, InvalidToken, NotPublished, SignedTokens, published

from .answers import Refused, forbidden, unauthorized
from .exchange import Exchange
from .variables import value_of

if TYPE_CHECKING:
    from pileus.cloud.kernel import Cloud

_ALGORITHMS = ("RS256", "RS384", "RS512")
_KEYS_LIVE = 2 * 60 * 60.0


@dataclass(frozen=True, slots=True)
class JwtAuthorizer:
    source: str
    issuer: str
    audience: frozenset[str]

    @classmethod
    def compiled(cls, document: Mapping[str, Any]) -> JwtAuthorizer:
        jwt = document["JwtConfiguration"]
        return cls(document["IdentitySource"][0], jwt["Issuer"], frozenset(jwt.get("Audience") or ()))


class Issuers:
    """Lets tokens in."""

    def __init__(self, cloud: Cloud) -> None:
        self._clock = cloud.clock
        self._tokens = SignedTokens(cloud, _ALGORITHMS, _KEYS_LIVE, _key_set)
        #: APIs whose tokens are read without a look at their signatures (serverless-offline's ignoreJWTSignature).
        self.trusting: set[str] = set()

    async def authorize(self, exchange: Exchange, authorizer: JwtAuthorizer, scopes: tuple[str, ...]) -> None:
        """Raises Refused unless the request may go on; sets the claims."""
        token = value_of(exchange, authorizer.source)
        if not token:
            raise unauthorized("Bearer", "missing: token not provided")
        if token[:7].lower() == "bearer ":
            token = token[7:].strip()
        try:
            claims = await self._claims(exchange.stage.api_id, authorizer.issuer, token)
            _check(claims, authorizer, self._clock.now())
        except InvalidToken as error:
            raise _unauthorized(scopes, str(error)) from None
        own = _scopes(claims)
        if scopes and not any(scope in own for scope in scopes):
            words = "the token does not have required scopes"
            raise forbidden(_challenge(scopes, "insufficient_scope", words), words)
        exchange.claims = {name: _text(value) for name, value in claims.items()}
        exchange.scopes = own if scopes else None

    async def _claims(self, api_id: str, issuer: str, token: str) -> Claims:
        known = self._tokens.known(issuer, token)
        if known is not None:
            return known
        import jwt  # late: it brings cryptography along

        try:
            head = jwt.get_unverified_header(token)
            if api_id in self.trusting:
                return dict(jwt.decode(token, options={"verify_signature": False}))
        except jwt.InvalidTokenError:
            raise InvalidToken("the token is malformed") from None
        return await self._tokens.claims(issuer, token, head)


async def _key_set(issuer: str) -> Mapping[str, Any]:
    """Where the issuer's discovery document says that it is."""
    what = "OIDC discovery endpoint"
    try:
        found = await published(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        what = "JWKS"
        return await published(str(found.get("jwks_uri")))
    except NotPublished:
        raise InvalidToken(f"{what} communication error") from None


def _check(claims: Mapping[str, Any], authorizer: JwtAuthorizer, now: float) -> None:
    if claims.get("iss") != authorizer.issuer:
        raise InvalidToken("issuer does not match")
    if not _audience(claims) & authorizer.audience:
        raise InvalidToken("the token does not have a valid audience")
    expires, begins, issued = (_moment(claims, name) for name in ("exp", "nbf", "iat"))
    if expires is None or expires <= now:
        raise InvalidToken("the token has expired")
    if begins is not None and begins > now:
        raise InvalidToken("the token is not valid yet")
    if issued is not None and issued > now + 1:  # whole seconds, of another clock
        raise InvalidToken("the token was issued in the future")


def _audience(claims: Mapping[str, Any]) -> frozenset[str]:
    """`aud`, and only without one `client_id`."""
    given = claims["aud"] if "aud" in claims else claims.get("client_id")
    items = given if isinstance(given, list) else [given]
    return frozenset(item for item in items if isinstance(item, str))


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidToken(f"the token's {name} is not a number")
    return float(value)


def _scopes(claims: Mapping[str, Any]) -> list[str]:
    given = claims["scope"] if "scope" in claims else claims.get("scp")
    if isinstance(given, str):
        return given.split()
    return [str(item) for item in given] if isinstance(given, list) else []


def _text(value: Any) -> str:
    """Claims reach the function as strings; a list between brackets, its items apart by blanks."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{' '.join(map(_text, value))}]"
    return orjson.dumps(value).decode()


def _challenge(scopes: tuple[str, ...], error: str, words: str) -> str:
    return f'Bearer scope="{" ".join(scopes)}" error="{error}" error_description="{words}"'


def _unauthorized(scopes: tuple[str, ...], words: str) -> Refused:
    return unauthorized(_challenge(scopes, "invalid_token", words), words)
