"""JWT authorizers: a token's signature against the issuer's published keys, then its claims.

Source: "Control access to HTTP APIs with JWT authorizers in API Gateway" in the developer guide; OpenID Connect
Discovery 1.0 for where the keys are. API Gateway takes RSA signatures only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from pileus.cloud.kernel.outbound import InvalidAddress, Unreachable, send

from .answers import Refused, forbidden, unauthorized
from .exchange import Exchange
from .variables import value_of

if TYPE_CHECKING:
    from pileus.cloud.kernel import Cloud

_ALGORITHMS = ("RS256", "RS384", "RS512")
_KEYS_LIVE = 2 * 60 * 60.0
_MISSES_LIVE = 10.0
_MOST_TOKENS = 2_000
_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class JwtAuthorizer:
    source: str
    issuer: str
    audience: frozenset[str]

    @classmethod
    def compiled(cls, document: Mapping[str, Any]) -> JwtAuthorizer:
        jwt = document["JwtConfiguration"]
        return cls(document["IdentitySource"][0], jwt["Issuer"], frozenset(jwt.get("Audience") or ()))


class _Invalid(Exception):
    """Why a token is none, in AWS's words where they are known."""


class Issuers:
    """The keys of issuers, by issuer and key id, and the tokens whose signatures held."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._keys: dict[str, tuple[float, dict[str, Any]]] = {}
        self._asking: dict[str, asyncio.Task[dict[str, Any]]] = {}
        self._tokens: dict[tuple[str, str], dict[str, Any]] = {}
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
            _check(claims, authorizer, self._cloud.clock.now())
        except _Invalid as error:
            raise _unauthorized(scopes, str(error)) from None
        own = _scopes(claims)
        if scopes and not any(scope in own for scope in scopes):
            words = "the token does not have required scopes"
            raise forbidden(_challenge(scopes, "insufficient_scope", words), words)
        exchange.claims = {name: _text(value) for name, value in claims.items()}
        exchange.scopes = own if scopes else None

    async def _claims(self, api_id: str, issuer: str, token: str) -> dict[str, Any]:
        name = (issuer, token)
        known = self._tokens.get(name)
        if known is not None:
            return known
        import jwt  # late: it brings cryptography along

        try:
            head = jwt.get_unverified_header(token)
            if api_id in self.trusting:
                return dict(jwt.decode(token, options={"verify_signature": False}))
        except jwt.InvalidTokenError:
            raise _Invalid("the token is malformed") from None
        if head.get("alg") not in _ALGORITHMS:
            raise _Invalid(f"signing method {head.get('alg')} is invalid")
        key = await self._key(issuer, head.get("kid"))
        try:
            # Claims are compared with the cloud's clock, in `_check`.
            decoded = jwt.PyJWS(algorithms=_ALGORITHMS).decode_complete(token, key, algorithms=_ALGORITHMS)
            claims = orjson.loads(decoded["payload"])
        except orjson.JSONDecodeError:
            raise _Invalid("the token is malformed") from None
        except jwt.InvalidTokenError:
            raise _Invalid("signature is invalid") from None
        if not isinstance(claims, dict):
            raise _Invalid("the token is malformed")
        if len(self._tokens) >= _MOST_TOKENS:
            self._tokens.clear()
        self._tokens[name] = claims
        return claims

    async def _key(self, issuer: str, key_id: Any) -> Any:
        now = self._cloud.clock.now()
        asked, keys = self._keys.get(issuer, (0.0, {}))
        age = now - asked if asked else _KEYS_LIVE
        if age >= _KEYS_LIVE or (key_id not in keys and age >= _MISSES_LIVE):
            keys = await self._ask_once(issuer)
        if key_id not in keys:
            raise _Invalid("the token's key is not one of the issuer's")
        return keys[key_id]

    async def _ask_once(self, issuer: str) -> dict[str, Any]:
        """The issuer's keys; requests that come meanwhile wait for the same answer."""
        task = self._asking.get(issuer)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._ask(issuer))
            self._asking[issuer] = task
            task.add_done_callback(lambda _: self._asking.pop(issuer, None))
        return await asyncio.shield(task)

    async def _ask(self, issuer: str) -> dict[str, Any]:
        base = issuer.rstrip("/")
        found = await self._json(f"{base}/.well-known/openid-configuration", "OIDC discovery endpoint")
        published = await self._json(str(found.get("jwks_uri")), "JWKS")
        keys = _parsed(published)
        self._keys[issuer] = (self._cloud.clock.now(), keys)
        self._tokens = {name: claims for name, claims in self._tokens.items() if name[0] != issuer}
        return keys

    async def _json(self, url: str, what: str) -> dict[str, Any]:
        wrong = _Invalid(f"{what} communication error")
        try:
            answer = await send("GET", url, [("accept", "application/json")], b"", _SECONDS)
            found = orjson.loads(answer.body) if answer.status == 200 else None
        except (TimeoutError, Unreachable, InvalidAddress, orjson.JSONDecodeError):
            raise wrong from None
        if not isinstance(found, dict):
            raise wrong
        return found


def _parsed(published: Mapping[str, Any]) -> dict[str, Any]:
    """The RSA keys of a key set by their ids; what else there is can sign nothing here."""
    import jwt

    keys = {}
    for document in published.get("keys") or ():
        try:
            if document.get("kty") == "RSA" and document.get("use", "sig") == "sig":
                keys[document.get("kid")] = jwt.PyJWK.from_dict({"alg": "RS256", **document}).key
        except (jwt.PyJWTError, AttributeError, TypeError):
            continue
    return keys


def _check(claims: Mapping[str, Any], authorizer: JwtAuthorizer, now: float) -> None:
    if claims.get("iss") != authorizer.issuer:
        raise _Invalid("issuer does not match")
    if not _audience(claims) & authorizer.audience:
        raise _Invalid("the token does not have a valid audience")
    expires, begins, issued = (_moment(claims, name) for name in ("exp", "nbf", "iat"))
    if expires is None or expires <= now:
        raise _Invalid("the token has expired")
    if begins is not None and begins > now:
        raise _Invalid("the token is not valid yet")
    if issued is not None and issued > now + 1:  # whole seconds, of another clock
        raise _Invalid("the token was issued in the future")


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
        raise _Invalid(f"the token's {name} is not a number")
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
