"""Every operation of every service, with hostile values in every place of its request: whatever is refused, is
refused in AWS's form, and nothing is a bug of ours."""

from __future__ import annotations

import datetime
import logging
import os
import random
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import botocore.exceptions
import botocore.model
import botocore.parsers
import pytest
from botocore.config import Config

from pileus.cloud.services import REGISTRY
from pileus.testing import EmbeddedCloud

#: Texts that have broken other programs: SQL, paths, markup, control characters, other alphabets, length, numbers.
HOSTILE = (
    "x' OR '1'='1",
    "'; DROP TABLE job; --",
    "%s%n%%_\\",
    "../../../../etc/passwd",
    "/",
    ".",
    "..",
    "a//b",
    "%2e%2e%2f",
    "nul\0nul",
    "\x1b[31m\x7f",
    "<!DOCTYPE x [<!ENTITY e 'e'>]>&e;",
    "${jndi:ldap://x}",
    "{{7*7}}$(id)`id`",
    "\u202e\u2028\ufeff",
    "🦊" * 20,
    "é" * 300,
    "x" * 5000,
    "arn:aws:",
    "arn:aws:sqs:us-east-1:000000000000:base",
    "arn:aws:lambda:us-east-1:000000000000:function:base",
    "arn:aws:iam::000000000000:role/base",
    "arn:::::::::",
    "http://[::1",
    "http://127.0.0.1:1/000000000000/base",
    "-1",
    "99999999999999999999999999",
    "1e400",
    "NaN",
    "9" * 400,
    "null",
    "{}",
    "[",
    '{"a":' * 60 + "1" + "}" * 60,
    "[" * 3000 + "]" * 3000,
    "*",
    "(" * 2000,
    "a" * 30 + "!",
)
NUMBERS = (-(2**63), -1, 0, 1, 2**31 - 1, 2**31, 2**53 + 1, 10**18)
TIMES = (datetime.datetime(1, 1, 2), datetime.datetime(1970, 1, 1), datetime.datetime(9999, 12, 30))
#: Operations that would rightly wait, or end the test's own resources.
LEFT_OUT = {"sts": set(), "cloudformation": {"DeleteStack"}}
#: `SEED=x ROUNDS=80 pytest …` looks further; the default is the same in each run.
SEED = os.environ.get("SEED", "")
ROUNDS = int(os.environ.get("ROUNDS", "6"))
FINE, UNSENT = "fine", "unsent"
_UNREADABLE = (botocore.exceptions.HTTPClientError, botocore.parsers.ResponseParserError)
BASE = "base"
TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},'
    '"Action":"sts:AssumeRole"}]}'
)


def services() -> list[str]:
    return sorted(REGISTRY)


