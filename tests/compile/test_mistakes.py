"""What compiles in no way, in words of our own, where v3 refuses it too."""

from pathlib import Path

import pytest

from pileus.compile import Artifacts, compile_service
from pileus.service import ConfigErrors, load_service

HEAD = "service: demo\nprovider:\n  name: aws\n  runtime: python3.11\n"
CASES = {
    "an authorizer of two functions, though no route uses it": (
        "  httpApi:\n    authorizers:\n      a: {type: request, functionName: f, functionArn: 'arn:aws:lambda:us-east-1:1:function:g'}\n",
        "has either 'functionName' or 'functionArn'",
        ("provider", "httpApi", "authorizers", "a"),
    ),
    "a queue by an intrinsic without its name": (
        "functions:\n  f: {handler: a.b, events: [sqs: {'Fn::GetAtt': [Queue, Arn]}]}\n",
        "the queue has no name",
        ("functions", "f", "events", 0, "sqs"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_mistake_has_its_place(tmp_path: Path, case: str) -> None:
    text, message, path = CASES[case]
    (tmp_path / "serverless.yml").write_text(HEAD + text)
    service = load_service(tmp_path, options={}, environ={}).service
    with pytest.raises(ConfigErrors) as refused:
        compile_service(service, Artifacts.synthetic(service, at_ms=0))
    found = [error for error in refused.value.errors if message in error.message]
    assert [error.path for error in found] == [path]
    assert all(error.mark and error.mark.line > 4 and error.hint for error in found)
