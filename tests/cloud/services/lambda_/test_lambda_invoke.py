"""Invoking: synchronous, asynchronous with retries, dead letters and destinations."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

FAILS = "def handler(event, context): raise ValueError('no')\n"


def test_request_response(lambdas: Any) -> None:
    lambdas.create("f", "def handler(event, context):\n    print('hello')\n    return {'got': event}\n")
    answer = lambdas.client.invoke(FunctionName="f", Payload=b'{"a": 1}', LogType="Tail")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    assert json.loads(answer["Payload"].read()) == {"got": {"a": 1}}
    tail = base64.b64decode(answer["LogResult"]).decode().splitlines()
    assert [line.split(" ")[0] for line in tail] == ["START", "hello", "END", "REPORT"]
    assert tail[0].split(" ")[2] == answer["ResponseMetadata"]["RequestId"]
    assert lambdas.client.invoke(FunctionName="f", InvocationType="DryRun")["StatusCode"] == 204


def test_log_arrives_in_cloudwatch(lambdas: Any) -> None:
    lambdas.create("f", "def handler(event, context): print('hello')\n")
    lambdas.client.invoke(FunctionName="f")
    lambdas.aws.drain()
    events = lambdas.aws.client("logs").filter_log_events(logGroupName="/aws/lambda/f")["events"]
    assert [event["message"].split()[0] for event in events] == ["START", "hello", "END", "REPORT"]


def test_function_error(lambdas: Any) -> None:
    lambdas.create("f", FAILS)
    answer = lambdas.client.invoke(FunctionName="f")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    document = json.loads(answer["Payload"].read())
    assert (document["errorMessage"], document["errorType"]) == ("no", "ValueError")


def test_requests_that_are_refused(lambdas: Any) -> None:
    lambdas.create("f")
    code, status, _ = lambdas.error("invoke", FunctionName="f", Payload=b"{no")
    assert (code, status) == ("InvalidRequestContentException", 400)
    large = b'"' + b"x" * 6_291_456 + b'"'
    assert lambdas.error("invoke", FunctionName="f", Payload=large)[:2] == ("RequestTooLargeException", 413)
    event = b'"' + b"x" * 1_048_576 + b'"'
    assert lambdas.error("invoke", FunctionName="f", Payload=event, InvocationType="Event")[1] == 413


def test_reserved_concurrency_throttles(lambdas: Any) -> None:
    lambdas.create("f", "import time\ndef handler(event, context): time.sleep(0.01)\n")
    lambdas.client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=1)

    async def at_once() -> list[Any]:
        invoke = lambdas.aws.cloud.functions.invoke
        return await asyncio.gather(
            *(invoke(lambdas.arn("f"), b"{}") for _ in range(3)), return_exceptions=True
        )

    first, *others = lambdas.aws.run(at_once())
    assert first.payload == b"null"
    for other in others:
        assert (other.code, other.status, other.message) == (
            "TooManyRequestsException",
            429,
            "Rate Exceeded.",
        )
        assert other.members["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_client_context(lambdas: Any) -> None:
    lambdas.create("f", "def handler(event, context): return [context.client_context.custom, context.client_context.client.app_title]\n")  # fmt: skip
    context = base64.b64encode(b'{"custom": {"k": "v"}, "client": {"app_title": "t"}}').decode()
    answer = lambdas.client.invoke(FunctionName="f", ClientContext=context)
    assert json.loads(answer["Payload"].read()) == [{"k": "v"}, "t"]


def test_functions_call_the_cloud_as_their_role(lambdas: Any) -> None:
    lambdas.create(
        "f", "import boto3\ndef handler(e, c): return boto3.client('sts').get_caller_identity()['Arn']\n"
    )
    answer = lambdas.client.invoke(FunctionName="f")
    assert json.loads(answer["Payload"].read()) == "arn:aws:sts::000000000000:assumed-role/r/f"


def test_event_is_tried_three_times_then_goes_to_dead_letters_and_the_destination(lambdas: Any) -> None:
    dead_url, dead_arn = lambdas.queue("dead")
    failed_url, failed_arn = lambdas.queue("failed")
    lambdas.create("f", FAILS, DeadLetterConfig={"TargetArn": dead_arn})
    lambdas.client.put_function_event_invoke_config(
        FunctionName="f", DestinationConfig={"OnFailure": {"Destination": failed_arn}}
    )
    answer = lambdas.client.invoke(FunctionName="f", InvocationType="Event", Payload=b'{"n": 1}')
    assert answer["StatusCode"] == 202
    request_id = answer["ResponseMetadata"]["RequestId"]
    lambdas.aws.travel(59)
    assert lambdas.bodies(dead_url) == []
    lambdas.aws.travel(130)
    message = lambdas.sqs.receive_message(QueueUrl=dead_url, MessageAttributeNames=["All"])["Messages"][0]
    assert message["Body"] == '{"n": 1}'
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes == {"RequestID": request_id, "ErrorCode": "200", "ErrorMessage": "no"}
    record = lambdas.bodies(failed_url)[0]
    assert record["version"] == "1.0"
    assert record["requestContext"] == {
        "requestId": request_id,
        "functionArn": lambdas.arn("f") + ":$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    }
    assert record["requestPayload"] == {"n": 1}
    assert record["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    assert record["responsePayload"]["errorType"] == "ValueError"


@pytest.mark.parametrize(
    ("settings", "seconds", "condition", "attempts"),
    [
        ({"MaximumRetryAttempts": 0}, 0, "RetriesExhausted", 1),
        ({"MaximumRetryAttempts": 1}, 61, "RetriesExhausted", 2),
        ({"MaximumEventAgeInSeconds": 100}, 61, "EventAgeExceeded", 2),
    ],
)
def test_retries_and_age(
    lambdas: Any, settings: dict[str, int], seconds: int, condition: str, attempts: int
) -> None:
    url, arn = lambdas.queue("failed")
    lambdas.create("f", FAILS)
    lambdas.client.put_function_event_invoke_config(
        FunctionName="f", DestinationConfig={"OnFailure": {"Destination": arn}}, **settings
    )
    lambdas.client.invoke(FunctionName="f", InvocationType="Event", Payload=b"{}")
    lambdas.aws.travel(seconds)
    context = lambdas.bodies(url)[0]["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == (condition, attempts)


def test_success_goes_to_its_destination(lambdas: Any) -> None:
    url, arn = lambdas.queue("done")
    lambdas.create("next", "def handler(event, context): return event['responsePayload']\n")
    lambdas.create("f", "def handler(event, context): return event['n'] + 1\n")
    for function, destination in (("f", lambdas.arn("next")), ("next", arn)):
        lambdas.client.put_function_event_invoke_config(
            FunctionName=function, DestinationConfig={"OnSuccess": {"Destination": destination}}
        )
    lambdas.client.invoke(FunctionName="f", InvocationType="Event", Payload=b'{"n": 1}')
    lambdas.aws.drain()
    record = lambdas.bodies(url)[0]
    assert record["requestContext"]["condition"] == "Success"
    assert record["responsePayload"] == 2


def test_throttled_events_wait_for_their_turn(lambdas: Any) -> None:
    url, arn = lambdas.queue("done")
    lambdas.create("f")
    lambdas.client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    lambdas.client.put_function_event_invoke_config(
        FunctionName="f", DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    lambdas.client.invoke(FunctionName="f", InvocationType="Event", Payload=b"{}")
    lambdas.aws.drain()
    assert lambdas.bodies(url)[0]["requestContext"]["condition"] == "ZeroReservedConcurrency"


def test_event_invoke_config(lambdas: Any) -> None:
    lambdas.create("f")
    client = lambdas.client
    assert lambdas.error("get_function_event_invoke_config", FunctionName="f")[2] == (
        f"The function {lambdas.arn('f')}:$LATEST doesn't have an EventInvokeConfig"
    )
    assert (
        lambdas.error("put_function_event_invoke_config", FunctionName="f")[0]
        == "InvalidParameterValueException"
    )
    client.put_function_event_invoke_config(FunctionName="f", MaximumRetryAttempts=1)
    client.update_function_event_invoke_config(FunctionName="f", MaximumEventAgeInSeconds=60)
    found = client.get_function_event_invoke_config(FunctionName="f")
    assert (found["MaximumRetryAttempts"], found["MaximumEventAgeInSeconds"]) == (1, 60)
    assert len(client.list_function_event_invoke_configs(FunctionName="f")["FunctionEventInvokeConfigs"]) == 1
    client.delete_function_event_invoke_config(FunctionName="f")
    assert lambdas.error("delete_function_event_invoke_config", FunctionName="f")[1] == 404