class Hostile:
    """Makes requests for an operation's input shape, the same ones for the same seed."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def request(self, shape: botocore.model.StructureShape | None) -> dict[str, Any]:
        return {} if shape is None else self._structure(shape, 0)

    def _structure(self, shape: Any, depth: int) -> dict[str, Any]:
        required = set(shape.required_members)
        likely = 0.35 if depth < 3 else 0.1
        names = [
            name for name in shape.members if self._random.random() < (0.93 if name in required else likely)
        ]
        if shape.metadata.get("union") or getattr(shape, "is_tagged_union", False):
            names = [self._random.choice(list(shape.members))]
        return {name: self._value(shape.members[name], depth + 1, name) for name in names}

    def _value(self, shape: Any, depth: int, name: str = "") -> Any:
        kind = shape.type_name
        if kind == "structure":
            return self._structure(shape, depth) if depth < 7 else {}
        if kind == "list":
            count = self._random.choice((0, 1, 1, 2)) if depth < 6 else 0
            return [self._value(shape.member, depth + 1, name) for _ in range(count)]
        if kind == "map":
            count = self._random.choice((0, 1, 2)) if depth < 6 else 0
            return {
                self._text(shape.key, name): self._value(shape.value, depth + 1, name) for _ in range(count)
            }
        if kind in ("integer", "long"):
            return self._random.choice(NUMBERS)
        if kind in ("float", "double"):
            return float(self._random.choice(NUMBERS))
        if kind == "boolean":
            return self._random.random() < 0.5
        if kind == "timestamp":
            return self._random.choice(TIMES)
        if kind == "blob":
            return self._random.choice(HOSTILE).encode()
        return self._text(shape, name)

    def _text(self, shape: Any, name: str) -> str:
        """A hostile text; often enough one that leads further in: a known value, or the name of what is there."""
        if shape.enum and self._random.random() < 0.9:
            return str(self._random.choice(shape.enum))
        if (
            name.lower().endswith(("name", "id", "bucket", "arn", "url", "table"))
            and self._random.random() < 0.6
        ):
            return BASE
        return self._random.choice(HOSTILE)


@pytest.fixture(scope="module")
def hostile_cloud() -> Iterator[EmbeddedCloud]:
    with EmbeddedCloud() as aws:
        _base_resources(aws)
        yield aws


def _base_resources(aws: EmbeddedCloud) -> None:
    """Something to find under the name `base`, so that requests get further than "does not exist"."""
    aws.client("sqs").create_queue(QueueName=BASE)
    aws.client("s3").create_bucket(Bucket=BASE)
    aws.client("s3").put_object(Bucket=BASE, Key=BASE, Body=b"base")
    aws.client("dynamodb").create_table(
        TableName=BASE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    iam = aws.client("iam")
    iam.create_role(RoleName=BASE, AssumeRolePolicyDocument=TRUST)
    iam.create_user(UserName=BASE)
    iam.create_group(GroupName=BASE)
    aws.client("logs").create_log_group(logGroupName=BASE)
    aws.client("logs").create_log_stream(logGroupName=BASE, logStreamName=BASE)
    aws.client("secretsmanager").create_secret(Name=BASE, SecretString="{}")
    aws.client("ssm").put_parameter(Name=BASE, Value=BASE, Type="String")
    aws.client("events").put_rule(Name=BASE, EventPattern='{"source":["a"]}')


@pytest.mark.parametrize("service", services())
def test_no_request_finds_a_bug(
    hostile_cloud: EmbeddedCloud, service: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    client = hostile_cloud.client(
        service,
        config=Config(parameter_validation=False, read_timeout=8, s3={"addressing_style": "path"}),
    )
    known = set(hostile_cloud.within(lambda cloud: list(cloud.service(service).operations)))
    methods = {name: method for method, name in client.meta.method_to_api_mapping.items()}
    bugs: list[str] = []
    sent = 0
    for operation in sorted(known - LEFT_OUT.get(service, set())):
        shape = client.meta.service_model.operation_model(operation).input_shape
        for turn in range(ROUNDS):
            request = Hostile(f"{SEED}{service}.{operation}.{turn}").request(shape)
            request.pop("WaitTimeSeconds", None)
            caplog.clear()
            outcome = _outcome(getattr(client, methods[operation]), request)
            logged = [
                each for each in caplog.records if each.name.startswith(("pileus", "asyncio", "uvicorn"))
            ]
            sent += outcome != UNSENT
            if outcome not in (FINE, UNSENT) or logged:
                trace = logged[0].exc_text or logged[0].getMessage() if logged else ""
                bugs.append(f"{operation} {turn}: {outcome} for {request!r:.400}\n{trace[-900:]}")
    assert not bugs, f"{len(bugs)} bugs:\n" + "\n".join(bugs)
    assert sent > len(known)


def _outcome(method: Any, request: dict[str, Any]) -> str:
    """FINE for an answer and for a proper refusal, UNSENT where botocore can't write the request."""
    try:
        answer = method(**request)
    except botocore.exceptions.ClientError as error:
        answer = error.response
    except _UNREADABLE as error:
        return UNSENT if "Invalid header name" in str(error) else repr(error)[:300]
    except ElementTree.ParseError:
        return UNSENT  # GetBucketLocation, which wants XML: a header with control characters never gets to an API
    except (botocore.exceptions.BotoCoreError, ValueError, TypeError, AttributeError, KeyError):
        return UNSENT
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    code = answer.get("Error", {}).get("Code", "")
    if code == "500":
        return UNSENT  # botocore's word for an answer of S3 that quotes a control character, as S3 does
    if status < 400 or (code and (status < 500 or code == "NotEmulated")):
        return FINE
    return f"{status} {code}"
