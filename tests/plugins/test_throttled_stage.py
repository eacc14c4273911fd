"""The rates of serverless-api-gateway-throttling on the stage of a deployed API, in AWS's words."""

from pathlib import Path

from pileus.deploy.local import LocalDeployment
from pileus.testing import EmbeddedCloud

YAML = """
service: shop
plugins: [serverless-api-gateway-throttling, serverless-iam-roles-per-function]
provider: {name: aws, runtime: python3.11}
custom: {apiGatewayThrottling: {maxRequestsPerSecond: 100, maxConcurrentRequests: 50}}
functions:
  one:
    handler: handler.h
    iamRoleStatements: [{Effect: Allow, Action: 's3:GetObject', Resource: '*'}]
    events:
      - http: {path: '/a/{id}', method: get, throttling: {maxRequestsPerSecond: 5.5, maxConcurrentRequests: 2}}
      - http: {path: /b, method: post, throttling: {disabled: true}}
"""


def test_the_stage_has_the_rates_of_its_methods(aws: EmbeddedCloud, tmp_path: Path) -> None:
    (tmp_path / "serverless.yml").write_text(YAML)
    (tmp_path / "handler.py").write_text("def h(event, context): return {'statusCode': 200}\n")
    deployment = LocalDeployment(lambda: aws.cloud, tmp_path, options={}, environ={})
    api = aws.run(deployment.deploy()).api
    assert api is not None
    stage = aws.client("apigateway").get_stage(restApiId=api[0], stageName=api[1])
    rates = {
        path: (one["throttlingRateLimit"], one["throttlingBurstLimit"])
        for path, one in stage["methodSettings"].items()
    }
    assert rates == {"*/*": (100, 50), "~1a~1{id}/GET": (5.5, 2), "~1b/POST": (-1, -1)}


def test_a_function_runs_under_its_own_role(aws: EmbeddedCloud, tmp_path: Path) -> None:
    (tmp_path / "serverless.yml").write_text(YAML)
    (tmp_path / "handler.py").write_text("def h(event, context): return {'statusCode': 200}\n")
    aws.run(LocalDeployment(lambda: aws.cloud, tmp_path, options={}, environ={}).deploy())
    role = aws.client("lambda").get_function(FunctionName="shop-dev-one")["Configuration"]["Role"]
    assert role.endswith(":role/shop-dev-one-us-east-1-lambdaRole")
