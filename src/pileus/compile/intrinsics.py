"""CloudFormation's functions and pseudo parameters as the compiler writes them."""

from pileus.service.tree import Json

PARTITION = {"Ref": "AWS::Partition"}
REGION = {"Ref": "AWS::Region"}
ACCOUNT_ID = {"Ref": "AWS::AccountId"}
URL_SUFFIX = {"Ref": "AWS::URLSuffix"}


def ref(logical_id: str) -> dict[str, Json]:
    return {"Ref": logical_id}


def get_att(logical_id: str, attribute: str = "Arn") -> dict[str, Json]:
    return {"Fn::GetAtt": [logical_id, attribute]}


def join(separator: str, parts: list[Json]) -> dict[str, Json]:
    return {"Fn::Join": [separator, parts]}


def sub(text: str) -> dict[str, Json]:
    return {"Fn::Sub": text}


def key_values(tags: dict[str, Json] | None) -> list[Json]:
    """Tags as the list of Key and Value that most resources want."""
    return [{"Key": key, "Value": value} for key, value in (tags or {}).items()]


def execute_api_arn(api_id: Json, rest: str) -> dict[str, Json]:
    """The ARN that API Gateway names when it calls a function."""
    return join("", ["arn:", PARTITION, ":execute-api:", REGION, ":", ACCOUNT_ID, ":", api_id, rest])


def invocation_uri(function_arn: Json, *after: Json) -> dict[str, Json]:
    """The URI under which API Gateway invokes a function."""
    start = ["arn:", PARTITION, ":apigateway:", REGION, ":lambda:path/2015-03-31/functions/"]
    return join("", [*start, function_arn, *after, "/invocations"])
