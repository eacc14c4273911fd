"""Who may call a route of an HTTP API: CORS, JWT, functions that authorise, IAM."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from pileus.cloud.kernel import NotEmulated

UNAUTHORIZED = {"message": "Unauthorized"}
FORBIDDEN = {"message": "Forbidden"}


def body(response: Any) -> Any:
    return json.loads(response.body)


# -- CORS ---------------------------------------------------------------------------------------------------------------

CORS = {
    "AllowOrigins": ["https://a.example", "http://*"],
    "AllowMethods": ["GET", "POST"],
    "AllowHeaders": ["content-type", "x-mine"],
    "ExposeHeaders": ["x-count"],
    "MaxAge": 300,
    "AllowCredentials": True,
}


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://a.example", True),
        ("http://anything.example", True),
        ("https://b.example", False),
    ],
)
def test_a_preflight_is_answered_by_the_api(
    make_api: Any, functions: Any, origin: str, allowed: bool
) -> None:
    api = make_api(CorsConfiguration=CORS)
    response = api.get("OPTIONS", "/no/such/route", origin=origin, **{"access-control-request-method": "GET"})
    headers = {name: value for name, value in response.headers.items() if name.startswith("access-")}
    assert (response.status, response.body, functions.events) == (204, b"", [])
    assert headers == (
        {
            "access-control-allow-origin": origin,
            "access-control-allow-credentials": "true",
            "access-control-allow-headers": "content-type,x-mine",
            "access-control-allow-methods": "GET,POST",
            "access-control-expose-headers": "x-count",
            "access-control-max-age": "300",
        }
        if allowed
        else {}
    )


def test_the_apis_cors_headers_replace_the_functions(make_api: Any, functions: Any) -> None:
    functions.answers(
        "f", {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "x", "X-Count": "1"}}
    )
    api = make_api(CorsConfiguration={"AllowOrigins": ["*"]})
    api.route("ANY /")
    assert "access-control-allow-origin" not in api.get("GET", "/").headers
    assert api.get("GET", "/", origin="https://a.example").headers["access-control-allow-origin"] == "*"
    # OPTIONS without the preflight's header is a request like others
    assert api.get("OPTIONS", "/", origin="https://a.example").headers["x-count"] == "1"
    api.on("DeleteCorsConfiguration")
    assert api.get("GET", "/").headers["access-control-allow-origin"] == "x"


# -- JWT ----------------------------------------------------------------------------------------------------------------


class Issuer:
    """An OpenID provider on a loopback port."""

    def __init__(self) -> None:
        self.keys = {name: rsa.generate_private_key(public_exponent=65537, key_size=2048) for name in "ab"}
        self.published = ["a"]
        self.asked: list[str] = []
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                answer = json.dumps(issuer.document(self.path)).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/pool"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def document(self, path: str) -> Any:
        if path == "/pool/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        keys = [
            jwt.algorithms.RSAAlgorithm.to_jwk(self.keys[n].public_key(), as_dict=True)
            for n in self.published
        ]
        return {
            "keys": [
                {**key, "kid": name, "use": "sig"} for key, name in zip(keys, self.published, strict=True)
            ]
        }

    def token(self, now: float, key: str = "a", algorithm: str = "RS256", **claims: Any) -> str:
        given = {"iss": self.url, "aud": "client", "exp": int(now) + 60, "sub": "u1", **claims}
        said = {name: value for name, value in given.items() if value is not None}
        secret: Any = self.keys[key] if algorithm != "HS256" else "a secret of thirty-two characters"
        return jwt.encode(said, secret, algorithm=algorithm, headers={"kid": key})


@pytest.fixture(scope="module")
def provider() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.server.shutdown()
    issuer.server.server_close()


@pytest.fixture
def issuer(provider: Issuer) -> Issuer:
    provider.published, provider.asked = ["a"], []
    return provider


def protect(api: Any, issuer: Issuer, version: str = "2.0", **members: Any) -> None:
    authorizer = api.authorizer(
        "jwt",
        AuthorizerType="JWT",
        JwtConfiguration={"Issuer": issuer.url, "Audience": ["client", "other"]},
        AuthorizerUri=None,
        AuthorizerPayloadFormatVersion=None,
    )
    api.route("GET /", AuthorizationType="JWT", AuthorizerId=authorizer, version=version, **members)


@pytest.fixture
def now(cloud: Any) -> float:
    return float(cloud.clock.now())


def test_a_valid_token(api: Any, functions: Any, issuer: Issuer, now: float) -> None:
    protect(api, issuer)
    token = issuer.token(now, admin=True, groups=["x", "y"], iat=int(now))
    for authorization in (f"Bearer {token}", token, f"bearer {token}"):
        assert api.get("GET", "/", authorization=authorization).status == 200
    authorizer = functions.events[0]["requestContext"]["authorizer"]
    assert authorizer == {
        "jwt": {
            "claims": {
                "iss": issuer.url,
                "aud": "client",
                "exp": str(int(now) + 60),
                "iat": str(int(now)),
                "sub": "u1",
                "admin": "true",
                "groups": "[x y]",
            },
            "scopes": None,
        }
    }
    # the keys are kept
    assert issuer.asked == ["/pool/.well-known/openid-configuration", "/pool/keys"]


def test_claims_in_format_1(api: Any, functions: Any, issuer: Issuer, now: float) -> None:
    functions.answers("f", {"statusCode": 200})
    protect(api, issuer, "1.0")
    assert api.get("GET", "/", authorization=issuer.token(now)).status == 200
    assert functions.events[0]["requestContext"]["authorizer"]["claims"]["sub"] == "u1"


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"aud": "wrong"}, "the token does not have a valid audience"),
        ({"aud": None}, "the token does not have a valid audience"),
        ({"aud": ["wrong"], "client_id": "client"}, "the token does not have a valid audience"),
        ({"iss": "https://else.example"}, "issuer does not match"),
        ({"exp": 1000}, "the token has expired"),
        ({"exp": None}, "the token has expired"),
        ({"nbf": 4102444800}, ""),
        ({"iat": 4102444800}, ""),
        ({"key": "b"}, ""),
        ({"algorithm": "HS256"}, "signing method HS256 is invalid"),
    ],
)
def test_a_token_that_is_not_valid(
    api: Any, functions: Any, issuer: Issuer, now: float, claims: dict[str, Any], words: str
) -> None:
    protect(api, issuer)
    response = api.get("GET", "/", authorization=f"Bearer {issuer.token(now, **claims)}")
    assert (response.status, body(response)) == (401, UNAUTHORIZED)
    challenge = response.headers["www-authenticate"]
    assert challenge.startswith('Bearer scope="" error="invalid_token" error_description="')
    assert words in challenge
    assert functions.events == []


def test_other_tokens(api: Any, functions: Any, issuer: Issuer, now: float) -> None:
    protect(api, issuer)
    assert api.get("GET", "/").headers["www-authenticate"] == "Bearer"
    assert api.get("GET", "/", authorization="Bearer x.y.z").status == 401
    forged = issuer.token(now)[:-8] + "AAAAAAAA"
    assert api.get("GET", "/", authorization=forged).status == 401
    by_client = issuer.token(now, aud=None, client_id="client")
    assert api.get("GET", "/", authorization=by_client).status == 200
    many = issuer.token(now, aud=["x", "other"])
    assert api.get("GET", "/", authorization=many).status == 200


def test_a_token_ends(api: Any, functions: Any, issuer: Issuer, now: float) -> None:
    protect(api, issuer)
    token = issuer.token(now)
    assert api.get("GET", "/", authorization=token).status == 200
    api.cloud.clock.travel(61)
    assert "the token has expired" in api.get("GET", "/", authorization=token).headers["www-authenticate"]


def test_a_new_key_of_the_issuer_is_found(api: Any, functions: Any, issuer: Issuer, now: float) -> None:
    protect(api, issuer)
    assert api.get("GET", "/", authorization=issuer.token(now)).status == 200
    issuer.published = ["a", "b"]
    api.cloud.clock.travel(20)
    assert api.get("GET", "/", authorization=issuer.token(now, key="b")).status == 200


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"scope": "read write"}, 200),
        ({"scp": ["admin"]}, 200),
        ({"scope": "write"}, 403),
        ({}, 403),
    ],
)
def test_scopes(
    api: Any, functions: Any, issuer: Issuer, now: float, claims: dict[str, Any], status: int
) -> None:
    protect(api, issuer, AuthorizationScopes=["read", "admin"])
    response = api.get("GET", "/", authorization=issuer.token(now, **claims))
    assert response.status == status
    if status == 403:
        assert body(response) == FORBIDDEN
        assert 'scope="read admin" error="insufficient_scope"' in response.headers["www-authenticate"]
    else:
        scopes = functions.events[0]["requestContext"]["authorizer"]["jwt"]["scopes"]
        assert set(scopes) & {"read", "admin"}


def test_an_issuer_that_does_not_answer(api: Any, functions: Any, issuer: Issuer, now: float) -> None:
    authorizer = api.authorizer(
        "jwt",
        AuthorizerType="JWT",
        JwtConfiguration={"Issuer": "http://127.0.0.1:1/", "Audience": ["client"]},
        AuthorizerUri=None,
        AuthorizerPayloadFormatVersion=None,
    )
    api.route("GET /", AuthorizationType="JWT", AuthorizerId=authorizer)
    response = api.get("GET", "/", authorization=issuer.token(now))
    assert response.status == 401
    assert "OIDC discovery endpoint communication error" in response.headers["www-authenticate"]


# -- functions that authorise -------------------------------------------------------------------------------------------


def guard(api: Any, **members: Any) -> str:
    authorizer = api.authorizer(**members)
    api.route("GET /a/{id}", AuthorizationType="CUSTOM", AuthorizerId=authorizer)
    api.route("GET /b", AuthorizationType="CUSTOM", AuthorizerId=authorizer)
    return authorizer


def policy(effect: str, resource: str, **members: Any) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": "u1", "policyDocument": document, **members}


def test_simple_responses(api: Any, functions: Any) -> None:
    functions.says(
        "auth", lambda event: {"isAuthorized": event["identitySource"] == ["yes"], "context": {"n": 1}}
    )
    guard(api, EnableSimpleResponses=True)
    assert api.get("GET", "/a/7?x=1", authorization="yes").status == 200
    asked, called = functions.events
    assert asked["version"] == "2.0"
    assert asked["type"] == "REQUEST"
    assert asked["routeArn"] == f"arn:aws:execute-api:us-east-1:000000000000:{api.id}/$default/GET/a/7"
    assert asked["routeKey"] == "GET /a/{id}"
    assert asked["pathParameters"] == {"id": "7"}
    assert asked["queryStringParameters"] == {"x": "1"}
    assert "body" not in asked
    assert called["requestContext"]["authorizer"] == {"lambda": {"n": 1}}
    response = api.get("GET", "/b", authorization="no")
    assert (response.status, body(response)) == (403, FORBIDDEN)
    response = api.get("GET", "/b")
    assert (response.status, body(response)) == (401, UNAUTHORIZED)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (policy("Allow", "*"), 200),
        (policy("Allow", "arn:aws:execute-api:*:*:*/$default/GET/a/*"), 200),
        (policy("Allow", "arn:aws:execute-api:*:*:*/$default/GET/b"), 403),
        (policy("Deny", "*"), 403),
        ({"policyDocument": {"Statement": []}}, 500),
        ({"principalId": "u", "policyDocument": "x"}, 500),
        ({"isAuthorized": True}, 500),
        (b"not JSON", 500),
    ],
)
def test_policies(api: Any, functions: Any, answer: Any, status: int) -> None:
    functions.answers("auth", answer)
    guard(api)
    response = api.get("GET", "/a/7", authorization="t")
    assert response.status == status
    if status == 500:
        assert body(response) == {"message": "Internal Server Error"}


def test_the_event_and_context_of_format_1(api: Any, functions: Any) -> None:
    functions.answers("auth", policy("Allow", "*", context={"who": "me"}))
    functions.answers("f", {"statusCode": 200})
    authorizer = api.authorizer(AuthorizerPayloadFormatVersion="1.0")
    api.route("GET /a", AuthorizationType="CUSTOM", AuthorizerId=authorizer, version="1.0")
    assert api.get("GET", "/a", authorization="t").status == 200
    asked, called = functions.events
    assert asked["version"] == "1.0"
    assert asked["methodArn"].endswith("/$default/GET/a")
    assert asked["identitySource"] == asked["authorizationToken"] == "t"
    assert called["requestContext"]["authorizer"] == {"who": "me", "principalId": "u1"}


@pytest.mark.parametrize(("message", "status"), [("Unauthorized", 401), ("boom", 500)])
def test_an_authorizer_that_fails(api: Any, functions: Any, message: str, status: int) -> None:
    functions.fails("auth", message)
    guard(api)
    assert api.get("GET", "/b", authorization="t").status == status


def test_results_are_kept_for_their_time(api: Any, functions: Any) -> None:
    calls: list[str] = []

    def auth(event: dict[str, Any]) -> Any:
        calls.append(event["identitySource"][0])
        return policy("Allow", "arn:aws:execute-api:*:*:*/$default/GET/b")

    functions.says("auth", auth)
    authorizer = guard(api, AuthorizerResultTtlInSeconds=60)
    assert [api.get("GET", "/b", authorization=t).status for t in ("t", "t", "u")] == [200, 200, 200]
    # the policy that is kept is applied to each request's own route
    assert api.get("GET", "/a/1", authorization="t").status == 403
    assert calls == ["t", "u"]
    api.cloud.clock.travel(61)
    api.get("GET", "/b", authorization="t")
    assert calls == ["t", "u", "t"]
    api.on("ResetAuthorizersCache", StageName="$default")
    api.get("GET", "/b", authorization="t")
    api.on("UpdateAuthorizer", AuthorizerId=authorizer, AuthorizerResultTtlInSeconds=0)
    api.get("GET", "/b", authorization="t")
    api.get("GET", "/b", authorization="t")
    assert calls == ["t", "u", "t", "t", "t", "t"]


def test_conditions_of_policies_are_refused_out_loud(api: Any, functions: Any) -> None:
    answer = policy("Allow", "*")
    answer["policyDocument"]["Statement"][0]["Condition"] = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    functions.answers("auth", answer)
    guard(api)
    response = api.get("GET", "/b", authorization="t")
    assert response.status == NotEmulated.status
    assert "Condition" in body(response)["message"]


# -- IAM ----------------------------------------------------------------------------------------------------------------


def signed(path: str, secret: str = "test", service: str = "execute-api") -> dict[str, str]:
    credentials = botocore.credentials.Credentials("test", secret)
    request = botocore.awsrequest.AWSRequest("GET", f"http://localhost:3000{path}")
    botocore.auth.SigV4Auth(credentials, service, "us-east-1").add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


def test_signed_requests(api: Any, functions: Any) -> None:
    api.route("GET /x", AuthorizationType="AWS_IAM")
    assert api.get("GET", "/x?a=1", **signed("/x?a=1")).status == 200
    iam = functions.events[0]["requestContext"]["authorizer"]["iam"]
    assert iam["accessKey"] == "test"
    assert iam["accountId"] == "000000000000"
    assert iam["userArn"] == "arn:aws:iam::000000000000:root"
    for headers in ({}, signed("/x", "wrong"), signed("/y"), signed("/x", service="lambda")):
        response = api.get("GET", "/x", **headers)
        assert (response.status, body(response)) == (403, FORBIDDEN)


def test_many_requests_ask_the_issuer_once(api: Any, functions: Any, issuer: Issuer, now: float) -> None:
    protect(api, issuer)
    token = issuer.token(now)

    async def ask() -> list[int]:
        answers = await asyncio.gather(*(api.ask("GET", "/", authorization=token) for _ in range(20)))
        return [answer.status for answer in answers]

    assert asyncio.run(ask()) == [200] * 20
    assert len(issuer.asked) == 2
