"""The Parameter Store: versions, selectors, paths, labels, tags, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from pileus.cloud.kernel import AwsError, Cloud


class Ssm:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def __call__(self, operation: str, **request: Any) -> dict[str, Any]:
        return self.cloud.call("ssm", operation, request)

    def put(self, name: str, value: str = "v", kind: str = "String", **more: Any) -> dict[str, Any]:
        return self("PutParameter", Name=name, Value=value, Type=kind, **more)

    def get(self, name: str, **more: Any) -> dict[str, Any]:
        return self("GetParameter", Name=name, **more)["Parameter"]


@pytest.fixture
def ssm(cloud: Cloud) -> Ssm:
    return Ssm(cloud)


def test_versions_and_selectors(ssm: Ssm) -> None:
    assert ssm.put("/a/b", "1") == {"Version": 1, "Tier": "Standard"}
    assert ssm.put("/a/b", "2", Overwrite=True)["Version"] == 2
    ssm("LabelParameterVersion", Name="/a/b", ParameterVersion=1, Labels=["first"])
    assert (ssm.get("/a/b")["Value"], ssm.get("/a/b:1")["Value"], ssm.get("/a/b:first")["Value"]) == (
        "2",
        "1",
        "1",
    )
    assert ssm.get("/a/b:first")["Selector"] == ":first"
    arn = ssm.get("/a/b")["ARN"]
    assert arn == "arn:aws:ssm:us-east-1:000000000000:parameter/a/b"
    assert ssm.get(arn)["Value"] == "2" and ssm.get(f"{arn}:1")["Value"] == "1"
    ssm.put("plain")
    assert ssm.get("plain")["ARN"].endswith(":parameter/plain")
    assert ssm.get(ssm.get("plain")["ARN"])["Name"] == "plain"


def test_secure_strings_are_shown_on_demand(ssm: Ssm) -> None:
    ssm.put("/s", "hidden", "SecureString")
    assert ssm.get("/s", WithDecryption=True)["Value"] == "hidden"
    closed = ssm.get("/s")["Value"]
    assert "hidden" not in closed and closed == ssm.get("/s")["Value"]
    found = ssm("DescribeParameters")["Parameters"][0]
    assert found["KeyId"] == "alias/aws/ssm" and "Value" not in found


@pytest.mark.parametrize(
    ("path", "recursive", "names"),
    [
        ("/a", False, ["/a/x", "/a/y"]),
        ("/a/", False, ["/a/x", "/a/y"]),
        ("/a", True, ["/a/b/z", "/a/x", "/a/y"]),
        ("/", False, ["/top"]),
        ("/", True, ["/a/b/z", "/a/x", "/a/y", "/ab/x", "/top"]),
        ("/none", True, []),
    ],
)
def test_paths(ssm: Ssm, path: str, recursive: bool, names: list[str]) -> None:
    for name in ("/a/x", "/a/y", "/a/b/z", "/ab/x", "/top", "flat"):
        ssm.put(name)
    found: list[str] = []
    more: dict[str, Any] = {}
    while True:
        page = ssm("GetParametersByPath", Path=path, Recursive=recursive, MaxResults=2, **more)
        assert len(page["Parameters"]) <= 2
        found += [item["Name"] for item in page["Parameters"]]
        if not page["NextToken"]:
            break
        more = {"NextToken": page["NextToken"]}
    assert found == names


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ([{"Key": "Name", "Option": "BeginsWith", "Values": ["/a"]}], ["/a/x", "/a/y"]),
        ([{"Key": "Name", "Option": "Contains", "Values": ["x"]}], ["/a/x"]),
        ([{"Key": "Type", "Values": ["SecureString"]}], ["/a/y"]),
        ([{"Key": "tag:team", "Values": ["red"]}], ["/a/x"]),
        ([{"Key": "tag:team"}], ["/a/x"]),
        ([{"Key": "Path", "Option": "Recursive", "Values": ["/"]}], ["/a/x", "/a/y", "/top"]),
        ([{"Key": "Path", "Values": ["/"]}], ["/top"]),
        ([{"Key": "Label", "Values": ["live"]}], ["/top"]),
    ],
)
def test_describe_filters(ssm: Ssm, filters: list, names: list[str]) -> None:
    ssm.put("/a/x", Tags=[{"Key": "team", "Value": "red"}])
    ssm.put("/a/y", kind="SecureString")
    ssm.put("/top")
    ssm("LabelParameterVersion", Name="/top", Labels=["live"])
    found = ssm("DescribeParameters", ParameterFilters=filters)["Parameters"]
    assert [item["Name"] for item in found] == names


@pytest.mark.parametrize(
    ("operation", "request_", "code", "message"),
    [
        ("GetParameter", {"Name": "/none"}, "ParameterNotFound", ""),
        ("GetParameter", {"Name": "/there:9"}, "ParameterVersionNotFound", "Systems Manager could not find version 9 of /there. Verify the version and try again."),
        ("GetParameter", {"Name": "/there:gone"}, "ParameterVersionNotFound", "Systems Manager could not find label gone for parameter /there. Verify the label and try again."),
        ("DeleteParameter", {"Name": "/none"}, "ParameterNotFound", ""),
        ("PutParameter", {"Name": "/there", "Value": "x", "Type": "String"}, "ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true."),
        ("PutParameter", {"Name": "/new", "Value": "x"}, "ValidationException", "A parameter type is required when you create a parameter."),
        ("PutParameter", {"Name": "a/b", "Value": "x", "Type": "String"}, "ValidationException", "Parameter name must be a fully qualified name."),
        ("PutParameter", {"Name": "/aws/x", "Value": "x", "Type": "String"}, "AccessDeniedException", "No access to reserved parameter name: /aws/x."),
        ("PutParameter", {"Name": "/" + "/".join("a" * 16), "Value": "x", "Type": "String"}, "HierarchyLevelLimitExceededException", "A hierarchy can have a maximum of 15 levels."),
        ("PutParameter", {"Name": "/n", "Value": "abc", "Type": "String", "AllowedPattern": "^[0-9]+$"}, "ParameterPatternMismatchException", "Parameter value, cannot be validated against allowedPattern: ^[0-9]+$"),
        ("PutParameter", {"Name": "/n", "Value": "abc", "Type": "String", "AllowedPattern": "("}, "InvalidAllowedPatternException", "Invalid regular expression: ("),
        ("PutParameter", {"Name": "/n", "Value": "x", "Type": "String", "Policies": "[]"}, "NotEmulated", "Pileus does not emulate ssm PutParameter.Policies yet; the call was refused and nothing was changed."),
        ("AddTagsToResource", {"ResourceType": "Parameter", "ResourceId": "/none", "Tags": []}, "InvalidResourceId", "The resource ID is not valid. Verify that you entered the correct ID and try again."),
        ("DescribeParameters", {"ParameterFilters": [{"Key": "Name", "Option": "Like", "Values": ["x"]}]}, "InvalidFilterOption", "The following filter option is not valid: Like. Valid options include: [BeginsWith, Equals]. (filter key Name)"),
    ],
)  # fmt: skip
def test_refusals(ssm: Ssm, operation: str, request_: dict, code: str, message: str) -> None:
    ssm.put("/there")
    with pytest.raises(AwsError) as refused:
        ssm(operation, **request_)
    assert (refused.value.code, refused.value.message) == (code, message)


def test_tiers(ssm: Ssm) -> None:
    with pytest.raises(AwsError, match="Standard tier parameters support a maximum parameter value of 4096"):
        ssm.put("/big", "x" * 4097)
    assert ssm.put("/big", "x" * 4097, Tier="Intelligent-Tiering")["Tier"] == "Advanced"
    with pytest.raises(AwsError, match="You can't downgrade a parameter"):
        ssm.put("/big", "x", Tier="Standard", Overwrite=True)


def test_get_parameters_names_the_invalid(ssm: Ssm) -> None:
    ssm.put("/a")
    answer = ssm("GetParameters", Names=["/a", "/b", "/a:7"])
    assert [item["Name"] for item in answer["Parameters"]] == ["/a"]
    assert answer["InvalidParameters"] == ["/b", "/a:7"]
    assert ssm("DeleteParameters", Names=["/a", "/b"]) == {
        "DeletedParameters": ["/a"],
        "InvalidParameters": ["/b"],
    }


def test_a_hundred_versions_are_kept_and_labels_hold_the_oldest(ssm: Ssm) -> None:
    ssm.put("/v")
    for _ in range(100):
        ssm.put("/v", Overwrite=True)
    history = ssm("GetParameterHistory", Name="/v")
    assert [item["Version"] for item in history["Parameters"]] == list(range(2, 52))
    ssm("LabelParameterVersion", Name="/v", ParameterVersion=2, Labels=["keep"])
    with pytest.raises(AwsError) as refused:
        ssm.put("/v", Overwrite=True)
    assert refused.value.code == "ParameterMaxVersionLimitExceeded"
    assert ssm.get("/v")["Version"] == 101


def test_labels_move_and_are_checked(ssm: Ssm) -> None:
    ssm.put("/l")
    ssm.put("/l", Overwrite=True)
    answer = ssm("LabelParameterVersion", Name="/l", ParameterVersion=1, Labels=["ok", "1x", "aws-x"])
    assert answer == {"InvalidLabels": ["1x", "aws-x"], "ParameterVersion": 1}
    ssm("LabelParameterVersion", Name="/l", Labels=["ok"])
    assert ssm.get("/l:ok")["Version"] == 2
    answer = ssm("UnlabelParameterVersion", Name="/l", ParameterVersion=2, Labels=["ok", "no"])
    assert answer == {"RemovedLabels": ["ok"], "InvalidLabels": ["no"]}


def test_tags(ssm: Ssm) -> None:
    ssm.put("/t", Tags=[{"Key": "a", "Value": "1"}])
    where = {"ResourceType": "Parameter", "ResourceId": "/t"}
    ssm("AddTagsToResource", **where, Tags=[{"Key": "b", "Value": "2"}])
    ssm("RemoveTagsFromResource", **where, TagKeys=["a"])
    assert ssm("ListTagsForResource", **where) == {"TagList": [{"Key": "b", "Value": "2"}]}


def test_a_secret_under_a_parameters_name(ssm: Ssm) -> None:
    ssm.cloud.call("secretsmanager", "CreateSecret", {"Name": "s", "SecretString": "x"})
    name = "/aws/reference/secretsmanager/s"
    assert ssm.get(name, WithDecryption=True)["Value"] == "x"
    with pytest.raises(AwsError, match="WithDecryption flag must be True"):
        ssm.get(name)


def test_regions_do_not_meet(ssm: Ssm) -> None:
    ssm.put("/a")
    with pytest.raises(AwsError, match="ParameterNotFound"):
        ssm.cloud.call("ssm", "GetParameter", {"Name": "/a"}, region="eu-west-1")
