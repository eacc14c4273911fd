"""Secrets Manager: versions and their labels, deletion with a window, passwords, refusals."""

from __future__ import annotations

import asyncio
import string
from typing import Any

import pytest

from pileus.cloud.kernel import AwsError, Cloud, Settings
from pileus.cloud.services import REGISTRY

TOKENS = ["0" * 31 + str(number) for number in range(5)]


class Secrets:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def __call__(self, operation: str, **request: Any) -> dict[str, Any]:
        return self.cloud.call("secretsmanager", operation, request)

    def value(self, name: str = "s", **more: Any) -> Any:
        return self("GetSecretValue", SecretId=name, **more)["SecretString"]


@pytest.fixture
def secrets(cloud: Cloud) -> Secrets:
    return Secrets(cloud)


def test_a_secret_is_found_by_name_arn_and_short_arn(secrets: Secrets) -> None:
    made = secrets("CreateSecret", Name="app/db", SecretString="x", Tags=[{"Key": "k", "Value": "v"}])
    head, _, tail = made["ARN"].rpartition("-")
    assert head == "arn:aws:secretsmanager:us-east-1:000000000000:secret:app/db" and len(tail) == 6
    for name in ("app/db", made["ARN"], head):
        assert secrets.value(name) == "x"
    described = secrets("DescribeSecret", SecretId="app/db")
    assert described["Tags"] == [{"Key": "k", "Value": "v"}]
    assert described["VersionIdsToStages"] == {made["VersionId"]: ["AWSCURRENT"]}


def test_labels_follow_versions(secrets: Secrets) -> None:
    secrets("CreateSecret", Name="s", SecretString="0", ClientRequestToken=TOKENS[0])
    secrets("PutSecretValue", SecretId="s", SecretString="1", ClientRequestToken=TOKENS[1])
    secrets("PutSecretValue", SecretId="s", SecretString="2", ClientRequestToken=TOKENS[2])
    assert secrets.value() == "2" and secrets.value(VersionStage="AWSPREVIOUS") == "1"
    assert secrets.value(VersionId=TOKENS[0]) == "0"
    pending = secrets(
        "PutSecretValue",
        SecretId="s",
        SecretString="3",
        ClientRequestToken=TOKENS[3],
        VersionStages=["AWSPENDING"],
    )
    assert pending["VersionStages"] == ["AWSPENDING"] and secrets.value() == "2"
    secrets(
        "UpdateSecretVersionStage",
        SecretId="s",
        VersionStage="AWSCURRENT",
        RemoveFromVersionId=TOKENS[2],
        MoveToVersionId=TOKENS[3],
    )
    assert secrets.value() == "3" and secrets.value(VersionStage="AWSPREVIOUS") == "2"
    listed = secrets("ListSecretVersionIds", SecretId="s")["Versions"]
    assert {item["VersionId"] for item in listed} == {TOKENS[2], TOKENS[3]}
    every = secrets("ListSecretVersionIds", SecretId="s", IncludeDeprecated=True)["Versions"]
    assert len(every) == 4


def test_the_same_token_again(secrets: Secrets) -> None:
    first = secrets("CreateSecret", Name="s", SecretString="0", ClientRequestToken=TOKENS[0])
    assert secrets("CreateSecret", Name="s", SecretString="0", ClientRequestToken=TOKENS[0]) == first
    secrets("PutSecretValue", SecretId="s", SecretString="0", ClientRequestToken=TOKENS[0])
    with pytest.raises(AwsError) as refused:
        secrets("PutSecretValue", SecretId="s", SecretString="1", ClientRequestToken=TOKENS[0])
    assert refused.value.code == "ResourceExistsException"


def test_binary_values(secrets: Secrets) -> None:
    secrets("CreateSecret", Name="b", SecretBinary=b"\x00\xff")
    found = secrets("GetSecretValue", SecretId="b")
    assert found["SecretBinary"] == b"\x00\xff" and found["SecretString"] is None


