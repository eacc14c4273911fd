"""AWS integrations with services: a request straight into a queue, a table, a bus, a bucket."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
FORM = {"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"}


@pytest.fixture
def deployed(aws: Any) -> Any:
    """Makes an API with one method on `/{id}` and gives a function that calls it."""
    iam, gateway = aws.client("iam"), aws.client("apigateway")
    role = iam.create_role(RoleName="direct", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]

    def make(uri: str, verb: str = "POST", credentials: str | None = role, **integration: Any) -> Any:
        api = gateway.create_rest_api(name="direct")
        resource = gateway.create_resource(
            restApiId=api["id"], parentId=api["rootResourceId"], pathPart="{id}"
        )
        where = {"restApiId": api["id"], "resourceId": resource["id"], "httpMethod": "POST"}
        gateway.put_method(
            **where, authorizationType="NONE", requestParameters={"method.request.path.id": True}
        )
        if credentials:
            integration["credentials"] = credentials
        gateway.put_integration(
            **where,
            type="AWS",
            integrationHttpMethod=verb,
            uri=f"arn:aws:apigateway:us-east-1:{uri}",
            **integration,
        )
        for status, pattern in (("200", None), ("400", "4\\d\\d")):
            gateway.put_method_response(**where, statusCode=status)
            more = {"selectionPattern": pattern} if pattern else {}
            gateway.put_integration_response(**where, statusCode=status, **more)
        gateway.create_deployment(restApiId=api["id"], stageName="dev")

        def call(body: str, name: str = "x") -> tuple[int, bytes]:
            url = f"{aws.url}/_aws/execute-api/{api['id']}/dev/{name}"
            request = Request(url, body.encode(), {"content-type": "application/json"}, method="POST")
            try:
                with urlopen(request) as answer:
                    return answer.status, answer.read()
            except HTTPError as error:
                with error:
                    return error.code, error.read()

        return call

    return make


def test_a_message_into_a_queue_by_path(aws: Any, deployed: Any) -> None:
    queue = aws.client("sqs").create_queue(QueueName="jobs")["QueueUrl"]
    template = "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"
    call = deployed(
        "sqs:path/000000000000/jobs",
        requestParameters=FORM,
        requestTemplates={"application/json": template},
        passthroughBehavior="NEVER",
    )
    status, body = call('{"a": "1&2"}')
    assert status == 200
    assert b"<MessageId>" in body or b"MessageId" in body
    found = aws.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert found[0]["Body"] == '{"a": "1&2"}'


def test_an_item_into_a_table_by_action(aws: Any, deployed: Any) -> None:
    dynamodb = aws.client("dynamodb")
    dynamodb.create_table(
        TableName="items",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    template = '{"TableName": "items", "Item": {"id": {"S": "$input.params(\'id\')"}, "v": {"S": $input.json("$.v")}}}'
    call = deployed("dynamodb:action/PutItem", requestTemplates={"application/json": template})
    assert call('{"v": "w"}', "seven") == (200, b"{}")
    assert dynamodb.get_item(TableName="items", Key={"id": {"S": "seven"}})["Item"]["v"] == {"S": "w"}


def test_an_error_of_the_service_chooses_by_status(aws: Any, deployed: Any) -> None:
    template = '{"TableName": "none", "Key": {"id": {"S": "1"}}}'
    call = deployed("dynamodb:action/GetItem", requestTemplates={"application/json": template})
    status, body = call("{}")
    assert status == 400
    assert json.loads(body)["__type"].endswith("ResourceNotFoundException")


def test_an_event_onto_a_bus(aws: Any, deployed: Any) -> None:
    template = (
        '{"Entries": [{"Source": "api", "DetailType": "t", "Detail": "$util.escapeJavaScript($input.body)"}]}'
    )
    call = deployed(
        "events:action/PutEvents",
        requestParameters={
            "integration.request.header.X-Amz-Target": "'AWSEvents.PutEvents'",
            "integration.request.header.Content-Type": "'application/x-amz-json-1.1'",
        },
        requestTemplates={"application/json": template},
    )
    status, body = call('{"a":1}')
    assert status == 200
    assert json.loads(body)["FailedEntryCount"] == 0


def test_an_object_into_a_bucket(aws: Any, deployed: Any) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="things")
    call = deployed(
        "s3:path/things/{key}",
        "PUT",
        requestParameters={"integration.request.path.key": "method.request.path.id"},
    )
    assert call('{"a":1}', "one.json")[0] == 200
    found = s3.get_object(Bucket="things", Key="one.json")
    assert (found["Body"].read(), found["ContentType"]) == (b'{"a":1}', "application/json")


def test_a_role_that_does_not_trust_api_gateway(aws: Any, deployed: Any) -> None:
    trust = json.dumps(TRUST).replace("apigateway", "lambda")
    role = aws.client("iam").create_role(RoleName="closed", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    for credentials in (role, None):
        call = deployed("dynamodb:action/GetItem", credentials=credentials)
        assert call("{}") == (500, b'{"message": "Internal server error"}')


def test_a_service_that_is_not_emulated_says_so(deployed: Any) -> None:
    status, body = deployed("firehose:action/PutRecord")("{}")
    assert status == 501
    assert b"AWS integrations with firehose" in body
