"""Layers: versions, permissions, and what a function finds of them."""

from __future__ import annotations

import io
import json
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pileus.cloud.services.lambda_ import code

READ = """
import one, two
def handler(event, context):
    return [one.VALUE, two.VALUE]
"""


def publish(lambdas: Any, name: str, files: dict[str, str], **settings: Any) -> Any:
    content = {"ZipFile": lambdas.package(files)}
    return lambdas.client.publish_layer_version(LayerName=name, Content=content, **settings)


def test_versions(lambdas: Any) -> None:
    client = lambdas.client
    runtimes = {"CompatibleRuntimes": ["python3.11"], "CompatibleArchitectures": ["x86_64"]}
    first = publish(lambdas, "l", {"python/one.py": ""}, Description="d", LicenseInfo="MIT", **runtimes)
    assert first["ResponseMetadata"]["HTTPStatusCode"] == 201
    second = publish(lambdas, "l", {"python/one.py": "VALUE = 2\n"})
    layer = "arn:aws:lambda:us-east-1:000000000000:layer:l"
    assert (first["LayerArn"], first["LayerVersionArn"], first["Version"]) == (layer, f"{layer}:1", 1)
    assert (first["Description"], first["LicenseInfo"], first["CompatibleRuntimes"]) == (
        "d",
        "MIT",
        ["python3.11"],
    )
    assert (second["Version"], second["Description"], "CompatibleRuntimes" in second) == (2, "", False)
    got = client.get_layer_version(LayerName=layer, VersionNumber=1)
    for each in (got, client.get_layer_version_by_arn(Arn=f"{layer}:1")):
        assert {**each, "ResponseMetadata": 0} == {**first, "ResponseMetadata": 0}
    with urllib.request.urlopen(got["Content"]["Location"]) as answer:
        assert zipfile.ZipFile(io.BytesIO(answer.read())).namelist() == ["python/one.py"]
    publish(lambdas, "other", {"python/x.py": ""})
    listed = client.list_layers()["Layers"]
    assert [(each["LayerName"], each["LatestMatchingVersion"]["Version"]) for each in listed] == [
        ("l", 2),
        ("other", 1),
    ]
    assert [each["Version"] for each in client.list_layer_versions(LayerName="l")["LayerVersions"]] == [2, 1]
    pages = client.get_paginator("list_layer_versions").paginate(
        LayerName="l", PaginationConfig={"PageSize": 1}
    )
    assert [each["Version"] for page in pages for each in page["LayerVersions"]] == [2, 1]
    usage = client.get_account_settings()["AccountUsage"]
    assert (usage["FunctionCount"], usage["TotalCodeSize"] > 2 * first["Content"]["CodeSize"]) == (0, True)
    client.delete_layer_version(LayerName="l", VersionNumber=2)
    client.delete_layer_version(LayerName="l", VersionNumber=2)
    assert lambdas.error("get_layer_version", LayerName="l", VersionNumber=2) == (
        "ResourceNotFoundException",
        404,
        "The resource you requested does not exist.",
    )
    assert publish(lambdas, "l", {"python/one.py": ""})["Version"] == 3  # numbers are not used again


def test_functions_find_them_in_opt_where_the_later_wins(lambdas: Any) -> None:
    below = publish(
        lambdas, "below", {"python/one.py": "VALUE = 'below'\n", "python/two.py": "VALUE = 'below'\n"}
    )
    above = publish(lambdas, "above", {"python/one.py": "VALUE = 'above'\n"})
    arns = [below["LayerVersionArn"], above["LayerVersionArn"]]
    made = lambdas.create("f", READ, Layers=arns)
    assert [each["Arn"] for each in made["Layers"]] == arns
    assert made["Layers"][0]["CodeSize"] == below["Content"]["CodeSize"]

    def answer() -> Any:
        return json.loads(lambdas.client.invoke(FunctionName="f")["Payload"].read())

    assert answer() == ["above", "below"]
    changed = lambdas.client.update_function_configuration(FunctionName="f", Layers=arns[::-1])
    assert ([each["Arn"] for each in changed["Layers"]], answer()) == (arns[::-1], ["below", "below"])
    lambdas.client.delete_layer_version(LayerName="below", VersionNumber=1)
    lambdas.client.update_function_code(FunctionName="f", ZipFile=lambdas.package(READ + "\n"))
    assert answer() == ["below", "below"]  # a function keeps the version that was deleted
    assert "Layers" not in lambdas.client.update_function_configuration(FunctionName="f", Layers=[])
    assert "No module named 'one'" in str(answer())


def test_a_package_spread_over_two_layers(lambdas: Any) -> None:
    left = publish(lambdas, "left", {"python/both/__init__.py": "", "python/both/left.py": "VALUE = 1\n"})
    right = publish(lambdas, "right", {"python/both/right.py": "VALUE = 2\n"})
    text = (
        "from both import left, right\ndef handler(event, context):\n    return [left.VALUE, right.VALUE]\n"
    )
    lambdas.create("f", text, Layers=[left["LayerVersionArn"], right["LayerVersionArn"]])
    assert lambdas.client.invoke(FunctionName="f")["Payload"].read() == b"[1, 2]"