@pytest.mark.parametrize(
    ("operation", "request_", "code", "message"),
    [
        ("GetSecretValue", {"SecretId": "none"}, "ResourceNotFoundException", "Secrets Manager can't find the specified secret."),
        ("GetSecretValue", {"SecretId": "empty"}, "ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"),
        ("GetSecretValue", {"SecretId": "s", "VersionId": TOKENS[4]}, "ResourceNotFoundException", f"Secrets Manager can't find the specified secret value for VersionId: {TOKENS[4]}"),
        ("GetSecretValue", {"SecretId": "gone"}, "InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion."),
        ("CreateSecret", {"Name": "s"}, "ResourceExistsException", "The operation failed because the secret s already exists."),
        ("CreateSecret", {"Name": "gone"}, "InvalidRequestException", "You can't create this secret because a secret with this name is already scheduled for deletion."),
        ("CreateSecret", {"Name": "n", "SecretString": "a", "SecretBinary": b"a"}, "InvalidParameterException", "You can't specify both a binary secret value and a string secret value in the same secret."),
        ("CreateSecret", {"Name": "a b"}, "InvalidParameterException", "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"),
        ("PutSecretValue", {"SecretId": "s"}, "InvalidRequestException", "You must provide either SecretString or SecretBinary."),
        ("DeleteSecret", {"SecretId": "s", "RecoveryWindowInDays": 5}, "InvalidParameterException", "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."),
        ("DeleteSecret", {"SecretId": "s", "RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": True}, "InvalidParameterException", "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."),
        ("PutResourcePolicy", {"SecretId": "s", "ResourcePolicy": "{"}, "MalformedPolicyDocumentException", "This resource policy contains invalid Json"),
        ("GetRandomPassword", {"PasswordLength": 3}, "InvalidParameterException", "Password length too short based on the required types."),
        ("BatchGetSecretValue", {}, "InvalidParameterException", "Either 'SecretIdList' or 'Filters' must be provided, but not both."),
    ],
)  # fmt: skip
def test_refusals(secrets: Secrets, operation: str, request_: dict, code: str, message: str) -> None:
    secrets("CreateSecret", Name="s", SecretString="x")
    secrets("CreateSecret", Name="empty")
    secrets("CreateSecret", Name="gone", SecretString="x")
    secrets("DeleteSecret", SecretId="gone")
    with pytest.raises(AwsError) as refused:
        secrets(operation, **request_)
    assert (refused.value.code, refused.value.message) == (code, message)


def test_the_current_label_stays_on_a_version(secrets: Secrets) -> None:
    secrets("CreateSecret", Name="s", SecretString="x", ClientRequestToken=TOKENS[0])
    with pytest.raises(AwsError, match="You can only move staging label AWSCURRENT"):
        secrets(
            "UpdateSecretVersionStage", SecretId="s", VersionStage="AWSCURRENT", RemoveFromVersionId=TOKENS[0]
        )


