"""The rules of tokens. Only the secret is given; that it comes from Secrets Manager is tested with the service."""

import base64
import json
from datetime import timedelta

import jwt
import pytest

from src.models.user import User
from src.services import tokens
from src.shared.times import now

SECRET = "s" * 64
USER = User("u-1", "ada@example.com", "Ada", "admin", True, "hash", "v-1", "2026-01-01", "2026-01-01")


@pytest.fixture(autouse=True)
def _settings(monkeypatch):
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "shop")
    monkeypatch.setenv("STAGE", "test")
    monkeypatch.setattr(tokens, "_secret", lambda: SECRET)


def claims(**changes):
    valid = {"iss": "shop/test", "aud": "api", "iat": now(), "exp": now() + timedelta(hours=1), "sub": "u-1"}
    merged = valid | {"role": "user", "email": "ada@example.com"} | changes
    return {name: value for name, value in merged.items() if value is not None}


def unsigned(payload):
    parts = ({"alg": "none", "typ": "JWT"}, payload)
    return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts) + "."


def test_an_access_token_says_who_it_is():
    assert tokens.read_access(tokens.issue_access(USER)) == tokens.Access("u-1", "admin", "ada@example.com")


def test_a_verification_token_names_user_and_address():
    assert tokens.read_verification(tokens.issue_verification(USER)) == ("u-1", "v-1")


def test_the_claims_of_the_table_below_are_good_unless_changed():
    assert tokens.read_access(jwt.encode(claims(), SECRET, "HS256")).user_id == "u-1"


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": now() - timedelta(seconds=1)},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"role": None},
        {"email": None},
        {"iss": "elsewhere/test"},
        {"iss": None},
        {"aud": "verify-email"},
        {"aud": None},
    ],
    ids=lambda changes: "-".join(f"{name} {'absent' if value is None else 'wrong'}" for name, value in changes.items()),
)
def test_claims_that_are_wrong_or_absent_are_refused(changes):
    with pytest.raises(tokens.BadToken):
        tokens.read_access(jwt.encode(claims(**changes), SECRET, "HS256"))


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        "a.b.c",
        unsigned({"sub": "u-1", "iss": "shop/test", "aud": "api", "iat": 1, "exp": 9_999_999_999, "role": "admin"}),
        jwt.encode(claims(), SECRET, "HS512"),
        jwt.encode(claims(), "t" * 64, "HS256"),
    ],
    ids=["empty", "nonsense", "three parts", "alg none", "other algorithm", "other secret"],
)
def test_what_is_no_token_of_ours_is_refused(token):
    with pytest.raises(tokens.BadToken):
        tokens.read_access(token)


def test_neither_token_passes_for_the_other():
    with pytest.raises(tokens.BadToken):
        tokens.read_access(tokens.issue_verification(USER))
    with pytest.raises(tokens.BadToken):
        tokens.read_verification(tokens.issue_access(USER))
