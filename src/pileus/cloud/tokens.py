"""Signed tokens (JWT): whether one of the keys that an issuer publishes has signed them.

It stands below services: those that let requests in by such tokens share it. What a token must claim is theirs to say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from pileus.cloud.kernel.outbound import InvalidAddress, Unreachable, send

if TYPE_CHECKING:
    from pileus.cloud.kernel import Cloud

_MISSES_LIVE = 10.0
_MOST_TOKENS = 2_000
_SECONDS = 10.0

Claims = dict[str, Any]


class InvalidToken(Exception):
    """Why a token is none, in API Gateway's words where they are known."""


class NotPublished(Exception):
    """There is no JSON object at an address."""


async def published(url: str) -> Mapping[str, Any]:
    """The JSON object at an address. Raises NotPublished."""
    try:
        answer = await send("GET", url, [("accept", "application/json")], b"", _SECONDS)
        found = orjson.loads(answer.body) if answer.status == 200 else None
    except (TimeoutError, Unreachable, InvalidAddress, orjson.JSONDecodeError):
        found = None
    if not isinstance(found, dict):
        raise NotPublished(url)
    return found


class SignedTokens:
    """Checks signatures, and keeps the keys of issuers and the tokens whose signatures held.

    algorithms: those that count, all of RSA. keys_live: seconds after which keys are asked for again. key_set: the JWK Set
    of an issuer; what it raises reaches all who wait for it.
    """

    def __init__(
        self,
        cloud: Cloud,
        algorithms: tuple[str, ...],
        keys_live: float,
        key_set: Callable[[str], Awaitable[Mapping[str, Any]]],
    ) -> None:
        self._clock = cloud.clock
        self._algorithms = algorithms
        self._keys_live = keys_live
        self._key_set = key_set
        self._keys: dict[str, tuple[float, dict[Any, Any]]] = {}
        self._asking: dict[str, asyncio.Task[dict[Any, Any]]] = {}
        self._known: dict[tuple[str, str], Claims] = {}

    def known(self, issuer: str, token: str) -> Claims | None:
        """The claims of a token that `claims` has answered for before."""
        return self._known.get((issuer, token))

    async def claims(self, issuer: str, token: str, head: Mapping[str, Any]) -> Claims:
        """What a token with such a header claims; times are not looked at. Raises InvalidToken."""
        import jwt  # late: it brings cryptography along

        if head.get("alg") not in self._algorithms:
            raise InvalidToken(f"signing method {head.get('alg')} is invalid")
        key = await self._key(issuer, head.get("kid"))
        try:
            jws = jwt.PyJWS(algorithms=self._algorithms)
            claims = orjson.loads(jws.decode(token, key, algorithms=self._algorithms))
        except orjson.JSONDecodeError:
            raise InvalidToken("the token is malformed") from None
        except jwt.InvalidTokenError:
            raise InvalidToken("signature is invalid") from None
        if not isinstance(claims, dict):
            raise InvalidToken("the token is malformed")
        if len(self._known) >= _MOST_TOKENS:
            self._known.clear()
        self._known[issuer, token] = claims
        return claims

    async def _key(self, issuer: str, key_id: Any) -> Any:
        now = self._clock.now()
        asked, keys = self._keys.get(issuer, (0.0, {}))
        age = now - asked if asked else self._keys_live
        if age >= self._keys_live or (key_id not in keys and age >= _MISSES_LIVE):
            keys = await self._ask_once(issuer)
        if key_id not in keys:
            raise InvalidToken("the token's key is not one of the issuer's")
        return keys[key_id]

    async def _ask_once(self, issuer: str) -> dict[Any, Any]:
        """The issuer's keys; requests that come meanwhile wait for the same answer."""
        task = self._asking.get(issuer)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._ask(issuer))
            self._asking[issuer] = task
            task.add_done_callback(lambda _: self._asking.pop(issuer, None))
        return await asyncio.shield(task)

    async def _ask(self, issuer: str) -> dict[Any, Any]:
        keys = _parsed(await self._key_set(issuer))
        self._keys[issuer] = (self._clock.now(), keys)
        self._known = {name: claims for name, claims in self._known.items() if name[0] != issuer}
        return keys


def _parsed(key_set: Mapping[str, Any]) -> dict[Any, Any]:
    """The RSA keys of a key set by their ids; what else there is can sign nothing here."""
    import jwt

    keys = {}
    for document in key_set.get("keys") or ():
        try:
            if document.get("kty") == "RSA" and document.get("use", "sig") == "sig":
                keys[document.get("kid")] = jwt.PyJWK.from_dict({"alg": "RS256", **document}).key
        except (jwt.PyJWTError, AttributeError, TypeError):
            continue
    return keys
