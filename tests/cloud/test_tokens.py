"""Signed tokens: whose signature holds, and how often an issuer is asked for its keys."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from pileus.cloud.kernel import Cloud
from pileus.cloud.tokens import InvalidToken, SignedTokens


@cache
def key(name: str) -> Any:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def token(name: str = "a", *, signed_by: str = "", algorithm: str = "RS256") -> str:
    return jwt.encode({"sub": "u"}, key(signed_by or name), algorithm, {"kid": name})


class Issuer:
    """Publishes keys; `asked` counts."""

    def __init__(self, cloud: Cloud, *names: str) -> None:
        self.names = names
        self.asked = 0
        self.tokens = SignedTokens(cloud, ("RS256",), 3600.0, self._key_set)

    async def _key_set(self, issuer: str) -> Mapping[str, Any]:
        self.asked += 1
        await asyncio.sleep(0)
        to_jwk = jwt.algorithms.RSAAlgorithm.to_jwk
        rsa_keys = [{**to_jwk(key(name).public_key(), as_dict=True), "kid": name} for name in self.names]
        return {"keys": [{"kty": "EC", "kid": "x"}, "nonsense", *rsa_keys]}

    async def claims(self, given: str) -> Mapping[str, Any]:
        return await self.tokens.claims("i", given, jwt.get_unverified_header(given))


def test_a_signature_that_holds_is_remembered(cloud: Cloud) -> None:
    issuer = Issuer(cloud, "a")
    assert issuer.tokens.known("i", token()) is None
    given = token()
    assert asyncio.run(issuer.claims(given)) == {"sub": "u"}
    assert issuer.tokens.known("i", given) == {"sub": "u"}
    assert issuer.tokens.known("another", given) is None


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"signed_by": "b"}, "signature is invalid"),
        ({"algorithm": "RS512"}, "signing method RS512 is invalid"),
        ({"name": "b"}, "the token's key is not one of the issuer's"),
    ],
)
def test_what_is_no_token(cloud: Cloud, given: dict[str, str], why: str) -> None:
    with pytest.raises(InvalidToken, match=why):
        asyncio.run(Issuer(cloud, "a").claims(token(**given)))


def test_requests_at_once_ask_once(cloud: Cloud) -> None:
    issuer = Issuer(cloud, "a", "b")

    async def both() -> None:
        await asyncio.gather(issuer.claims(token("a")), issuer.claims(token("b")))

    asyncio.run(both())
    assert issuer.asked == 1


def test_a_key_that_is_missing_is_not_asked_for_at_every_request(cloud: Cloud) -> None:
    issuer = Issuer(cloud, "a")

    async def run() -> None:
        for _ in range(3):
            with pytest.raises(InvalidToken):
                await issuer.claims(token("b"))

    asyncio.run(run())
    assert issuer.asked == 1
