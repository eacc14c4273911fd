"""Logical ids, as stacks deployed by the Serverless Framework have them (observed)."""

import pytest

from pileus.compile import naming


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("", ""),
        ("users", "Users"),
        ("users/{id}", "UsersIdVar"),
        ("pets/{petId}/toys/{toy-id}", "PetsPetidVarToysToyDashidVar"),
        ("{proxy+}", "ProxyVar"),
        ("snake_case/kebab-case/dot.json", "SnakecaseKebabDashcaseDotjson"),
        ("UPPER/v1.0/~tilde", "UpperV10Tilde"),
    ],
)
def test_paths(path: str, name: str) -> None:
    assert naming.rest_resource(path) == f"ApiGatewayResource{name}"


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (naming.function("two-dash"), "TwoDashdashLambdaFunction"),
        (naming.function("c_d"), "CUnderscoredLambdaFunction"),
        (naming.bucket("my-service-dev-uploads"), "S3BucketMyservicedevuploads"),
        (naming.topic("my-Topic_1"), "SNSTopicMyTopic1"),
        (naming.rest_method("users/{id}", "get"), "ApiGatewayMethodUsersIdVarGet"),
        (naming.rest_method("", "ANY"), "ApiGatewayMethodAny"),
        (naming.http_api_route("ANY /v1/{proxy+}"), "HttpApiRouteAnyV1ProxyVar"),
        (naming.http_api_route("$default"), "HttpApiRouteDefault"),
        (naming.event_bridge_rule("eb-one-dev-first-fn-rule-2"), "Ebonedevfirstfnrule2EventBridgeRule"),
        (
            naming.rest_method_model("ApiGatewayMethodPostsIdVarPut", "application/vnd.api+json"),
            "ApiGatewayMethodPostsIdVarPutApplicationVndApiJsonModel",
        ),
    ],
)
def test_ids(made: str, expected: str) -> None:
    assert made == expected


def test_long_names_are_shortened_by_a_digest() -> None:
    key = "aFunctionWithAVeryVeryLongNameThatGoesOnAndOn-and-on"
    rule = naming.event_bridge_rule_name(f"eb-one-dev-{key}", 1)
    assert rule == "eb-one-dev-aFunctionWithAfbeac47b269792ce881cacf671d59e59-rule-1"
    assert (
        naming.event_bridge_target_id(rule)
        == "eb-one-dev-aFunctionWithA97d355794270e20e6d2b2661e234d409-target"
    )
    long = "a-service-with-a-really-long-name-that-overflows-integration-custom-resource-apigw-cw-role"
    assert naming.shortened(long) == "a-service-with-a-really-long-nam705e9ed070bcfad6a1b4260bdf4e5aed"


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        ("arn:aws:sqs:us-east-1:111122223333:my-queue.fifo", "my-queue.fifo"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "Queue"),
        ({"Fn::ImportValue": "imported"}, "imported"),
        ({"Ref": "Parameter"}, "Parameter"),
        ({"Fn::Join": [":", ["arn", "aws", "sqs", "joined"]]}, "joined"),
        ({"Fn::Sub": "x"}, None),
        (None, None),
    ],
)
def test_source_names(arn: object, name: str | None) -> None:
    assert naming.source_name(arn) == name
