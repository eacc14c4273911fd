import base64
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from tests.people import PASSWORD


@pytest.fixture
def issuer(service_name, stage):
    return f"{service_name}/{stage}"


def claims(person, issuer, **changes):
    now = datetime.now(UTC)
    valid = {"iss": issuer, "aud": "api", "iat": now, "exp": now + timedelta(hours=1)}
    return valid | {"sub": person.id, "role": "admin", "email": person.email} | changes


def unsigned(payload):
    parts = ({"alg": "none", "typ": "JWT"}, payload)
    return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts) + "."


def test_a_token_opens_the_api_for_its_user(user):
    assert user.api.get(f"/users/{user.id}").status == 200


def test_a_token_is_good_for_every_route_from_the_cache_too(user):
    statuses = [user.api.get(path).status for path in (f"/users/{user.id}", "/products", "/users", "/products")]
    assert statuses == [200, 200, 403, 200]


@pytest.mark.parametrize(("who", "password"), [("user", "wrong password"), ("nobody@example.com", PASSWORD)])
def test_wrong_password_and_unknown_address_get_the_same_answer(api, user, who, password):
    answer = api.post("/auth/token", {"email": user.email if who == "user" else who, "password": password})
    assert answer.status == 401
    assert answer.json == {"message": "Unknown e-mail address or wrong password"}


def test_a_sign_in_needs_both(api):
    answer = api.post("/auth/token", {"email": "ada@example.com"})
    assert answer.status == 400
    assert "password" in answer.text


def test_without_a_token_the_answer_is_401(api, user):
    answer = api.get(f"/users/{user.id}")
    assert answer.status == 401
    assert answer.json == {"message": "Unauthorized"}
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_the_secret_signs_tokens_that_are_taken(api, user, secret, issuer):
    """The tokens below are refused for what is changed in them, not for how they are made."""
    token = jwt.encode(claims(user, issuer), secret, "HS256")
    assert api.with_token(token).get("/users").status == 200


@pytest.mark.parametrize(
    "case", ["expired", "issuer", "audience", "algorithm", "secret", "none", "malformed", "verification"]
)
def test_bad_tokens_are_refused(api, user, secret, issuer, case):
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    token = {
        "expired": lambda: jwt.encode(claims(user, issuer, exp=long_ago), secret, "HS256"),
        "issuer": lambda: jwt.encode(claims(user, issuer, iss="elsewhere"), secret, "HS256"),
        "audience": lambda: jwt.encode(claims(user, issuer, aud="elsewhere"), secret, "HS256"),
        "algorithm": lambda: jwt.encode(claims(user, issuer), secret, "HS512"),
        "secret": lambda: jwt.encode(claims(user, issuer), "x" * 64, "HS256"),
        "none": lambda: unsigned(claims(user, issuer, iat=1, exp=9_999_999_999)),
        "malformed": lambda: "nonsense",
        "verification": lambda: jwt.encode(claims(user, issuer, aud="verify-email", jti="x"), secret, "HS256"),
    }[case]()
    assert api.with_token(token).get("/products").status == 401


def test_the_link_in_the_mail_confirms_the_address(api, user, pileus_service):
    pileus_service.drain()
    assert user.confirm(pileus_service.outbox()).data == {"id": user.id, "verified": True}
    assert user.confirm(pileus_service.outbox()).status == 200
    assert user.api.get(f"/users/{user.id}").data["verified"] is True


def test_an_address_that_was_changed_is_not_confirmed_by_the_old_link(user, pileus_service, email):
    pileus_service.drain()
    outbox = pileus_service.outbox()
    user.api.put(f"/users/{user.id}", {"email": f"new-{email}"})
    with pytest.raises(AssertionError, match="no longer valid"):
        user.confirm(outbox)


@pytest.mark.parametrize("query", [{}, {"token": "nonsense"}])
def test_a_bad_link_names_the_token(api, query):
    answer = api.get("/auth/verify", **query)
    assert (answer.status, answer.json["field"]) == (400, "token")
