"""Fixtures of the service's tests: the service itself, running whole, and people who use it.

`pileus_service` comes with Pileus: the stack of serverless.yml in an embedded cloud of its own, for the whole session.
"""

import re
import uuid
from pathlib import Path

import pytest

from tests.http_client import Api
from tests.people import Person, sign_up

CONFIGURATION = Path(__file__).parents[1] / "serverless.yml"
SERVICE = re.search(r"^service: *(\S+)", CONFIGURATION.read_text(), re.MULTILINE).group(1)
ADMIN_EMAIL = "admin@example.com"


@pytest.fixture(scope="session")
def api(pileus_service) -> Api:
    return Api(pileus_service.api_url)


@pytest.fixture(scope="session")
def stage(pileus_service) -> str:
    return pileus_service.api_url.rstrip("/").rpartition("/")[2]


@pytest.fixture(scope="session")
def service_name() -> str:
    return SERVICE


@pytest.fixture(scope="session")
def secret(pileus_service, stage) -> str:
    """What access tokens are signed with."""
    secrets = pileus_service.client("secretsmanager")
    return secrets.get_secret_value(SecretId=f"{SERVICE}/{stage}/jwt-secret")["SecretString"]


@pytest.fixture(scope="session")
def named(stage):
    """The full name of a resource: `named("users")` → `<service>-<stage>-users`."""
    return lambda suffix: f"{SERVICE}-{stage}-{suffix}"


@pytest.fixture
def email() -> str:
    return f"{uuid.uuid4().hex[:12]}@example.com"


@pytest.fixture
def user(api, email) -> Person:
    return sign_up(api, email).signed_in()


@pytest.fixture
def other(api) -> Person:
    return sign_up(api, f"other-{uuid.uuid4().hex[:12]}@example.com").signed_in()


@pytest.fixture(scope="session")
def admin(api, pileus_service) -> Person:
    person = sign_up(api, ADMIN_EMAIL)
    pileus_service.drain()
    person.confirm(pileus_service.outbox())
    return person.signed_in()


@pytest.fixture(scope="session")
def api_key(pileus_service) -> str:
    keys = pileus_service.client("apigateway").get_api_keys(includeValues=True)["items"]
    return next(key["value"] for key in keys if key["name"].startswith(SERVICE))
