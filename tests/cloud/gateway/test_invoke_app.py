"""The port of the Lambda API: invocations without a key of this cloud, and nothing else without one."""

from __future__ import annotations

import asyncio
import json

import pytest

from pileus.cloud.gateway.app import InvokeApp
from pileus.cloud.gateway.identify import is_invocation
from pileus.cloud.kernel import Cloud, HttpRequest, HttpResponse

FOREIGN = {
    "x-amz-date": "20260101T000000Z",
    "authorization": "AWS4-HMAC-SHA256 Credential=somebody/20260101/eu-west-1/lambda/aws4_request, "
    "SignedHeaders=host, Signature=0",
}


def asked(cloud: Cloud, method: str, path: str, headers: dict[str, str]) -> HttpResponse:
    headers = {"host": "localhost:3002", **headers}

    async def ask() -> HttpResponse:
        answer = InvokeApp(cloud, "us-east-1").answer(HttpRequest(method, path, "", headers, b"{}"))
        return answer if isinstance(answer, HttpResponse) else await answer

    return asyncio.run(ask())


@pytest.mark.parametrize("headers", [{}, FOREIGN], ids=["unsigned", "with a foreign key"])
def test_whoever_reaches_the_port_may_invoke(cloud: Cloud, headers: dict[str, str]) -> None:
    path = "/2015-03-31/functions/nowhere/invocations"
    response = asked(cloud, "POST", path, headers)
    assert (response.status, response.headers["x-amzn-errortype"]) == (404, "ResourceNotFoundException")
    told = json.loads(response.body)["Message"]
    assert told == "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nowhere"


def test_all_else_needs_a_signature(cloud: Cloud) -> None:
    path = "/2015-03-31/functions/nowhere"
    response = asked(cloud, "DELETE", path, FOREIGN)
    assert response.status == 403


@pytest.mark.parametrize("headers", [{}, FOREIGN], ids=["unsigned", "with a foreign key"])
def test_a_web_page_needs_a_signature(cloud: Cloud, headers: dict[str, str]) -> None:
    path = "/2015-03-31/functions/nowhere/invocations"
    response = asked(cloud, "POST", path, {**headers, "origin": "https://evil.example"})
    assert response.status >= 400
    assert b"Function not found" not in response.body  # it never came to Lambda


@pytest.mark.parametrize(
    ("path", "invokes"),
    [
        ("/2015-03-31/functions/f/invocations", True),
        ("/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af/invocations", True),
        ("/2014-11-13/functions/f/invoke-async/", True),
        ("/2021-11-15/functions/f/response-streaming-invocations", True),
        ("/2015-03-31/functions", False),
        ("/2015-03-31/functions/f/code/invocations", False),
        ("/bucket/functions/f/invocations", False),
    ],
)
def test_what_invokes(path: str, invokes: bool) -> None:
    assert is_invocation(path) is invokes
