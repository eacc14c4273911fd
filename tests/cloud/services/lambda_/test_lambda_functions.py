"""Functions, versions, aliases, permissions: the control plane, over the wire."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pileus.cloud.services.lambda_ import code
from pileus.cloud.services.lambda_.errors import InvalidParameterValueException


def _package(*files: tuple[str, str]) -> bytes:
    import io

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files:
            archive.writestr(name, text)
    return buffer.getvalue()


def test_create_says_what_there_is(lambdas: Any) -> None:
    made = lambdas.create("f", Environment={"Variables": {"AA": "1"}}, Tags={"team": "x"})
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    config = lambdas.client.get_function_configuration(FunctionName="f")
    content = lambdas.client.get_function(FunctionName=lambdas.arn("f"))
    for each in (config, content["Configuration"]):
        each.pop("ResponseMetadata", None)
        assert each.pop("LastModified").endswith("+0000")
        assert len(each.pop("RevisionId")) == 36
        assert each.pop("RuntimeVersionConfig")["RuntimeVersionArn"].startswith(
            "arn:aws:lambda:us-east-1::runtime:"
        )
        digest = base64.b64decode(each.pop("CodeSha256"))
        assert len(digest) == hashlib.sha256().digest_size
        assert each.pop("CodeSize") > 0
        assert each == {
            "FunctionName": "f",
            "FunctionArn": lambdas.arn("f"),
            "Runtime": "python3.11",
            "Role": lambdas.role,
            "Handler": "app.handler",
            "Description": "",
            "Timeout": 3,
            "MemorySize": 128,
            "Version": "$LATEST",
            "Environment": {"Variables": {"AA": "1"}},
            "TracingConfig": {"Mode": "PassThrough"},
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "PackageType": "Zip",
            "Architectures": ["x86_64"],
            "EphemeralStorage": {"Size": 512},
            "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/f"},
        }
    assert content["Tags"] == {"team": "x"}
    lambdas.client.get_waiter("function_active_v2").wait(FunctionName="f")
    location = content["Code"]["Location"]
    with urllib.request.urlopen(location) as answer:
        assert zipfile.ZipFile(io.BytesIO(answer.read())).namelist() == ["app.py"]
    lambdas.aws.travel(601)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(location)


def test_names(lambdas: Any) -> None:
    lambdas.create("f", Publish=True)
    names = (
        "f",
        "f:1",
        "000000000000:f",
        "000000000000:function:f",
        lambdas.arn("f"),
        lambdas.arn("f") + ":1",
        "function:f",
    )
    for name in names:
        found = lambdas.client.get_function_configuration(FunctionName=name)
        assert found["FunctionArn"] == lambdas.arn("f") + (":1" if name.endswith(":1") else "")
    assert lambdas.client.get_function_configuration(FunctionName="f", Qualifier="1")["Version"] == "1"


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        ({"Runtime": "python2.7"}, "InvalidParameterValueException", "The runtime parameter of python2.7 is no longer supported for creating or updating AWS Lambda functions."),
        ({"Runtime": "java21"}, "NotEmulated", "Pileus does not emulate lambda CreateFunction.Runtime java21"),
        ({"Role": "arn:aws:iam::000000000000:role/none"}, "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda."),
        ({"Code": {"ZipFile": b"no"}}, "InvalidParameterValueException", "Could not unzip uploaded file."),
        ({"Code": {"ZipFile": _package()}}, "InvalidParameterValueException", "Uploaded file must be a non-empty zip"),
        ({"Code": {"ZipFile": _package(("../x", ""))}}, "InvalidParameterValueException", "Could not unzip uploaded file."),
        ({"Code": {}}, "InvalidParameterValueException", "Please provide a source for function code."),
        ({"Code": {"S3Key": "k"}}, "InvalidParameterValueException", "Please provide a source for function code."),
        ({"Code": {"S3Bucket": "some", "S3Key": "k", "ZipFile": b"x"}}, "InvalidParameterValueException", "Please do not provide other FunctionCode parameters when providing a ZipFile."),
        ({"Code": {"ImageUri": "000000000000.dkr.ecr.us-east-1.amazonaws.com/x:1"}, "PackageType": "Image"}, "NotEmulated", "Pileus does not emulate lambda CreateFunction.PackageType Image"),
        ({"DeadLetterConfig": {"TargetArn": "arn:aws:sns:us-east-1:000000000000:t"}}, "NotEmulated", "Pileus does not emulate lambda DeadLetterConfig.TargetArn of sns"),
        ({"Code": {"S3Bucket": "none", "S3Key": "k"}}, "InvalidParameterValueException", "Error occurred while GetObject. S3 Error Code: NoSuchBucket."),
        ({"Timeout": 901}, "InvalidParameterValueException", "1 validation error detected: Value '901' at 'timeout'"),
        ({"MemorySize": 10241}, "InvalidParameterValueException", "'MemorySize' value failed to satisfy constraint"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException", "Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_REGION"),
        ({"Environment": {"Variables": {"AA": "x" * 4096}}}, "InvalidParameterValueException", "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit."),
        ({"Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:l:1"]}, "InvalidParameterValueException", "Layer version arn:aws:lambda:us-east-1:000000000000:layer:l:1 does not exist."),
        ({"Layers": ["arn:aws:lambda:us-east-1:017000801446:layer:l:1"]}, "NotEmulated", "Pileus does not emulate lambda Layers of other accounts"),
        ({"LoggingConfig": {"ApplicationLogLevel": "INFO"}}, "InvalidParameterValueException", "To use ApplicationLogLevel"),
    ],
)  # fmt: skip
def test_create_refuses(lambdas: Any, settings: dict[str, Any], code: str, message: str) -> None:
    request = {
        "FunctionName": "f",
        "Role": lambdas.role,
        "Runtime": "python3.11",
        "Handler": "app.handler",
        "Code": {"ZipFile": _package(("app.py", ""))},
        **settings,
    }
    found, _, text = lambdas.error("create_function", **request)
    assert (found, text[: len(message)]) == (code, message)
    assert lambdas.client.list_functions()["Functions"] == []


def test_conflicts_and_absences(lambdas: Any) -> None:
    lambdas.create("f")
    assert lambdas.error("create_function", FunctionName="f", Role=lambdas.role, Runtime="python3.11", Handler="a.b", Code={"ZipFile": _package(("a.py", ""))}) == ("ResourceConflictException", 409, "Function already exist: f")  # fmt: skip
    missing = ("ResourceNotFoundException", 404, f"Function not found: {lambdas.arn('g')}")
    for operation in ("get_function", "delete_function", "invoke", "publish_version", "list_aliases"):
        assert lambdas.error(operation, FunctionName="g") == missing
    assert (
        lambdas.error("get_function", FunctionName="f", Qualifier="7")[2]
        == f"Function not found: {lambdas.arn('f')}:7"
    )
    assert (
        lambdas.error("invoke", FunctionName="f:live")[2] == f"Cannot find alias arn: {lambdas.arn('f')}:live"
    )
    wrong = {"FunctionName": "f", "RevisionId": "00000000-0000-4000-8000-000000000000"}
    assert lambdas.error("update_function_configuration", **wrong)[:2] == ("PreconditionFailedException", 412)


def test_what_tools_read(lambdas: Any) -> None:
    lambdas.create("f")
    client = lambdas.client
    assert client.get_function_code_signing_config(FunctionName="f")["CodeSigningConfigArn"] == ""
    assert client.get_runtime_management_config(FunctionName="f")["UpdateRuntimeOn"] == "Auto"
    assert client.get_function_recursion_config(FunctionName="f")["RecursiveLoop"] == "Terminate"
    version = "arn:aws:lambda:us-east-1::runtime:" + "0" * 64
    code, status, message = lambdas.error(
        "put_runtime_management_config",
        FunctionName="f",
        UpdateRuntimeOn="Manual",
        RuntimeVersionArn=version,
    )
    assert (code, status) == ("NotEmulated", 501)
    assert "lambda PutRuntimeManagementConfig" in message


def test_list_in_pages(lambdas: Any) -> None:
    for name in ("c", "a", "b"):
        lambdas.create(name)
    first = lambdas.client.list_functions(MaxItems=2)
    second = lambdas.client.list_functions(MaxItems=2, Marker=first["NextMarker"])
    assert [f["FunctionName"] for f in first["Functions"] + second["Functions"]] == ["a", "b", "c"]
    assert "NextMarker" not in second
    assert lambdas.error("list_functions", Marker="x")[0] == "InvalidParameterValueException"


def test_versions_are_frozen_and_aliases_move(lambdas: Any) -> None:
    lambdas.create("f", "def handler(event, context): return [1, context.function_version]\n")
    client = lambdas.client
    one = client.publish_version(FunctionName="f", Description="first")
    assert (one["Version"], one["FunctionArn"]) == ("1", lambdas.arn("f") + ":1")
    assert client.publish_version(FunctionName="f")["Version"] == "1"  # nothing has changed
    client.update_function_code(
        FunctionName="f",
        ZipFile=_package(("app.py", "def handler(e, c): return [2, c.invoked_function_arn]\n")),
    )
    assert client.publish_version(FunctionName="f")["Version"] == "2"
    alias = client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    assert alias["AliasArn"] == lambdas.arn("f") + ":live"

    def answer(name: str) -> tuple[Any, str]:
        found = client.invoke(FunctionName=name)
        return json.loads(found["Payload"].read()), found["ExecutedVersion"]

    assert answer("f:live") == ([1, "1"], "1")
    client.update_alias(FunctionName="f", Name="live", FunctionVersion="2")
    assert answer("f:live") == ([2, lambdas.arn("f") + ":live"], "2")
    assert answer("f:1") == ([1, "1"], "1")
    assert answer("f") == ([2, lambdas.arn("f")], "$LATEST")
    client.update_alias(FunctionName="f", Name="live", RoutingConfig={"AdditionalVersionWeights": {"1": 1.0}})
    assert answer("f:live") == ([1, "1"], "1")
    versions = client.list_versions_by_function(FunctionName="f")["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", "1", "2"]
    used = lambdas.error("delete_function", FunctionName="f", Qualifier="2")
    assert used == (
        "ResourceConflictException",
        409,
        "Version cannot be deleted while it is in use by the following aliases: [live]",
    )
    client.delete_alias(FunctionName="f", Name="live")
    client.delete_function(FunctionName="f", Qualifier="2")
    assert client.publish_version(FunctionName="f")["Version"] == "3"  # numbers are never used again


def test_policy(lambdas: Any) -> None:
    lambdas.create("f")
    client = lambdas.client
    assert lambdas.error("get_policy", FunctionName="f")[:2] == ("ResourceNotFoundException", 404)
    request = {
        "FunctionName": "f",
        "StatementId": "s3",
        "Action": "lambda:InvokeFunction",
        "Principal": "s3.amazonaws.com",
        "SourceArn": "arn:aws:s3:::b",
        "SourceAccount": "000000000000",
    }
    statement = json.loads(client.add_permission(**request)["Statement"])
    assert statement == {
        "Sid": "s3",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": lambdas.arn("f"),
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": "000000000000"},
            "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"},
        },
    }
    assert lambdas.error("add_permission", **request)[:2] == ("ResourceConflictException", 409)
    policy = json.loads(client.get_policy(FunctionName="f")["Policy"])
    assert policy == {"Version": "2012-10-17", "Id": "default", "Statement": [statement]}
    client.remove_permission(FunctionName="f", StatementId="s3")
    assert (
        lambdas.error("remove_permission", FunctionName="f", StatementId="s3")[0]
        == "ResourceNotFoundException"
    )


def test_tags_and_concurrency(lambdas: Any) -> None:
    lambdas.create("f")
    client, arn = lambdas.client, lambdas.arn("f")
    client.tag_resource(Resource=arn, Tags={"a": "1", "b": "2"})
    client.untag_resource(Resource=arn, TagKeys=["a"])
    assert client.list_tags(Resource=arn)["Tags"] == {"b": "2"}
    client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=900)
    limits = client.get_account_settings()["AccountLimit"]
    assert (limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]) == (1000, 100)
    lambdas.create("g")
    too_many = lambdas.error("put_function_concurrency", FunctionName="g", ReservedConcurrentExecutions=1)
    assert too_many[2].endswith("UnreservedConcurrentExecution below its minimum value of [100].")
    client.delete_function_concurrency(FunctionName="f")
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName="f")


def test_configuration_changes_and_defaults_return(lambdas: Any) -> None:
    lambdas.create("f", "import os\ndef handler(e, c): return [os.environ.get('AA'), c.memory_limit_in_mb]\n")

    def answer() -> Any:
        return json.loads(lambdas.client.invoke(FunctionName="f")["Payload"].read())

    assert answer() == [None, "128"]
    lambdas.client.update_function_configuration(
        FunctionName="f", MemorySize=256, Environment={"Variables": {"AA": "1"}}
    )
    assert answer() == ["1", "256"]
    changed = lambdas.client.update_function_configuration(FunctionName="f", Environment={"Variables": {}})
    assert "Environment" not in changed
    assert answer() == [None, "256"]


def test_links_in_a_package_stay_inside(tmp_path: Path) -> None:
    for target, fits in (("real.txt", True), ("../../etc/passwd", False), ("/etc/passwd", False)):
        entry = zipfile.ZipInfo("folder/link")
        entry.external_attr = 0o120777 << 16
        path = tmp_path / "p.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("folder/real.txt", "x")
            archive.writestr(entry, target)
        if fits:
            made = code.unpacked(path.read_bytes(), tmp_path / "functions")
            assert (Path(made.folder) / "folder/link").read_text() == "x"
        else:
            with pytest.raises(InvalidParameterValueException):
                code.unpacked(path.read_bytes(), tmp_path / "functions")
    assert len([each for each in (tmp_path / "functions").iterdir() if each.is_dir()]) == 1


PRINCIPALS = [
    ("s3.amazonaws.com", {"Service": "s3.amazonaws.com"}),
    ("alexa-appkit.amazon.com", {"Service": "alexa-appkit.amazon.com"}),
    ("alexa-connectedhome.amazon.com", {"Service": "alexa-connectedhome.amazon.com"}),
    ("111122223333", {"AWS": "arn:aws:iam::111122223333:root"}),
    ("arn:aws:iam::111122223333:role/r", {"AWS": "arn:aws:iam::111122223333:role/r"}),
    ("*", "*"),
]


def test_principals(lambdas: Any) -> None:
    lambdas.create("f")
    permission = {"FunctionName": "f", "Action": "lambda:InvokeFunction"}
    for index, (principal, shown) in enumerate(PRINCIPALS):
        added = lambdas.client.add_permission(**permission, StatementId=f"s{index}", Principal=principal)
        assert json.loads(added["Statement"])["Principal"] == shown
    wrong = lambdas.error("add_permission", **permission, StatementId="x", Principal="somebody")
    assert wrong[2] == "The provided principal was invalid. Please check the principal and try again."
    long = {
        **permission,
        "Principal": "*",
        "StatementId": "x" * 100,
        "SourceArn": "arn:aws:s3:::" + "b" * 187,
    }
    before = lambdas.client.get_policy(FunctionName="f")
    for index in range(80):
        try:
            lambdas.client.add_permission(**{**long, "StatementId": f"{index:0100}"})
        except lambdas.client.exceptions.PolicyLengthExceededException as error:
            assert str(error).endswith("is bigger than the limit (20480).")
            break
    else:
        pytest.fail("the policy grows without end")
    after = json.loads(lambdas.client.get_policy(FunctionName="f")["Policy"])
    assert len(json.loads(before["Policy"])["Statement"]) + index == len(after["Statement"])
