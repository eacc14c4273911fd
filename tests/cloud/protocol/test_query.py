"""The query protocol: forms in, XML out."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from pileus.cloud.kernel.errors import AwsError, ValidationError
from pileus.cloud.kernel.http import HttpRequest
from pileus.cloud.protocol import ServiceCodec, UnknownOperation, service_codec
from pileus.cloud.protocol.errors import MalformedInput

SNS = service_codec("sns")
IAM = service_codec("iam")
SQS = service_codec("sqs")
CLOUDFORMATION = service_codec("cloudformation")


def form(path: str = "/", query: str = "", **fields: str) -> HttpRequest:
    headers = {"content-type": "application/x-www-form-urlencoded", "host": "localhost:4566"}
    return HttpRequest("POST", path, query, headers, urlencode(fields).encode())


def parse(codec: ServiceCodec, request: HttpRequest) -> dict[str, Any]:
    return codec.parse(codec.identify(request), request)


def fields(**given: str) -> dict[str, str]:
    return {name.replace("__", "."): value for name, value in given.items()}


@pytest.mark.parametrize(
    ("codec", "given", "parsed"),
    [
        (SNS, fields(Action="ListTopics", Version="2010-03-31"), {}),
        (
            SNS,
            fields(
                Action="CreateTopic", Name="t", Attributes__entry__1__key="a", Attributes__entry__1__value="b"
            ),
            {"Name": "t", "Attributes": {"a": "b"}},
        ),
        (SNS, fields(Action="TagResource", ResourceArn="r", Tags=""), {"ResourceArn": "r", "Tags": []}),
        (
            CLOUDFORMATION,
            fields(Action="CreateStack", StackName="s", Capabilities__member__1="CAPABILITY_IAM"),
            {"StackName": "s", "Capabilities": ["CAPABILITY_IAM"]},
        ),
        (
            CLOUDFORMATION,
            fields(
                Action="CreateStack",
                StackName="s",
                DisableRollback="true",
                TimeoutInMinutes="5",
                **{f"Parameters.member.{n}.ParameterKey": f"p{n}" for n in (1, 2, 10)},
            ),
            {
                "StackName": "s",
                "DisableRollback": True,
                "TimeoutInMinutes": 5,
                "Parameters": [{"ParameterKey": "p1"}, {"ParameterKey": "p2"}, {"ParameterKey": "p10"}],
            },
        ),
        (
            SQS,
            fields(
                Action="SendMessage",
                QueueUrl="q",
                MessageBody="a b+c&d",
                MessageAttribute__1__Name="n",
                MessageAttribute__1__Value__DataType="Binary",
                MessageAttribute__1__Value__BinaryValue="AQI=",
            ),
            {
                "QueueUrl": "q",
                "MessageBody": "a b+c&d",
                "MessageAttributes": {"n": {"DataType": "Binary", "BinaryValue": b"\x01\x02"}},
            },
        ),
        (
            SQS,
            fields(
                Action="CreateQueue",
                QueueName="q",
                Attribute__1__Name="DelaySeconds",
                Attribute__1__Value="5",
                Tag__1__Key="k",
                Tag__1__Value="v",
            ),
            {"QueueName": "q", "Attributes": {"DelaySeconds": "5"}, "tags": {"k": "v"}},
        ),
        (
            SQS,
            fields(
                Action="DeleteMessageBatch",
                QueueUrl="q",
                DeleteMessageBatchRequestEntry__1__Id="a",
                DeleteMessageBatchRequestEntry__1__ReceiptHandle="r",
            ),
            {"QueueUrl": "q", "Entries": [{"Id": "a", "ReceiptHandle": "r"}]},
        ),
        (
            SQS,
            fields(
                Action="ReceiveMessage", QueueUrl="q", AttributeName__1="All", MessageAttributeName__1="x"
            ),
            {"QueueUrl": "q", "AttributeNames": ["All"], "MessageAttributeNames": ["x"]},
        ),
    ],
)
def test_forms(codec: ServiceCodec, given: dict[str, str], parsed: dict[str, Any]) -> None:
    assert parse(codec, form(**given)) == parsed


def test_parameters_in_the_query_string() -> None:
    request = HttpRequest("GET", "/", "Action=GetTopicAttributes&TopicArn=arn%3Aaws%3Asns", {})
    assert parse(SNS, request) == {"TopicArn": "arn:aws:sns"}


def test_a_queue_url_may_be_the_address() -> None:
    request = form("/000000000000/q", Action="ReceiveMessage")
    assert parse(SQS, request) == {"QueueUrl": "http://localhost:4566/000000000000/q"}


@pytest.mark.parametrize(
    "given",
    [
        fields(Action="CreateStack", StackName="s", TimeoutInMinutes="soon"),
        fields(Action="CreateStack", StackName="s", DisableRollback="perhaps"),
        fields(Action="CreateStack", StackName__member__1="s"),
        fields(Action="CreateStack", StackName="s", Parameters__member__x="s"),
        fields(Action="CreateStack", StackName="s", Parameters="s"),
        fields(Action="CreateStack", StackName="s", Parameters__member__1="s"),
    ],
)
def test_malformed_forms(given: dict[str, str]) -> None:
    with pytest.raises(MalformedInput):
        parse(CLOUDFORMATION, form(**given))


def test_unknown_actions() -> None:
    with pytest.raises(UnknownOperation) as unknown:
        IAM.identify(form(Action="Nothing", Version="2010-05-08"))
    assert str(unknown.value) == "InvalidAction: Could not find operation Nothing for version 2010-05-08"
    with pytest.raises(UnknownOperation) as missing:
        IAM.identify(form())
    assert missing.value.code == "MissingAction"


def test_validation() -> None:
    with pytest.raises(ValidationError) as caught:
        parse(IAM, form(Action="CreateUser", UserName=""))
    assert caught.value.message == (
        "2 validation errors detected: Value '' at 'userName' failed to satisfy constraint: Member must have length "
        "greater than or equal to 1; Value '' at 'userName' failed to satisfy constraint: Member must satisfy regular "
        r"expression pattern: [\w+=,.@-]+"
    )
    with pytest.raises(ValidationError, match="Value null at 'userName' failed"):
        parse(IAM, form(Action="CreateUser"))


def test_results() -> None:
    match = IAM.identify(form(Action="GetUser"))
    user = {"Path": "/", "UserName": "a&b", "UserId": "U", "Arn": "arn", "CreateDate": 1.75, "Tags": []}
    assert IAM.serialise(match, {"User": user}, request_id="id-1").body.decode() == (
        '<GetUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetUserResult><User><Path>/</Path>'
        "<UserName>a&amp;b</UserName><UserId>U</UserId><Arn>arn</Arn><CreateDate>1970-01-01T00:00:01Z</CreateDate>"
        "<Tags></Tags></User></GetUserResult><ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata>"
        "</GetUserResponse>"
    )


def test_results_without_output() -> None:
    match = IAM.identify(form(Action="DeleteUser"))
    response = IAM.serialise(match, None, request_id="id-1")
    assert response.body.decode() == (
        '<DeleteUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ResponseMetadata>'
        "<RequestId>id-1</RequestId></ResponseMetadata></DeleteUserResponse>"
    )
    assert response.headers["content-type"] == "text/xml"


def test_flattened_results_of_sqs() -> None:
    match = SQS.identify(form(Action="GetQueueAttributes"))
    result = {"Attributes": {"DelaySeconds": "5"}}
    assert SQS.serialise(match, result, request_id="i").body.decode() == (
        '<GetQueueAttributesResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><GetQueueAttributesResult>'
        "<Attribute><Name>DelaySeconds</Name><Value>5</Value></Attribute></GetQueueAttributesResult>"
        "<ResponseMetadata><RequestId>i</RequestId></ResponseMetadata></GetQueueAttributesResponse>"
    )


class NoTopic(AwsError):
    code = "NotFoundException"  # the shape's name; the wire says NotFound
    status = 404


class Fault(AwsError):
    code = "InternalFailure"
    status = 500


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            NoTopic("Topic <x> does not exist"),
            "<Type>Sender</Type><Code>NotFound</Code><Message>Topic &lt;x&gt; does not exist</Message>",
        ),
        (Fault("oh"), "<Type>Receiver</Type><Code>InternalFailure</Code><Message>oh</Message>"),
    ],
)
def test_errors(error: AwsError, told: str) -> None:
    response = SNS.error("query", error, request_id="id-1")
    assert response.status == error.status
    assert response.body.decode() == (
        f'<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error>{told}</Error>'
        "<RequestId>id-1</RequestId></ErrorResponse>"
    )
