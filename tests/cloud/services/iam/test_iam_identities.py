"""Roles, users, groups and their policies, as IAM answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from pileus.cloud.kernel import AwsError, Cloud, NotEmulated, Settings
from pileus.cloud.services import REGISTRY

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}}
)
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


class Iam:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def __call__(self, operation: str, **request: object) -> dict:
        return self.cloud.call("iam", operation, request)


@pytest.fixture
def iam() -> Iterator[Iam]:
    cloud = Cloud(REGISTRY, Settings(account="123456789012"))
    yield Iam(cloud)
    cloud.store.close()


def role(iam: Iam, name: str = "R", **more: object) -> dict:
    return iam("CreateRole", RoleName=name, AssumeRolePolicyDocument=TRUST, **more)["Role"]


def test_a_role_has_arn_id_and_encoded_trust_policy(iam: Iam) -> None:
    made = role(iam, "R", Path="/a/b/", Description="d", Tags=[{"Key": "k", "Value": "v"}])
    assert made["Arn"] == "arn:aws:iam::123456789012:role/a/b/R"
    assert made["RoleId"].startswith("AROA") and len(made["RoleId"]) == 21
    got = iam("GetRole", RoleName="r")["Role"]
    assert json.loads(unquote(got["AssumeRolePolicyDocument"])) == json.loads(TRUST)
    assert "{" not in got["AssumeRolePolicyDocument"]
    assert got["Tags"] == [{"Key": "k", "Value": "v"}]
    assert got["MaxSessionDuration"] == 3600


def test_lists_page_in_the_order_of_names(iam: Iam) -> None:
    for name in ("c", "a", "B"):
        role(iam, name)
    role(iam, "z", Path="/other/")
    first = iam("ListRoles", MaxItems=2)
    assert [r["RoleName"] for r in first["Roles"]] == ["a", "B"]
    assert first["IsTruncated"] is True
    rest = iam("ListRoles", Marker=first["Marker"])
    assert [r["RoleName"] for r in rest["Roles"]] == ["c", "z"]
    assert rest["IsTruncated"] is False
    assert [r["RoleName"] for r in iam("ListRoles", PathPrefix="/other/")["Roles"]] == ["z"]


def setup_conflicts(iam: Iam) -> None:
    role(iam, "attached")
    iam("AttachRolePolicy", RoleName="attached", PolicyArn=BASIC)
    role(iam, "inline")
    iam("PutRolePolicy", RoleName="inline", PolicyName="p", PolicyDocument=POLICY)
    iam("CreateUser", UserName="keyed")
    iam("CreateAccessKey", UserName="keyed")
    iam("CreateAccessKey", UserName="keyed")
    iam("CreateGroup", GroupName="G")
    iam("CreateUser", UserName="member")
    iam("AddUserToGroup", GroupName="G", UserName="member")
    iam("CreatePolicy", PolicyName="used", PolicyDocument=POLICY)
    iam("AttachRolePolicy", RoleName="inline", PolicyArn="arn:aws:iam::123456789012:policy/used")
    for _ in range(4):
        iam(
            "CreatePolicyVersion",
            PolicyArn="arn:aws:iam::123456789012:policy/used",
            PolicyDocument=POLICY,
        )


USED = "arn:aws:iam::123456789012:policy/used"


@pytest.mark.parametrize(
    ("operation", "request_", "code", "message"),
    [
        ("GetRole", {"RoleName": "x"}, "NoSuchEntity", "The role with name x cannot be found."),
        ("GetUser", {"UserName": "x"}, "NoSuchEntity", "The user with name x cannot be found."),
        ("GetGroup", {"GroupName": "x"}, "NoSuchEntity", "The group with name x cannot be found."),
        (
            "GetPolicy",
            {"PolicyArn": "arn:aws:iam::123456789012:policy/x"},
            "NoSuchEntity",
            "Policy arn:aws:iam::123456789012:policy/x was not found.",
        ),
        (
            "GetRolePolicy",
            {"RoleName": "inline", "PolicyName": "x"},
            "NoSuchEntity",
            "The role policy with name x cannot be found.",
        ),
        (
            "AttachRolePolicy",
            {"RoleName": "inline", "PolicyArn": "arn:aws:iam::123456789012:policy/x"},
            "NoSuchEntity",
            "Policy arn:aws:iam::123456789012:policy/x does not exist or is not attachable.",
        ),
        (
            "DetachRolePolicy",
            {"RoleName": "inline", "PolicyArn": BASIC},
            "NoSuchEntity",
            f"Policy {BASIC} was not found.",
        ),
        (
            "CreateRole",
            {"RoleName": "INLINE", "AssumeRolePolicyDocument": TRUST},
            "EntityAlreadyExists",
            "Role with name INLINE already exists.",
        ),
        (
            "CreatePolicy",
            {"PolicyName": "used", "PolicyDocument": POLICY},
            "EntityAlreadyExists",
            "A policy called used already exists. Duplicate names are not allowed.",
        ),
        (
            "DeleteRole",
            {"RoleName": "attached"},
            "DeleteConflict",
            "Cannot delete entity, must detach all policies first.",
        ),
        (
            "DeleteRole",
            {"RoleName": "inline"},
            "DeleteConflict",
            "Cannot delete entity, must detach all policies first.",
        ),
        (
            "DeleteUser",
            {"UserName": "keyed"},
            "DeleteConflict",
            "Cannot delete entity, must delete access keys first.",
        ),
        (
            "DeleteGroup",
            {"GroupName": "G"},
            "DeleteConflict",
            "Cannot delete entity, must remove users from group first.",
        ),
        (
            "DeletePolicy",
            {"PolicyArn": USED},
            "DeleteConflict",
            "Cannot delete a policy attached to entities.",
        ),
        (
            "DeletePolicyVersion",
            {"PolicyArn": USED, "VersionId": "v1"},
            "DeleteConflict",
            "Cannot delete the default version of a policy.",
        ),
        (
            "CreatePolicyVersion",
            {"PolicyArn": USED, "PolicyDocument": POLICY},
            "LimitExceeded",
            "A managed policy can have up to 5 versions. Before you create a new version, you must delete an"
            " existing version.",
        ),
        (
            "CreateAccessKey",
            {"UserName": "keyed"},
            "LimitExceeded",
            "Cannot exceed quota for AccessKeysPerUser: 2",
        ),
        (
            "DeleteAccessKey",
            {"UserName": "keyed", "AccessKeyId": "AKIAXXXXXXXXXXXXXXXX"},
            "NoSuchEntity",
            "The Access Key with id AKIAXXXXXXXXXXXXXXXX cannot be found.",
        ),
        (
            "TagRole",
            {"RoleName": "inline", "Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]},
            "InvalidInput",
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        ),
    ],
)
def test_refusals_in_iams_words(iam: Iam, operation: str, request_: dict, code: str, message: str) -> None:
    setup_conflicts(iam)
    with pytest.raises(AwsError) as refused:
        iam(operation, **request_)
    assert (refused.value.code, refused.value.message) == (code, message)


def _statement(**changes: object) -> str:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"} | changes
    return json.dumps({"Version": "2012-10-17", "Statement": [{k: v for k, v in statement.items() if v}]})


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "Syntax errors in policy."),
        ("[]", "Syntax errors in policy."),
        ('{"Version":"2012-10-17"}', "Syntax errors in policy."),
        (
            '{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
            "Policy document must be version 2012-10-17 or greater.",
        ),
        (_statement(Effect="allow"), "Syntax errors in policy."),
        (_statement(Action=None), "Policy statement must contain actions."),
        (_statement(Resource=None), "Policy statement must contain resources."),
        (_statement(Principal="*"), "Policy document should not specify a principal."),
        (_statement(Resource="bucket"), 'Resource bucket must be in ARN format or "*".'),
        (
            _statement(Action="GetObject"),
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        (_statement(Colour="red"), "Syntax errors in policy."),
    ],
)
def test_malformed_identity_policies(iam: Iam, document: str, message: str) -> None:
    role(iam)
    with pytest.raises(AwsError) as refused:
        iam("PutRolePolicy", RoleName="R", PolicyName="p", PolicyDocument=document)
    assert (refused.value.code, refused.value.message) == ("MalformedPolicyDocument", message)
    assert iam("ListRolePolicies", RoleName="R")["PolicyNames"] == []


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ({"Principal": {"AWS": "*"}, "Resource": "*"}, "Has prohibited field Resource"),
        ({}, "Missing required field Principal"),
        (
            {"Principal": "*", "Action": "s3:Get"},
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        ({"Principal": {"Service": "lambda"}}, 'Invalid principal in policy: "SERVICE":"lambda"'),
        ({"Principal": {"AWS": "me"}}, 'Invalid principal in policy: "AWS":"me"'),
    ],
)
def test_malformed_trust_policies(iam: Iam, statement: dict, message: str) -> None:
    document = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", **statement}]}
    with pytest.raises(AwsError) as refused:
        iam("CreateRole", RoleName="R", AssumeRolePolicyDocument=json.dumps(document))
    assert (refused.value.code, refused.value.message) == ("MalformedPolicyDocument", message)


def test_policy_versions(iam: Iam) -> None:
    arn = iam("CreatePolicy", PolicyName="P", PolicyDocument=POLICY)["Policy"]["Arn"]
    second = iam("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=POLICY, SetAsDefault=True)
    assert second["PolicyVersion"]["VersionId"] == "v2"
    assert iam("GetPolicy", PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v2"
    iam("DeletePolicyVersion", PolicyArn=arn, VersionId="v1")
    third = iam("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=POLICY)["PolicyVersion"]
    assert (third["VersionId"], third["IsDefaultVersion"]) == ("v3", False)
    versions = iam("ListPolicyVersions", PolicyArn=arn)["Versions"]
    assert [(v["VersionId"], v["IsDefaultVersion"]) for v in versions] == [("v3", False), ("v2", True)]
    iam("SetDefaultPolicyVersion", PolicyArn=arn, VersionId="v3")
    iam("DeletePolicyVersion", PolicyArn=arn, VersionId="v2")
    iam("DeletePolicy", PolicyArn=arn)


def test_aws_managed_policies_have_documents_and_unknown_ones_are_refused(iam: Iam) -> None:
    version = iam("GetPolicyVersion", PolicyArn=BASIC, VersionId="v1")["PolicyVersion"]
    statement = json.loads(unquote(version["Document"]))["Statement"][0]
    assert statement["Action"] == ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    role(iam)
    with pytest.raises(NotEmulated, match="AWSNoSuchThing"):
        iam("AttachRolePolicy", RoleName="R", PolicyArn="arn:aws:iam::aws:policy/AWSNoSuchThing")
    iam("AttachRolePolicy", RoleName="R", PolicyArn=BASIC)
    assert iam("GetPolicy", PolicyArn=BASIC)["Policy"]["AttachmentCount"] == 1
    entities = iam("ListEntitiesForPolicy", PolicyArn=BASIC)
    assert [r["RoleName"] for r in entities["PolicyRoles"]] == ["R"]


def test_list_policies_by_scope(iam: Iam) -> None:
    iam("CreatePolicy", PolicyName="mine", PolicyDocument=POLICY)
    assert [p["PolicyName"] for p in iam("ListPolicies", Scope="Local")["Policies"]] == ["mine"]
    names, marker = [], {}
    while True:
        page = iam("ListPolicies", MaxItems=5, **marker)
        names += [p["Arn"] for p in page["Policies"]]
        if not page["IsTruncated"]:
            break
        marker = {"Marker": page["Marker"]}
    assert names[0].endswith("policy/mine") and BASIC in names
    assert len(names) == len(set(names)) == 1 + len(iam("ListPolicies", Scope="AWS")["Policies"])


def test_access_keys_speak_for_their_user(iam: Iam) -> None:
    iam("CreateUser", UserName="Ann", Path="/team/")
    key = iam("CreateAccessKey", UserName="Ann")["AccessKey"]
    assert key["AccessKeyId"].startswith("AKIA") and len(key["AccessKeyId"]) == 20
    assert len(key["SecretAccessKey"]) == 40
    number = int.from_bytes(base64.b32decode(key["AccessKeyId"][4:])[:6], "big")
    assert f"{(number & 0x7FFFFFFFFF80) >> 7:012d}" == "123456789012"
    service = iam.cloud.service("iam")
    found = service.credential(key["AccessKeyId"])
    assert found.secret_access_key == key["SecretAccessKey"] and found.active
    assert found.principal.arn == "arn:aws:iam::123456789012:user/team/Ann"
    iam("UpdateAccessKey", UserName="Ann", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert service.credential(key["AccessKeyId"]).active is False
    iam("UpdateUser", UserName="Ann", NewUserName="Bea")
    assert service.credential(key["AccessKeyId"]).principal.arn.endswith("user/team/Bea")
    iam("DeleteAccessKey", UserName="Bea", AccessKeyId=key["AccessKeyId"])
    assert service.credential(key["AccessKeyId"]) is None


def test_a_rolled_back_key_is_unknown(iam: Iam) -> None:
    iam("CreateUser", UserName="Ann")
    service = iam.cloud.service("iam")
    with pytest.raises(ZeroDivisionError), iam.cloud.store.transaction():
        key = iam("CreateAccessKey", UserName="Ann")["AccessKey"]["AccessKeyId"]
        assert service.credential(key) is not None
        raise ZeroDivisionError
    assert service.credential(key) is None


def test_accounts_do_not_meet_and_regions_are_one(iam: Iam) -> None:
    role(iam)
    with pytest.raises(AwsError, match="cannot be found"):
        iam.cloud.call("iam", "GetRole", {"RoleName": "R"}, account="999999999999")
    assert iam.cloud.call("iam", "GetRole", {"RoleName": "R"}, region="eu-west-1")["Role"]["RoleName"] == "R"


def test_state_outlives_the_process(tmp_path: Path) -> None:
    first = Cloud(REGISTRY, Settings(state=tmp_path))
    role(Iam(first))
    first.store.close()
    second = Cloud(REGISTRY, Settings(state=tmp_path))
    assert Iam(second)("GetRole", RoleName="R")["Role"]["RoleName"] == "R"
    second.store.close()
