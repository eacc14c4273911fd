"""What v3 sets on the stage after the deployment is set here, too."""

from __future__ import annotations

from pathlib import Path

from pileus.testing import RunningService

SERVICE = """
service: staged
frameworkVersion: '3'
provider:
  name: aws
  runtime: python3.11
  tracing: {apiGateway: true}
  apiGateway: {metrics: true}
  tags: {team: blue}
functions:
  hello: {handler: app.hello, events: [{http: GET /hello}]}
"""


def test_tracing_metrics_and_tags_reach_the_stage(tmp_path: Path) -> None:
    (tmp_path / "serverless.yml").write_text(SERVICE)
    (tmp_path / "app.py").write_text("def hello(event, context):\n    return {'statusCode': 200}\n")
    with RunningService(tmp_path) as service:
        api_id, name = service.deployed.api or ("", "")
        stage = service.client("apigateway").get_stage(restApiId=api_id, stageName=name)
    assert stage["tracingEnabled"] is True
    assert stage["methodSettings"]["*/*"]["metricsEnabled"] is True
    assert stage["tags"]["team"] == "blue"
