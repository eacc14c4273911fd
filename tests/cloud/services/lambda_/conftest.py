"""A running cloud with a role for functions, reached with boto3."""

from __future__ import annotations

import io
import json
import textwrap
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pileus.testing import EmbeddedCloud

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
ACCOUNT = "000000000000"


def package(files: Mapping[str, str] | str) -> bytes:
    """A zip of `files`, or of the one module `app`."""
    files = {"app.py": files} if isinstance(files, str) else files
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, textwrap.dedent(text))
    return buffer.getvalue()


ECHO = package("def handler(event, context):\n    return event\n")


class Lambdas:
    """The clients, and the short way to a function."""

    def __init__(self, aws: EmbeddedCloud) -> None:
        self.aws = aws
        self.client = aws.client("lambda")
        self.sqs = aws.client("sqs")
        role = aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST))
        self.role = role["Role"]["Arn"]

    def create(self, name: str, code: bytes | str = ECHO, **settings: Any) -> Any:
        content = package(code) if isinstance(code, str) else code
        request = {
            "FunctionName": name,
            "Role": self.role,
            "Runtime": "python3.11",
            "Handler": "app.handler",
            "Code": {"ZipFile": content},
            **settings,
        }
        return self.client.create_function(**request)

    @staticmethod
    def package(files: Mapping[str, str] | str) -> bytes:
        return package(files)

    def arn(self, name: str) -> str:
        return f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"

    def queue(self, name: str, **attributes: str) -> tuple[str, str]:
        """URL and ARN of a new queue."""
        url = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url, f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"

    def bodies(self, url: str) -> list[Any]:
        """What lies in a queue, decoded."""
        found = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in found]

    def error(self, operation: str, **request: Any) -> tuple[str, int, str]:
        """Code, status and message of the error that the operation answers with."""
        with pytest.raises(ClientError) as caught:
            getattr(self.client, operation)(**request)
        answer: Any = caught.value.response
        return (
            answer["Error"]["Code"],
            answer["ResponseMetadata"]["HTTPStatusCode"],
            answer["Error"]["Message"],
        )


@pytest.fixture
def lambdas(aws: EmbeddedCloud) -> Lambdas:
    return Lambdas(aws)
