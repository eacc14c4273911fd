"""`pileus info`: from the file alone, and with what the stack says (asked of the embedded cloud over the wire)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pileus.cli.main import main
from pileus.deploy.local import LocalDeployment
from pileus.testing import EmbeddedCloud

SERVICE = """\
service: small
provider:
  name: aws
  runtime: python3.11
  region: eu-west-1
  apiGateway: {apiKeys: [mine]}
functions:
  hello:
    handler: handler.run
    events:
      - http: GET /hello
      - http: {path: "things/{id}", method: any, private: true}
  plain:
    handler: handler.run
    name: my-own-name
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "serverless.yml").write_text(SERVICE)
    (tmp_path / "handler.py").write_text("def run(event, context):\n    return {}\n")
    monkeypatch.chdir(tmp_path)
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_ENDPOINT_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return tmp_path


@pytest.fixture
def asked(aws: EmbeddedCloud, monkeypatch: pytest.MonkeyPatch) -> EmbeddedCloud:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return aws


def info(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    main(["info", "--json", *options])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_without_credentials_it_tells_what_there_would_be(capsys: pytest.CaptureFixture[str]) -> None:
    main(["info", "--stage", "prod"])
    assert capsys.readouterr().out.splitlines() == [
        "service:  small",
        "stage:    prod",
        "region:   eu-west-1",
        "stack:    small-prod (not asked: no AWS credentials)",
        "endpoints:",
        "  GET - https://{api-id}.execute-api.eu-west-1.amazonaws.com/prod/hello",
        "  ANY - https://{api-id}.execute-api.eu-west-1.amazonaws.com/prod/things/{id}",
        "functions:",
        "  hello: small-prod-hello",
        "  plain: my-own-name",
    ]


SETTINGS = [
    ("provider:", "provider:\n  stackName: mine", ("stack", "mine")),
    ("http: GET /hello", "httpApi: 'GET /hello'", ("endpoints", ["GET", "https://{api-id}.execute-api.eu-west-1.amazonaws.com/hello"])),
    ("http: GET /hello", "httpApi: '*'", ("endpoints", ["ANY", "https://{api-id}.execute-api.eu-west-1.amazonaws.com"])),
    ("http: GET /hello", "websocket: $connect", ("endpoints", ["wss", "wss://{api-id}.execute-api.eu-west-1.amazonaws.com/dev"])),
    ("apiGateway: {", "apiGateway: {restApiId: abc, restApiRootResourceId: d, ", ("endpoints", ["GET", "https://abc.execute-api.eu-west-1.amazonaws.com/dev/hello"])),
    ("apiGateway: {", "apiGateway: {stage: v1, ", ("endpoints", ["GET", "https://{api-id}.execute-api.eu-west-1.amazonaws.com/v1/hello"])),
    ("eu-west-1", "cn-north-1", ("endpoints", ["GET", "https://{api-id}.execute-api.cn-north-1.amazonaws.com.cn/dev/hello"])),
    ("    name: my-own-name", "    url: true", ("endpoints", ["url", "https://{url-id}.lambda-url.eu-west-1.on.aws/"])),
    ("functions:", "layers: {dep: {path: layer, name: shared}}\nfunctions:", ("layers", {"dep": "shared"})),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "fact"), SETTINGS, ids=[after for _, after, _ in SETTINGS])
def test_what_the_file_settles(
    folder: Path, capsys: pytest.CaptureFixture[str], before: str, after: str, fact: tuple[str, Any]
) -> None:
    (folder / "serverless.yml").write_text(SERVICE.replace(before, after, 1))
    name, wanted = fact
    found = info(capsys)[name]
    assert wanted in found if name == "endpoints" else wanted == found


def test_a_deployed_stack(asked: EmbeddedCloud, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked.run(LocalDeployment(lambda: asked.cloud, folder, options={}, environ={}).deploy())
    found = info(capsys)
    api = asked.client("apigateway", region_name="eu-west-1").get_rest_apis()["items"][0]["id"]
    base = f"https://{api}.execute-api.eu-west-1.amazonaws.com/dev"
    assert found["status"] == "CREATE_COMPLETE"
    assert found["endpoints"] == [["GET", f"{base}/hello"], ["ANY", f"{base}/things/{{id}}"]]
    assert found["outputs"]["ServiceEndpoint"] == base
    assert len(found["api_keys"]["mine"]) >= 20
    main(["info", "--verbose", "--conceal"])
    text = capsys.readouterr().out
    assert "stack:    small-dev (CREATE_COMPLETE)" in text
    assert "api keys:\n  mine\n" in text
    assert (
        f"stack outputs:\n  ServerlessDeploymentBucketName: {found['outputs']['ServerlessDeploymentBucketName']}\n"
        in text
    )


def test_a_stack_that_does_not_stand(asked: EmbeddedCloud, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["info"])
    out, err = capsys.readouterr()
    assert ended.value.code == 1
    assert "stack:    small-dev (not deployed)" in out
    assert err == "error: the stack small-dev does not exist in eu-west-1.\n"


def test_a_cloud_that_refuses(
    asked: EmbeddedCloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(SystemExit) as ended:
        main(["info", "--json"])
    assert ended.value.code == 1
    assert "SignatureDoesNotMatch" in json.loads(capsys.readouterr().out)["error"]


def test_a_profile_that_does_not_exist(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["info", "--aws-profile", "nobody"])
    assert ended.value.code == 2
    assert "nobody" in capsys.readouterr().err
