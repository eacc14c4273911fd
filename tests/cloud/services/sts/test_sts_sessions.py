"""Sessions: who may open one, how long it lasts, whom it speaks for."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from pileus.cloud.kernel import AwsError, Cloud, Principal, Settings
from pileus.cloud.services import REGISTRY

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app/R"
LAMBDA = Principal.service("lambda.amazonaws.com", ACCOUNT)
ROOT = Principal.root(ACCOUNT)
ANN = Principal("user", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/Ann", "AIDAX")
STRANGER = Principal("user", "999999999999", "arn:aws:iam::999999999999:user/Eve", "AIDAY")
SESSION = Principal("role", ACCOUNT, f"arn:aws:sts::{ACCOUNT}:assumed-role/Caller/s", "AROAX:s")


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    cloud = Cloud(REGISTRY, Settings(account=ACCOUNT))
    yield cloud
    cloud.store.close()


def make_role(cloud: Cloud, principal: object, seconds: int = 3600, **statement: object) -> None:
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **statement}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    cloud.call(
        "iam",
        "CreateRole",
        {
            "RoleName": "R",
            "Path": "/app/",
            "AssumeRolePolicyDocument": document,
            "MaxSessionDuration": seconds,
        },
    )


def assume(cloud: Cloud, principal: Principal, **more: object) -> dict:
    request = {"RoleArn": ROLE, "RoleSessionName": "s1", **more}
    return cloud.call("sts", "AssumeRole", request, principal=principal)


@pytest.mark.parametrize(
    ("trusted", "principal", "allowed"),
    [
        ({"Service": "lambda.amazonaws.com"}, LAMBDA, True),
        ({"Service": ["edgelambda.amazonaws.com", "lambda.amazonaws.com"]}, LAMBDA, True),
        ({"Service": "events.amazonaws.com"}, LAMBDA, False),
        ({"Service": "lambda.amazonaws.com"}, ROOT, False),
        ({"AWS": "*"}, LAMBDA, False),
        ({"AWS": ACCOUNT}, ANN, True),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, ANN, True),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, ROOT, True),
        ({"AWS": ANN.arn}, ANN, True),
        ({"AWS": ANN.arn}, STRANGER, False),
        ({"AWS": ACCOUNT}, STRANGER, False),
        ({"AWS": "*"}, STRANGER, True),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/deep/Caller"}, SESSION, True),
        ({"AWS": SESSION.arn}, SESSION, True),
    ],
)
def test_the_trust_policy_decides(cloud: Cloud, trusted: dict, principal: Principal, allowed: bool) -> None:
    make_role(cloud, trusted)
    if allowed:
        answer = assume(cloud, principal)
        assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/R/s1"
        return
    with pytest.raises(AwsError) as refused:
        assume(cloud, principal)
    assert refused.value.code == "AccessDenied" and refused.value.status == 403
    assert refused.value.message == (
        f"User: {principal.arn} is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
    )


def test_a_missing_role_is_denied_like_a_closed_one(cloud: Cloud) -> None:
    with pytest.raises(AwsError, match="AccessDenied"):
        assume(cloud, ANN)


def test_external_id(cloud: Cloud) -> None:
    make_role(cloud, {"AWS": ACCOUNT}, Condition={"StringEquals": {"sts:ExternalId": "abc"}})
    assume(cloud, ANN, ExternalId="abc")
    for wrong in ({}, {"ExternalId": "abd"}):
        with pytest.raises(AwsError, match="AccessDenied"):
            assume(cloud, ANN, **wrong)


@pytest.mark.parametrize(
    ("seconds", "principal", "message"),
    [
        (900, ANN, None),
        (7200, ANN, None),
        (899, ANN, "greater than or equal to 900"),
        (43201, ANN, "less than or equal to 43200"),
        (7201, ANN, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."),
        (3601, SESSION, "1 hour session limit for roles assumed by role chaining"),
    ],
)
def test_durations(cloud: Cloud, seconds: int, principal: Principal, message: str | None) -> None:
    make_role(cloud, {"AWS": ACCOUNT}, 7200)
    if message is None:
        credentials = assume(cloud, principal, DurationSeconds=seconds)["Credentials"]
        assert credentials["Expiration"] == pytest.approx(cloud.clock.now() + seconds, abs=2)
        return
    with pytest.raises(AwsError, match=message) as refused:
        assume(cloud, principal, DurationSeconds=seconds)
    assert refused.value.code == "ValidationError"


def test_a_session_speaks_for_its_role(cloud: Cloud) -> None:
    make_role(cloud, {"Service": "lambda.amazonaws.com"})
    answer = assume(cloud, LAMBDA)
    credentials = answer["Credentials"]
    assert credentials["AccessKeyId"].startswith("ASIA") and len(credentials["AccessKeyId"]) == 20
    found = cloud.service("sts").credential(credentials["AccessKeyId"])
    assert found.secret_access_key == credentials["SecretAccessKey"]
    assert found.session_token == credentials["SessionToken"]
    assert found.expires == credentials["Expiration"]
    identity = cloud.call("sts", "GetCallerIdentity", {}, principal=found.principal)
    assert identity == {
        "UserId": answer["AssumedRoleUser"]["AssumedRoleId"],
        "Account": ACCOUNT,
        "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/R/s1",
    }
    info = cloud.call("sts", "GetAccessKeyInfo", {"AccessKeyId": credentials["AccessKeyId"]})
    assert info == {"Account": ACCOUNT}
    assert cloud.service("sts").credential("ASIAXXXXXXXXXXXXXXXX") is None


def test_expired_sessions_are_known_for_a_day_then_forgotten(cloud: Cloud) -> None:
    make_role(cloud, {"AWS": ACCOUNT})
    key = assume(cloud, ANN)["Credentials"]["AccessKeyId"]
    cloud.clock.travel(3601)
    assert cloud.service("sts").credential(key).expires < cloud.clock.now()
    cloud.clock.travel(2 * 86400)
    assume(cloud, ANN)
    assert cloud.service("sts").session(key) is None


def test_session_tokens_of_users(cloud: Cloud) -> None:
    answer = cloud.call("sts", "GetSessionToken", {}, principal=ANN)["Credentials"]
    assert cloud.service("sts").credential(answer["AccessKeyId"]).principal.arn == ANN.arn
    with pytest.raises(AwsError, match="Cannot call GetSessionToken with session credentials"):
        cloud.call("sts", "GetSessionToken", {}, principal=SESSION)
