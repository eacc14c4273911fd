"""Deploying a folder: again, unchanged, changed, moved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pileus.deploy.local import Deployed, LocalDeployment
from pileus.deploy.stack import DeploymentFailed
from pileus.testing import EmbeddedCloud

SERVICE = """\
service: twice
provider:
  name: aws
  runtime: python3.11
functions:
  hello:
    handler: handler.run
    events:
      - http: GET /hello
  other:
    handler: handler.run
"""


def write(folder: Path, text: str = SERVICE) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "handler.py").write_text("def run(event, context):\n    return {'statusCode': 200}\n")
    (folder / "serverless.yml").write_text(text)
    return folder


def deploy(aws: EmbeddedCloud, folder: Path) -> Deployed:
    return aws.run(LocalDeployment(lambda: aws.cloud, folder, options={}, environ={}).deploy())


def revisions(aws: EmbeddedCloud) -> dict[str, str]:
    listed: list[dict[str, Any]] = aws.client("lambda").list_functions()["Functions"]
    return {each["FunctionName"]: each["RevisionId"] for each in listed}


def test_of_an_unchanged_file_nothing_is_updated(aws: EmbeddedCloud, tmp_path: Path) -> None:
    folder = write(tmp_path / "service")
    first, before = deploy(aws, folder), revisions(aws)
    second = deploy(aws, folder)
    assert (first.changed, second.changed) == (True, False)
    assert second.template == first.template
    assert revisions(aws) == before
    assert len(aws.client("apigateway").get_deployments(restApiId=second.api[0])["items"]) == 1  # type: ignore[index]


def test_also_after_a_change_nothing_is_updated_of_an_unchanged_file(
    aws: EmbeddedCloud, tmp_path: Path
) -> None:
    folder = write(tmp_path / "service")
    deploy(aws, folder)
    write(folder, SERVICE + "    timeout: 9\n")
    assert deploy(aws, folder).changed
    assert not deploy(aws, folder).changed


def test_a_change_touches_only_the_functions_that_it_is_about(aws: EmbeddedCloud, tmp_path: Path) -> None:
    folder = write(tmp_path / "service")
    deploy(aws, folder)
    before = revisions(aws)
    write(folder, SERVICE + "    timeout: 9\n")
    deploy(aws, folder)
    after = revisions(aws)
    assert [name for name in before if before[name] != after[name]] == ["twice-dev-other"]


def test_a_changed_route_is_a_new_deployment_of_the_api(aws: EmbeddedCloud, tmp_path: Path) -> None:
    folder = write(tmp_path / "service")
    first = deploy(aws, folder)
    write(folder, SERVICE.replace("/hello", "/hi"))
    second = deploy(aws, folder)
    assert first.api == second.api
    kind = "AWS::ApiGateway::Deployment"
    made = [
        {name for name, (type_, _) in each.resources.items() if type_ == kind} for each in (first, second)
    ]
    assert made[0].isdisjoint(made[1])


def test_an_update_that_fails_leaves_the_api_as_it_was(aws: EmbeddedCloud, tmp_path: Path) -> None:
    folder = write(tmp_path / "service")
    api_id, stage = deploy(aws, folder).api or ("", "")
    before = aws.client("apigateway").get_stage(restApiId=api_id, stageName=stage)["deploymentId"]
    queue = "{Type: 'AWS::SQS::Queue', Properties: {VisibilityTimeout: 99999999}}"
    write(folder, SERVICE.replace("/hello", "/hi") + f"resources: {{Resources: {{Q: {queue}}}}}\n")
    with pytest.raises(DeploymentFailed) as caught:
        deploy(aws, folder)
    assert caught.value.status == "UPDATE_ROLLBACK_COMPLETE"
    assert aws.client("apigateway").get_stage(restApiId=api_id, stageName=stage)["deploymentId"] == before
    write(folder)
    assert not deploy(aws, folder).changed


def test_a_stack_that_could_not_be_created_is_created_by_the_next_deployment(
    aws: EmbeddedCloud, tmp_path: Path
) -> None:
    queue = "{Type: 'AWS::SQS::Queue', Properties: {VisibilityTimeout: 99999999}}"
    folder = write(tmp_path / "service", SERVICE + f"resources: {{Resources: {{Q: {queue}}}}}\n")
    with pytest.raises(DeploymentFailed) as caught:
        deploy(aws, folder)
    assert caught.value.status == "ROLLBACK_COMPLETE"
    assert [mistake.path[-1] for mistake in caught.value.mistakes] == ["VisibilityTimeout"]
    write(folder)
    assert deploy(aws, folder).changed


def test_a_folder_that_was_moved_is_mounted_where_it_is_now(aws: EmbeddedCloud, tmp_path: Path) -> None:
    folder = write(tmp_path / "here")
    deploy(aws, folder)
    moved = folder.rename(tmp_path / "there")
    (moved / "handler.py").write_text("def run(event, context):\n    return 'there'\n")
    assert deploy(aws, moved).changed
    answer = aws.client("lambda").invoke(FunctionName="twice-dev-other")
    assert answer["Payload"].read() == b'"there"'


def test_a_mistake_in_a_file_is_found_without_a_cloud(tmp_path: Path) -> None:
    def none() -> Any:
        raise AssertionError("the cloud was opened")

    write(tmp_path, SERVICE)
    LocalDeployment(none, tmp_path, options={}, environ={}).load()


def test_variables_ask_the_embedded_cloud(aws: EmbeddedCloud, tmp_path: Path) -> None:
    aws.client("ssm").put_parameter(Name="/size", Value="256", Type="String")
    folder = write(tmp_path, SERVICE + "    description: ${ssm:/size} ${aws:accountId}\n")
    deploy(aws, folder)
    found = aws.client("lambda").get_function_configuration(FunctionName="twice-dev-other")
    assert found["Description"] == "256 000000000000"


def test_layers_are_mounted(aws: EmbeddedCloud, tmp_path: Path) -> None:
    text = SERVICE.replace("    handler", "    layers: [{Ref: SharedLambdaLayer}]\n    handler")
    folder = write(tmp_path / "service", text + "layers: {shared: {path: layer}}\n")
    (folder / "layer/python").mkdir(parents=True)
    (folder / "layer/python/shared.py").write_text("def answer():\n    return 42\n")
    (folder / "handler.py").write_text(
        "import shared\ndef run(event, context):\n    return shared.answer()\n"
    )
    deployed = deploy(aws, folder)
    assert deployed.outputs["SharedLambdaLayerQualifiedArn"].endswith(":layer:shared:1")
    invoke = aws.client("lambda").invoke
    assert invoke(FunctionName="twice-dev-hello")["Payload"].read() == b"42"
    (folder / "layer/python/shared.py").write_text("def answer():\n    return 43\n")
    assert invoke(FunctionName="twice-dev-hello")["Payload"].read() == b"43"
    write(folder, text + "    timeout: 9\nlayers: {shared: {path: layer}}\n")
    deployed = deploy(aws, folder)  # the layer stays the one that it was
    assert deployed.outputs["SharedLambdaLayerQualifiedArn"].endswith(":layer:shared:1")


def test_the_url_of_a_function_is_an_output(aws: EmbeddedCloud, tmp_path: Path) -> None:
    deployed = deploy(aws, write(tmp_path / "service", SERVICE + "    url: true\n"))
    assert ".lambda-url.us-east-1.localhost:" in deployed.outputs["OtherLambdaFunctionUrl"]
