"""Methods behind COGNITO_USER_POOLS authorizers: tokens of a pool whose keys a server on this machine has."""

from __future__ import annotations

import asyncio
import json
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from pileus.cloud.kernel import HttpResponse
from pileus.cloud.services.apigateway.dataplane.cognito import ENDPOINT

POOL = "us-east-1_AbCdEf"
ARN = f"arn:aws:cognito-idp:us-east-1:123456789012:userpool/{POOL}"
AWS_ISSUER = f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}"


@cache
def key(name: str) -> Any:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def token(issuer: str, now: float, *, signed_by: str = "own", **claims: Any) -> str:
    members = {"iss": issuer, "sub": "u", "aud": "app", "token_use": "id", "exp": now + 60, **claims}
    return jwt.encode(members, key(signed_by), "RS256", {"kid": "k1"})


class Pool:
    """Serves the pool's key set."""

    async def __aenter__(self) -> Pool:
        document = jwt.algorithms.RSAAlgorithm.to_jwk(key("own").public_key(), as_dict=True)
        self.body = json.dumps({"keys": [{**document, "kid": "k1", "alg": "RS256", "use": "sig"}]}).encode()
        self.asked: list[str] = []
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode().split()[1])
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(self.body)}\r\n\r\n".encode() + self.body)
        writer.close()


@pytest.fixture
def guarded(api: Any) -> Any:
    """An API whose `/` wants an identity token, and whose `/s` wants the scope `read`."""
    made = api.on("CreateAuthorizer", name="people", type="COGNITO_USER_POOLS", providerARNs=[ARN])
    assert made["identitySource"] == "method.request.header.Authorization"
    by = {"authorizationType": "COGNITO_USER_POOLS", "authorizerId": made["id"]}
    api.method("GET", "/", **by)
    api.method("GET", "/s", **by, authorizationScopes=["read", "write"])
    api.deploy()
    return api


def ask(api: Any, path: str, authorization: Any, patch: Any) -> tuple[HttpResponse, list[str]]:
    """authorization: makes the header of (the pool's URL, now)."""

    async def run() -> tuple[HttpResponse, list[str]]:
        async with Pool() as pool:
            patch.setenv(ENDPOINT, pool.url)
            header = authorization(f"{pool.url}/{POOL}", api.cloud.clock.now())
            answer = await api.ask("GET", path, **({"authorization": header} if header else {}))
            return answer, pool.asked

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("path", "make"),
    [
        ("/", token),
        ("/", lambda issuer, now: f"Bearer {token(issuer, now)}"),
        ("/", lambda issuer, now: token(AWS_ISSUER, now)),
        ("/s", lambda issuer, now: token(issuer, now, token_use="access", scope="read x")),
    ],
)
def test_let_in(guarded: Any, functions: Any, monkeypatch: Any, path: str, make: Any) -> None:
    answer, asked = ask(guarded, path, make, monkeypatch)
    assert answer.status == 200
    assert asked == [f"/{POOL}/.well-known/jwks.json"]
    claims = functions.events[0]["requestContext"]["authorizer"]["claims"]
    assert (claims["sub"], claims["aud"]) == ("u", "app")
    assert all(isinstance(value, str) for value in claims.values())


@pytest.mark.parametrize(
    ("path", "make", "message"),
    [
        ("/", lambda issuer, now: None, "Unauthorized"),
        ("/", lambda issuer, now: "nonsense", "Unauthorized"),
        ("/", lambda issuer, now: token("https://elsewhere.example", now), "Unauthorized"),
        ("/", lambda issuer, now: token(issuer, now, signed_by="other"), "Unauthorized"),
        ("/", lambda issuer, now: token(issuer, now, token_use="access"), "Unauthorized"),
        ("/", lambda issuer, now: token(issuer, now - 100), "The incoming token has expired"),
        ("/s", token, "Unauthorized"),
        ("/s", lambda issuer, now: token(issuer, now, token_use="access", scope="admin"), "Unauthorized"),
    ],
)
def test_kept_out(guarded: Any, functions: Any, monkeypatch: Any, path: str, make: Any, message: str) -> None:
    answer, _ = ask(guarded, path, make, monkeypatch)
    assert answer.status == 401
    assert json.loads(answer.body) == {"message": message}
    assert functions.events == []


def test_keys_that_are_nowhere_are_an_error_that_says_so(guarded: Any, monkeypatch: Any, caplog: Any) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:1")
    header = token(AWS_ISSUER, guarded.cloud.clock.now())
    assert guarded.get("GET", "/", authorization=header).status == 500
    assert ENDPOINT in caplog.text