def test_deletion_waits_for_the_window_and_can_be_taken_back() -> None:
    async def story() -> None:
        cloud = Cloud(REGISTRY, Settings())
        await cloud.start()
        secrets = Secrets(cloud)
        for name in ("goes", "stays"):
            secrets("CreateSecret", Name=name, SecretString="x")
            secrets("DeleteSecret", SecretId=name, RecoveryWindowInDays=7)
        names = [item["Name"] for item in secrets("ListSecrets", IncludePlannedDeletion=True)["SecretList"]]
        assert sorted(names) == ["goes", "stays"] and secrets("ListSecrets")["SecretList"] == []
        secrets("RestoreSecret", SecretId="stays")
        await cloud.travel(6.9 * 86400)
        assert secrets("DescribeSecret", SecretId="goes")["DeletedDate"] is not None
        await cloud.travel(0.2 * 86400)
        with pytest.raises(AwsError, match="can't find the specified secret"):
            secrets("DescribeSecret", SecretId="goes")
        assert secrets.value("stays") == "x"
        secrets("DeleteSecret", SecretId="stays", ForceDeleteWithoutRecovery=True)
        secrets("CreateSecret", Name="stays", SecretString="again")
        await cloud.stop()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("request_", "alphabet", "length"),
    [
        ({}, string.ascii_letters + string.digits + string.punctuation, 32),
        ({"PasswordLength": 64, "ExcludePunctuation": True}, string.ascii_letters + string.digits, 64),
        ({"ExcludeNumbers": True, "ExcludePunctuation": True, "ExcludeUppercase": True}, string.ascii_lowercase, 32),
        ({"ExcludeCharacters": "aeiou", "PasswordLength": 200, "IncludeSpace": True}, (set(string.ascii_letters) - set("aeiou")) | set(string.digits + string.punctuation + " "), 200),
    ],
)  # fmt: skip
def test_random_passwords(secrets: Secrets, request_: dict, alphabet: Any, length: int) -> None:
    password = secrets("GetRandomPassword", **request_)["RandomPassword"]
    assert len(password) == length and set(password) <= set(alphabet)
    if not request_:
        for kind in (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation):
            assert set(password) & set(kind)


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ([{"Key": "name", "Values": ["app/"]}], ["app/db", "app/web"]),
        ([{"Key": "name", "Values": ["App/"]}], []),
        ([{"Key": "name", "Values": ["!app/"]}], ["other"]),
        ([{"Key": "tag-key", "Values": ["env"]}], ["app/web"]),
        ([{"Key": "description", "Values": ["main"]}], ["other"]),
        ([{"Key": "all", "Values": ["main"]}], ["other"]),
        ([{"Key": "name", "Values": ["app/"]}, {"Key": "tag-value", "Values": ["pr"]}], ["app/web"]),
    ],
)
def test_list_filters(secrets: Secrets, filters: list, names: list[str]) -> None:
    secrets("CreateSecret", Name="app/db", SecretString="1")
    secrets("CreateSecret", Name="app/web", SecretString="2", Tags=[{"Key": "env", "Value": "prod"}])
    secrets("CreateSecret", Name="other", SecretString="3", Description="The Main key")
    request = {"Filters": filters, "SortBy": "name", "SortOrder": "asc"}
    found: list[str] = []
    more: dict[str, Any] = {}
    while True:
        page = secrets("ListSecrets", MaxResults=1, **request, **more)
        found += [item["Name"] for item in page["SecretList"]]
        if not page["NextToken"]:
            break
        more = {"NextToken": page["NextToken"]}
    assert found == names


def test_batch(secrets: Secrets) -> None:
    secrets("CreateSecret", Name="s", SecretString="x")
    answer = secrets("BatchGetSecretValue", SecretIdList=["s", "none"])
    assert [item["SecretString"] for item in answer["SecretValues"]] == ["x"]
    assert [(e["SecretId"], e["ErrorCode"]) for e in answer["Errors"]] == [
        ("none", "ResourceNotFoundException")
    ]


def test_policies_and_tags(secrets: Secrets) -> None:
    secrets("CreateSecret", Name="s", SecretString="x")
    secrets("PutResourcePolicy", SecretId="s", ResourcePolicy='{"Statement":[{}]}')
    assert secrets("GetResourcePolicy", SecretId="s")["ResourcePolicy"] == '{"Statement":[{}]}'
    secrets("DeleteResourcePolicy", SecretId="s")
    assert secrets("GetResourcePolicy", SecretId="s")["ResourcePolicy"] is None
    secrets("TagResource", SecretId="s", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    secrets("UntagResource", SecretId="s", TagKeys=["a"])
    assert secrets("DescribeSecret", SecretId="s")["Tags"] == [{"Key": "b", "Value": "2"}]
