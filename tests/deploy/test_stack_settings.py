"""Settings of the stack: parameters reach the template, and what only AWS can do is named."""

from __future__ import annotations

from pathlib import Path

from pileus.deploy.aws_only import aws_only
from pileus.service import load_service
from pileus.testing import RunningService

SERVICE = """
service: settled
frameworkVersion: '3'
provider:
  name: aws
  disableRollback: true
  stackParameters:
    - {ParameterKey: Name, ParameterValue: from-the-file}
resources:
  Parameters:
    Name: {Type: String}
  Resources:
    Queue:
      Type: AWS::SQS::Queue
      Properties: {QueueName: {Ref: Name}}
"""


def test_stack_parameters_reach_the_template(tmp_path: Path) -> None:
    (tmp_path / "serverless.yml").write_text(SERVICE)
    with RunningService(tmp_path) as service:
        assert service.client("sqs").get_queue_url(QueueName="from-the-file")["QueueUrl"]


def test_what_takes_effect_in_aws_only_is_named(tmp_path: Path) -> None:
    (tmp_path / "serverless.yml").write_text(SERVICE)
    assert aws_only(load_service(tmp_path, options={}, environ={}).service) == ["provider.disableRollback"]
