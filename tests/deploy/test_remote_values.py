"""${aws:}, ${cf:}, ${ssm:} and ${s3:} against a cloud: through botocore as with AWS, and inside the embedded one."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from pileus.cloud.kernel import Cloud
from pileus.deploy.remote_values import AwsValues, EmbeddedValues
from pileus.service import ConfigErrors, load_service
from pileus.service.variables.source import Place, RemoteResolver
from pileus.testing import EmbeddedCloud

BASE = "service: demo\nprovider: {name: aws, runtime: python3.12}\ncustom:\n"
TEMPLATE = {
    "Resources": {"Topic": {"Type": "AWS::SQS::Queue"}},
    "Outputs": {"Name": {"Value": {"Fn::GetAtt": ["Topic", "QueueName"]}}, "Fixed": {"Value": "7"}},
}


@pytest.fixture(scope="module")
def filled(shared_aws: EmbeddedCloud) -> EmbeddedCloud:
    ssm = shared_aws.client("ssm")
    ssm.put_parameter(Name="/p", Value="v", Type="String")
    ssm.put_parameter(Name="/l", Value="a,b", Type="StringList")
    ssm.put_parameter(Name="/s", Value='{"k": 1}', Type="SecureString")
    shared_aws.client("ssm", region_name="eu-west-1").put_parameter(Name="/p", Value="eu", Type="String")
    s3 = shared_aws.client("s3")
    s3.create_bucket(Bucket="values")
    s3.put_object(Bucket="values", Key="deep/note.txt", Body="hello ü\n".encode())
    s3.put_object(Bucket="values", Key="large", Body=b"x" * 3_000_000)
    shared_aws.client("secretsmanager").create_secret(Name="db", SecretString='{"user": "u"}')
    stacks = shared_aws.client("cloudformation")
    stacks.create_stack(StackName="other", TemplateBody=json.dumps(TEMPLATE))
    stacks.get_waiter("stack_create_complete").wait(StackName="other", WaiterConfig={"Delay": 0.05})
    return shared_aws


def environ(aws: EmbeddedCloud, **more: str) -> dict[str, str]:
    given = {"AWS_ENDPOINT_URL": aws.url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    return {**given, "HOME": "/nowhere", **more}


def values(folder: Path, lines: str, resolver: RemoteResolver, seen: dict[str, str]) -> dict[str, Any]:
    (folder / "serverless.yml").write_text(BASE + "".join(f"  {line}\n" for line in lines.splitlines()))
    loaded = load_service(folder, options={}, environ=seen, resolver=resolver)
    return dict(loaded.service.config["custom"])


LINES = """account: ${aws:accountId}
p: ${ssm:/p}
eu: ${ssm(eu-west-1):/p}
l: ${ssm:/l}
raw: ${ssm(raw):/l}
s: ${ssm:/s}
text: ${ssm(raw):/s}
none: ${ssm:/none, 'no parameter'}
fixed: ${cf:other.Fixed}
no_output: ${cf:other.Nope, 'no output'}
no_stack: ${cf(eu-west-1):other.Fixed, 'no stack'}
note: ${s3:values/deep/note.txt}
no_key: ${s3:values/none, 'no key'}"""
FOUND = {
    "account": "000000000000",
    "p": "v",
    "eu": "eu",
    "l": ["a", "b"],
    "raw": "a,b",
    "s": {"k": 1},
    "text": '{"k": 1}',
    "none": "no parameter",
    "fixed": "7",
    "no_output": "no output",
    "no_stack": "no stack",
    "note": "hello ü\n",
    "no_key": "no key",
}


def test_aws_is_asked_through_botocore(filled: EmbeddedCloud, tmp_path: Path) -> None:
    found = values(tmp_path, LINES, AwsValues(), environ(filled))
    assert found == {**FOUND, "account": filled.client("sts").get_caller_identity()["Account"]}


def test_a_question_is_asked_once(filled: EmbeddedCloud, tmp_path: Path) -> None:
    resolver = AwsValues()
    where = Place("us-east-1", None, environ(filled))
    assert resolver.parameter("/p", where, decrypt=True) == ("String", "v")
    filled.client("ssm").put_parameter(Name="/p", Value="other", Type="String", Overwrite=True)
    try:
        assert resolver.parameter("/p", where, decrypt=True) == ("String", "v")
    finally:
        filled.client("ssm").put_parameter(Name="/p", Value="v", Type="String", Overwrite=True)


@pytest.mark.parametrize(
    ("lines", "seen", "words", "remedy"),
    [
        ("a: ${s3:no-such-bucket/k, 'x'}", {}, "NoSuchBucket", ""),
        ("a: ${ssm:/p}", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "GetParameter in us-east-1", "network"),
        ("a: ${ssm:/p, 'x'}", {"AWS_ACCESS_KEY_ID": ""}, "credentials", "AWS_PROFILE"),
        ("a: ${ssm:/p}\nb: ${cf:s.O}", {"AWS_ACCESS_KEY_ID": ""}, "credentials", "--aws-profile"),
    ],
)
def test_what_cannot_be_asked_is_told_at_its_place(
    filled: EmbeddedCloud,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lines: str,
    seen: dict[str, str],
    words: str,
    remedy: str,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(ConfigErrors) as caught:
        values(tmp_path, lines, AwsValues(), environ(filled, **seen))
    places = [(error.mark.line, error.mark.column) for error in caught.value.errors if error.mark]
    assert places == [(4 + index, 6) for index in range(len(lines.splitlines()))]
    for error in caught.value.errors:
        assert words in error.message
        assert remedy in (error.hint or "")


def test_an_unknown_profile_is_told(filled: EmbeddedCloud, tmp_path: Path) -> None:
    (tmp_path / "serverless.yml").write_text(
        "service: demo\nprovider: {name: aws, profile: nowhere}\ncustom: {a: '${ssm:/p}'}\n"
    )
    with pytest.raises(ConfigErrors) as caught:
        load_service(tmp_path, options={}, environ=environ(filled), resolver=AwsValues())
    assert "nowhere" in caught.value.errors[0].message
    assert "--aws-profile" in (caught.value.errors[0].hint or "")


def test_the_embedded_cloud_is_asked_directly(cloud: Cloud, tmp_path: Path) -> None:
    cloud.call("ssm", "PutParameter", {"Name": "/p", "Value": "v", "Type": "String"}, region="us-east-1")
    cloud.call(
        "secretsmanager", "CreateSecret", {"Name": "db", "SecretString": '{"user": "u"}'}, region="us-east-1"
    )
    lines = (
        "account: ${aws:accountId}\np: ${ssm:/p}\nnone: ${ssm:/none, 'no'}\n"
        "secret: ${ssm:/aws/reference/secretsmanager/db}\nno_secret: ${ssm:/aws/reference/secretsmanager/x, 'no'}\n"
        "no_stack: ${cf:s.O, 'no'}"
    )
    assert values(tmp_path, lines, EmbeddedValues(lambda: cloud), {}) == {
        "account": cloud.settings.account,
        "p": "v",
        "none": "no",
        "secret": {"user": "u"},
        "no_secret": "no",
        "no_stack": "no",
    }


@pytest.mark.parametrize("size", [0, 10, 3_000_000])
def test_objects_of_the_embedded_cloud(cloud: Cloud, size: int) -> None:
    """Also while its loop runs, as in offline, and whatever their size."""

    async def read() -> tuple[str | None, str | None]:
        body = b"x" * size
        await cloud.call_async("s3", "CreateBucket", {"Bucket": "values"}, region="us-east-1")
        request = {"Bucket": "values", "Key": "k", "Body": body}
        await cloud.call_async("s3", "PutObject", request, region="us-east-1")
        where = Place("us-east-1", None, {})
        resolver = EmbeddedValues(lambda: cloud)
        return resolver.object_text("values", "k", where), resolver.object_text("values", "none", where)

    assert asyncio.run(read()) == ("x" * size, None)
