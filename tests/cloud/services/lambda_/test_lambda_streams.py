"""Responses that are sent on while the function writes them: by the API and at function URLs."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
from typing import Any

import pytest

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")

STREAMS = """
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  if (event.rawPath === '/head') {
    const head = { statusCode: 201, headers: { 'Content-Type': 'text/plain', 'X-One': '1' }, cookies: ['a=b'] };
    stream = awslambda.HttpResponseStream.from(stream, head);
  }
  stream.write('one,');
  if (event.fails || event.rawPath === '/fails') {
    await new Promise(resolve => setTimeout(resolve, 50));
    throw new RangeError('no');
  }
  stream.write('two');
  stream.end();
});
"""


def events(answer: Any) -> tuple[bytes, dict[str, Any]]:
    """The payload and the last event."""
    body, complete = b"", {}
    for event in answer["EventStream"]:
        body += event.get("PayloadChunk", {}).get("Payload", b"")
        complete = event.get("InvokeComplete", complete)
    return body, complete


def streaming(lambdas: Any) -> None:
    lambdas.create("f", lambdas.package({"app.mjs": STREAMS}), Runtime="nodejs22.x", Timeout=20)


@needs_node
def test_invoke_with_response_stream(lambdas: Any) -> None:
    streaming(lambdas)
    answer = lambdas.client.invoke_with_response_stream(FunctionName="f", LogType="Tail", Payload=b"{}")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert answer["ResponseStreamContentType"] == "application/vnd.amazon.eventstream"
    body, complete = events(answer)
    assert body == b"one,two"
    assert base64.b64decode(complete["LogResult"]).decode().startswith("START RequestId: ")
    failed = lambdas.client.invoke_with_response_stream(FunctionName="f", Payload=b'{"fails": true}')
    body, complete = events(failed)
    assert (body, json.loads(complete["ErrorDetails"])["errorMessage"]) == (b"one,", "no")
    # taken in one piece by who does not stream
    assert lambdas.client.invoke(FunctionName="f", Payload=b"{}")["Payload"].read() == b"one,two"
    lambdas.aws.drain()


def test_a_function_that_answers_in_one_piece(lambdas: Any) -> None:
    lambdas.create("f", "def handler(event, context):\n    return 1 / event\n")
    assert events(lambdas.client.invoke_with_response_stream(FunctionName="f", Payload=b"2")) == (b"0.5", {})
    body, complete = events(lambdas.client.invoke_with_response_stream(FunctionName="f", Payload=b"0"))
    assert (body, complete["ErrorCode"]) == (b"", "Unhandled")
    assert json.loads(complete["ErrorDetails"])["errorType"] == "ZeroDivisionError"
    code, status, _ = lambdas.error("invoke_with_response_stream", FunctionName="f", Payload=b"{no")
    assert (code, status) == ("InvalidRequestContentException", 400)
    dry = lambdas.client.invoke_with_response_stream(FunctionName="f", InvocationType="DryRun")
    assert (dry["StatusCode"], list(dry["EventStream"])) == (204, [])


@needs_node
def test_at_a_url(lambdas: Any) -> None:
    streaming(lambdas)
    config = lambdas.client.create_function_url_config(
        FunctionName="f", AuthType="NONE", InvokeMode="RESPONSE_STREAM"
    )
    host = config["FunctionUrl"].split("/")[2]

    def ask(path: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(lambdas.aws.url.removeprefix("http://"))
        connection.request("GET", path, headers={"host": host})
        return connection.getresponse()

    plain = ask("/")
    assert (plain.status, plain.headers["content-type"], plain.read()) == (
        200,
        "application/octet-stream",
        b"one,two",
    )
    head = ask("/head")
    assert (head.status, head.headers["content-type"], head.headers["x-one"]) == (201, "text/plain", "1")
    assert (head.headers["set-cookie"], head.read()) == ("a=b", b"one,two")
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):  # the stream breaks off
        ask("/fails").read()
    lambdas.aws.drain()


POURS = """
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  for (let i = 0; i < 100; i++) {
    if (!stream.write(Buffer.alloc(65536))) await new Promise(resolve => stream.once('drain', resolve));
  }
  stream.end();
});
"""


@needs_node
def test_a_client_that_goes_away_does_not_occupy_the_function(lambdas: Any) -> None:
    lambdas.create("f", lambdas.package({"app.mjs": POURS}), Runtime="nodejs22.x", Timeout=20)
    lambdas.client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=1)
    config = lambdas.client.create_function_url_config(
        FunctionName="f", AuthType="NONE", InvokeMode="RESPONSE_STREAM"
    )
    for _ in range(2):
        connection = http.client.HTTPConnection(lambdas.aws.url.removeprefix("http://"))
        connection.request("GET", "/", headers={"host": config["FunctionUrl"].split("/")[2]})
        answer = connection.getresponse()
        assert (answer.status, len(answer.read(1000))) == (200, 1000)
        answer.close()
        connection.close()
        lambdas.aws.drain()


def test_invoke_async_leaves_an_event(lambdas: Any) -> None:
    url, arn = lambdas.queue("done")
    lambdas.create("f")
    lambdas.client.put_function_event_invoke_config(
        FunctionName="f", DestinationConfig={"OnSuccess": {"Destination": arn}}
    )
    assert lambdas.client.invoke_async(FunctionName="f", InvokeArgs=b'{"a": 1}')["Status"] == 202
    lambdas.aws.drain()
    assert lambdas.bodies(url)[0]["responsePayload"] == {"a": 1}


LOOPS = """
import boto3, os
def handler(event, context):
    boto3.client("lambda").invoke(FunctionName=context.function_name, InvocationType="Event", Payload=b"{}")
"""


def test_a_loop_is_stopped_after_sixteen_rounds(lambdas: Any) -> None:
    url, arn = lambdas.queue("stopped")
    lambdas.create("f", LOOPS, DeadLetterConfig={"TargetArn": arn}, Timeout=30)
    assert lambdas.client.get_function_recursion_config(FunctionName="f")["RecursiveLoop"] == "Terminate"
    lambdas.client.invoke(FunctionName="f", InvocationType="Event", Payload=b"{}")
    lambdas.aws.drain(60)
    (message,) = lambdas.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert "recursive loop" in message["MessageAttributes"]["ErrorMessage"]["StringValue"]
    lambdas.client.put_function_recursion_config(FunctionName="f", RecursiveLoop="Allow")
    answer = lambdas.aws.within(lambda cloud: cloud.functions.target("f").may_recurse)
    assert answer is True
