"""JSON Web Tokens, signed with the secret from Secrets Manager (read once in five minutes per environment).

Access tokens and the tokens in confirmation links differ in their audience, so that neither passes for the other.
"""

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt
from aws_lambda_powertools.utilities import parameters

from src.models.user import User
from src.shared.times import DAY, HOUR, MINUTE, now

ALGORITHM = "HS256"
ACCESS, VERIFY = "api", "verify-email"
ACCESS_SECONDS = 1 * HOUR
VERIFY_SECONDS = 7 * DAY
SECRET_SECONDS = 5 * MINUTE


class BadToken(Exception):
    """Absent, malformed, expired, from elsewhere, for something else, or signed otherwise."""


@dataclass(frozen=True, slots=True)
class Access:
    user_id: str
    role: str
    email: str


def issue_access(user: User) -> str:
    return _sign(ACCESS, ACCESS_SECONDS, sub=user.id, role=user.role, email=user.email)


def read_access(token: str) -> Access:
    claims = _read(token, ACCESS, "role", "email")
    return Access(claims["sub"], claims["role"], claims["email"])


def issue_verification(user: User) -> str:
    return _sign(VERIFY, VERIFY_SECONDS, sub=user.id, jti=user.verification_id)


def read_verification(token: str) -> tuple[str, str]:
    """The user's id and the verification id."""
    claims = _read(token, VERIFY, "jti")
    return claims["sub"], claims["jti"]


def _sign(audience: str, seconds: int, **claims: str) -> str:
    moment = now()
    standard = {"iss": _issuer(), "aud": audience, "iat": moment, "exp": moment + timedelta(seconds=seconds)}
    return jwt.encode(standard | claims, _secret(), ALGORITHM)


def _read(token: str, audience: str, *required: str) -> dict[str, Any]:
    try:
        return jwt.decode(
            token,
            _secret(),
            algorithms=[ALGORITHM],
            audience=audience,
            issuer=_issuer(),
            options={"require": ["iss", "aud", "iat", "exp", "sub", *required]},
        )
    except jwt.InvalidTokenError as error:
        raise BadToken(str(error)) from error


def _issuer() -> str:
    return f"{os.environ['POWERTOOLS_SERVICE_NAME']}/{os.environ['STAGE']}"


def _secret() -> str:
    return parameters.get_secret(os.environ["JWT_SECRET_ID"], max_age=SECRET_SECONDS)
