"""`alb` events: rules on a listener that exists in an account, served by a stand-in."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from pileus.cloud.gateway.alb import AlbApp
from pileus.cloud.server import bind
from pileus.deploy.local import Deployed, LocalDeployment
from pileus.deploy.stack import DeploymentFailed
from pileus.testing import EmbeddedCloud

LISTENER = (
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/my-lb/50dc6c495c0c9188/f2f7dc8efc522ab2"
)
SERVICE = f"""\
service: balanced
provider:
  name: aws
  runtime: python3.11
functions:
  hello:
    handler: handler.run
    events:
      - alb:
          listenerArn: {LISTENER}
          priority: 1
          conditions: {{path: /hello, method: [POST]}}
      - alb:
          listenerArn: {LISTENER}
          priority: 2
          multiValueHeaders: true
          conditions: {{path: /many}}
"""
HANDLER = """\
import json
def run(event, context):
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event),
            "multiValueHeaders": {"content-type": ["application/json"]}}
"""


def deploy(aws: EmbeddedCloud, folder: Path, text: str) -> Deployed:
    (folder / "handler.py").write_text(HANDLER)
    (folder / "serverless.yml").write_text(text)
    return aws.run(LocalDeployment(lambda: aws.cloud, folder, options={}, environ={}).deploy())


def test_rules_on_a_listener_of_elsewhere_are_served(aws: EmbeddedCloud, tmp_path: Path) -> None:
    deployed = deploy(aws, tmp_path, SERVICE)
    assert deployed.listeners == (LISTENER,)

    async def serve() -> int:
        app = AlbApp(aws.cloud, lambda: deployed.listeners, stage=deployed.service.stage)
        return (await aws.server.serve_site(app.answer, bind("127.0.0.1", 0))).port

    url = f"http://127.0.0.1:{aws.run(serve())}"
    with urlopen(Request(f"{url}/dev/hello?a=1", b"{}", method="POST")) as answer:
        event = json.loads(answer.read())
    assert (event["path"], event["httpMethod"]) == ("/hello", "POST")
    assert event["queryStringParameters"] == {"a": "1"}
    with urlopen(f"{url}/many") as answer:
        assert json.loads(answer.read())["multiValueHeaders"]["user-agent"][0].startswith("Python-urllib")
    with pytest.raises(HTTPError) as caught:
        urlopen(f"{url}/hello")
    assert caught.value.code == 404
    caught.value.close()
    assert deploy(aws, tmp_path, SERVICE).changed is False


def test_users_are_not_authenticated(aws: EmbeddedCloud, tmp_path: Path) -> None:
    authorizer = """\
  alb:
    authorizers:
      people: {type: cognito, userPoolArn: 'arn:aws:cognito-idp:us-east-1:123412341234:userpool/us-east-1_x',
               userPoolClientId: a, userPoolDomain: b}
"""
    text = SERVICE.replace("functions:", f"{authorizer}functions:").replace(
        "priority: 1", "priority: 1\n          authorizer: people"
    )
    with pytest.raises(DeploymentFailed) as caught:
        deploy(aws, tmp_path, text)
    assert "authenticate-cognito" in str(caught.value.mistakes[0])
