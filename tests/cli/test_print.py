"""`pileus print`: the resolved configuration, whole or in part (formats as `serverless print` has them)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pileus.cli.main import main
from pileus.testing import EmbeddedCloud

SERVICE = """\
service: small
provider: {name: aws, runtime: python3.11, environment: {OFF: off, N: "012"}}
custom:
  list: [a, [b, c], {k: v}, 1, true]
  nothing: null
  flag: false
  name: ${self:service}-x
  big: 10000000000000000000000
functions:
  one: {handler: h.one}
  two: {handler: h.two, memorysize: 3}
"""

OUTPUTS = [
    ("--path service", "small"),
    ("--path custom.name", "small-x"),
    ("--path custom.flag", "false"),
    ("--path provider.environment", "'OFF': 'off'\n'N': '012'"),
    ("--path custom.list.1", "- b\n- c"),
    ("--path custom.list.0 --format json", '"a"'),
    (
        "--path functions.one --format json",
        '{\n  "handler": "h.one",\n  "events": [],\n  "name": "small-dev-one"\n}',
    ),
    ("--path functions --transform keys", "- one\n- two"),
    ("--path functions --transform keys --format text", "one\ntwo"),
    ("--path custom.list --transform keys --format text", "0\n1\n2\n3\n4"),
    ("--path custom.name --format text", "small-x"),
    ("--path custom.list --format text", 'a\nb,c\n{\n  "k": "v"\n}\n1\ntrue'),
    ("--path custom.flag --transform keys", "[]"),
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "serverless.yml").write_text(SERVICE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("options", "text"), OUTPUTS, ids=[options for options, _ in OUTPUTS])
def test_outputs(options: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["print", *options.split()])
    assert capsys.readouterr().out == text + "\n"


def test_the_whole_with_warnings_apart(capsys: pytest.CaptureFixture[str]) -> None:
    main(["print", "--format", "json"])
    out, err = capsys.readouterr()
    value = json.loads(out)
    assert value["functions"]["one"]["name"] == "small-dev-one"
    assert value["provider"]["region"] == "us-east-1"
    assert "serverless.yml:11:25: warning: unknown property 'memorysize'" in err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--path nope", "has no 'nope'"),
        ("--path custom.nothing", "has no 'custom.nothing'"),
        ("--path service.x", "has no 'service.x'"),
        ("--path custom.list.9", "has no 'custom.list.9'"),
        ("--format text", "an object can't be printed as text"),
    ],
)
def test_what_is_not_there(options: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["print", *options.split()])
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert says in err
    assert out == ""


REMOTE = """\
service: small
provider: {name: aws, runtime: python3.11, region: eu-west-1}
custom:
  account: ${aws:accountId}
  parameter: ${ssm:/small/size}
  elsewhere: ${ssm(us-east-1):/small/size, 'none'}
  output: ${cf:other-stack.Answer}
"""


def test_variables_that_ask_aws_ask_what_the_endpoint_names(
    folder: Path, aws: EmbeddedCloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "serverless.yml").write_text(REMOTE)
    aws.client("ssm", region_name="eu-west-1").put_parameter(Name="/small/size", Value="3", Type="String")
    template = '{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}, "Outputs": {"Answer": {"Value": "42"}}}'
    stacks = aws.client("cloudformation", region_name="eu-west-1")
    stacks.create_stack(StackName="other-stack", TemplateBody=template)
    stacks.get_waiter("stack_create_complete").wait(StackName="other-stack", WaiterConfig={"Delay": 0})
    for name, value in (("ENDPOINT_URL", aws.url), ("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    main(["print", "--path", "custom", "--format", "json"])
    assert json.loads(capsys.readouterr().out) == {
        "account": "000000000000",
        "parameter": "3",
        "elsewhere": "none",
        "output": "42",
    }


def test_without_credentials_a_variable_says_how_to_give_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "serverless.yml").write_text(REMOTE)
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "PROFILE", "ENDPOINT_URL"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(SystemExit) as ended:
        main(["print"])
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert "serverless.yml:4:12: error:" in err
    assert "--aws-profile" in err