def test_refusals(lambdas: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    arns = [publish(lambdas, f"l{i}", {f"python/m{i}.py": "x"})["LayerVersionArn"] for i in range(6)]
    again = publish(lambdas, "l0", {"python/m.py": "xy"})["LayerVersionArn"]
    lambdas.create("f")

    def refused(layers: list[str]) -> str:
        code_, status, message = lambdas.error(
            "update_function_configuration", FunctionName="f", Layers=layers
        )
        assert (code_, status) == ("InvalidParameterValueException", 400)
        return str(message)

    assert refused(arns) == "Cannot reference more than 5 layers."
    assert refused([arns[0], again]) == (
        "Two different versions of the same layer are not allowed to be referenced in the same function. "
        f"{arns[0]} and {again} are versions of the same layer."
    )
    assert refused([f"{arns[0][:-1]}9"]) == f"Layer version {arns[0][:-1]}9 does not exist."
    # two layers of a byte each, and a function of 46
    monkeypatch.setattr(code, "MAX_UNPACKED", 47)
    assert refused([arns[1], arns[2]]) == (
        "Function code combined with layers exceeds the maximum allowed size of 47 bytes. The actual size is 48 bytes."
    )
    assert lambdas.error("publish_layer_version", LayerName="z", Content={"ZipFile": b"no zip"})[2] == (
        "Could not unzip uploaded file. Please check your file, then try to upload again."
    )


def test_other_accounts_use_what_is_shared_with_them(lambdas: Any) -> None:
    arn = publish(lambdas, "l", {"python/one.py": ""})["LayerVersionArn"]
    layer = {"LayerName": "l", "VersionNumber": 1}
    stranger = lambdas.aws.client("lambda", aws_access_key_id="111122223333")
    with pytest.raises(
        stranger.exceptions.ClientError, match="AccessDenied.*lambda:GetLayerVersion on resource: " + arn
    ):
        stranger.get_layer_version_by_arn(Arn=arn)
    assert lambdas.error("get_layer_version_policy", **layer) == (
        "ResourceNotFoundException",
        404,
        "No policy is associated with the given resource.",
    )
    allow = {**layer, "StatementId": "s", "Action": "lambda:GetLayerVersion", "Principal": "111122223333"}
    added = lambdas.client.add_layer_version_permission(**allow)
    assert json.loads(added["Statement"]) == {
        "Sid": "s",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "lambda:GetLayerVersion",
        "Resource": arn,
    }
    assert stranger.get_layer_version_by_arn(Arn=arn)["Version"] == 1
    assert lambdas.error("add_layer_version_permission", **allow)[0] == "ResourceConflictException"
    policy = lambdas.client.get_layer_version_policy(**layer)
    assert (policy["RevisionId"], len(json.loads(policy["Policy"])["Statement"])) == (added["RevisionId"], 1)
    remove = {**layer, "StatementId": "s"}
    assert lambdas.error("remove_layer_version_permission", **remove, RevisionId="x")[:2] == (
        "PreconditionFailedException",
        412,
    )
    lambdas.client.remove_layer_version_permission(**remove)
    assert lambdas.error("remove_layer_version_permission", **remove)[0] == "ResourceNotFoundException"


def test_in_a_stack_with_a_mounted_folder(lambdas: Any, tmp_path: Path) -> None:
    (tmp_path / "layer/python").mkdir(parents=True)
    (tmp_path / "layer/python/one.py").write_text("VALUE = 1\n")
    lambdas.aws.within(lambda cloud: cloud.mounts.update({"x/l.zip": str(tmp_path / "layer")}))
    layer = {"Content": {"S3Bucket": "none", "S3Key": "x/l.zip"}, "LayerName": "l"}
    text = "import one\ndef handler(event, context):\n    return one.VALUE\n"
    function = {
        "Role": lambdas.role,
        "Handler": "index.handler",
        "Runtime": "python3.11",
        "FunctionName": "f",
        "Code": {"ZipFile": text},
        "Layers": [{"Ref": "Layer"}],
    }
    share = {"Action": "lambda:GetLayerVersion", "LayerVersionArn": {"Ref": "Layer"}, "Principal": "*"}
    template = {
        "Resources": {
            "Layer": {"Type": "AWS::Lambda::LayerVersion", "Properties": layer},
            "Share": {"Type": "AWS::Lambda::LayerVersionPermission", "Properties": share},
            "F": {"Type": "AWS::Lambda::Function", "Properties": function},
        },
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Layer", "LayerVersionArn"]}}},
    }
    cloudformation = lambdas.aws.client("cloudformation")
    cloudformation.create_stack(StackName="s", TemplateBody=json.dumps(template))
    lambdas.aws.drain()
    (stack,) = cloudformation.describe_stacks(StackName="s")["Stacks"]
    assert stack["Outputs"][0]["OutputValue"] == "arn:aws:lambda:us-east-1:000000000000:layer:l:1"
    assert lambdas.client.invoke(FunctionName="f")["Payload"].read() == b"1"
    policy = lambdas.client.get_layer_version_policy(LayerName="l", VersionNumber=1)["Policy"]
    assert json.loads(policy)["Statement"][0]["Principal"] == "*"
    cloudformation.delete_stack(StackName="s")
    lambdas.aws.drain()
    assert lambdas.client.list_layers()["Layers"] == []
