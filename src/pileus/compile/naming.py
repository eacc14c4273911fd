"""Every logical id and generated name, in one place: they are the contract with stacks that exist already.

A changed id replaces a resource on the next deployment, so nothing here is a matter of taste.
"""

import hashlib
import re

from pileus.service.tree import Json

_NOT_ALNUM = re.compile(r"[^0-9A-Za-z]")
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_VARIABLE = re.compile(r"\{(.*)\}")


def upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def normalise(name: str) -> str:
    """A function, authorizer or bus: `my-fn_x` → `MyDashfnUnderscorex`."""
    return upper_first(name.replace("-", "Dash").replace("_", "Underscore"))


def alphanumeric(name: str) -> str:
    """A bucket, topic, queue or stream: what is not a letter or digit goes."""
    return upper_first(_NOT_ALNUM.sub("", name))


def path_part(part: str) -> str:
    """One part of a path: `{petId}` → `PetidVar`, `toy-id` → `ToyDashid`."""
    lowered = part[:1].upper() + part[1:].lower()
    return upper_first(_NOT_ALNUM.sub("", _VARIABLE.sub(r"\1Var", lowered.replace("-", "Dash"))))


def path(whole: str) -> str:
    return "".join(path_part(part) for part in whole.split("/"))


def method(name: str) -> str:
    return name[:1].upper() + name[1:].lower()


def function(key: str) -> str:
    return f"{normalise(key)}LambdaFunction"


def log_group(key: str) -> str:
    return f"{normalise(key)}LogGroup"


def version(key: str, digest: str) -> str:
    return f"{normalise(key)}LambdaVersion{_NOT_ALNUM.sub('', digest)}"


def qualified_arn_output(key: str) -> str:
    return f"{normalise(key)}LambdaFunctionQualifiedArn"


def event_invoke_config(key: str) -> str:
    return f"{normalise(key)}LambdaEvConf"


def function_url(key: str) -> str:
    return f"{normalise(key)}LambdaFunctionUrl"


def function_url_permission(key: str) -> str:
    return f"{normalise(key)}LambdaPermissionFnUrl"


def permission(key: str, suffix: str) -> str:
    """The permission for a service or source to invoke a function."""
    return f"{normalise(key)}LambdaPermission{suffix}"


def layer(key: str) -> str:
    return f"{normalise(key)}LambdaLayer"


DEPLOYMENT_BUCKET = "ServerlessDeploymentBucket"
DEPLOYMENT_BUCKET_POLICY = "ServerlessDeploymentBucketPolicy"
DEPLOYMENT_BUCKET_OUTPUT = "ServerlessDeploymentBucketName"
ROLE = "IamRoleLambdaExecution"
CUSTOM_RESOURCES_ROLE = "IamRoleCustomResourcesLambdaExecution"

REST_API = "ApiGatewayRestApi"
REST_USAGE_PLAN = "ApiGatewayUsagePlan"
REST_LOG_GROUP = "ApiGatewayLogGroup"
REST_ACCOUNT_ROLE = "CustomApiGatewayAccountCloudWatchRole"


def rest_resource(whole: str) -> str:
    return f"ApiGatewayResource{path(whole)}"


def rest_method(whole: str, name: str) -> str:
    return f"ApiGatewayMethod{path(whole)}{method(name)}"


def rest_authorizer(name: str) -> str:
    return f"{normalise(name)}ApiGatewayAuthorizer"


def rest_validator(service: str) -> str:
    return f"ApiGateway{alphanumeric(service)}RequestValidator"


def _words(name: str) -> str:
    return "".join(word.capitalize() for word in _WORDS.findall(name))


def rest_model(name: str) -> str:
    """A model that several methods share: `post-model` → `ApiGatewayPostModelModel`."""
    return f"ApiGateway{_words(name)}Model"


def rest_method_model(method_id: str, content_type: str) -> str:
    return f"{method_id}{_words(content_type)}Model"


def rest_deployment(instance: str) -> str:
    return f"ApiGatewayDeployment{instance}"


def rest_api_key(number: int, plan: str = "") -> str:
    return f"ApiGatewayApiKey{upper_first(plan)}{number}"


def rest_usage_plan(plan: str = "") -> str:
    return f"ApiGatewayUsagePlan{upper_first(plan)}"


def rest_usage_plan_key(number: int, plan: str = "") -> str:
    return f"ApiGatewayUsagePlanKey{upper_first(plan)}{number}"


HTTP_API = "HttpApi"
HTTP_API_STAGE = "HttpApiStage"
HTTP_API_LOG_GROUP = "HttpApiLogGroup"


def http_api_integration(key: str) -> str:
    return f"HttpApiIntegration{normalise(key)}"


def http_api_route(route_key: str) -> str:
    if route_key in ("*", "$default"):
        return "HttpApiRouteDefault"
    name, _, whole = route_key.partition(" ")
    return f"HttpApiRoute{method(name)}{path(whole)}"


def http_api_authorizer(name: str) -> str:
    return f"HttpApiAuthorizer{normalise(name)}"


def http_api_authorizer_permission(name: str) -> str:
    return f"{normalise(name)}LambdaAuthorizerPermissionHttpApi"


WEBSOCKETS_API = "WebsocketsApi"
WEBSOCKETS_STAGE = "WebsocketsDeploymentStage"
WEBSOCKETS_LOG_GROUP = "WebsocketsLogGroup"
_ROUTE_SIGNS = {"$": "S", "/": "Slash", "-": "Dash", "_": "Underscore", ".": "Period"}


def websockets_route(route: str) -> str:
    """`$connect` → `SconnectWebsocketsRoute`; other routes keep their first letter as it is."""
    return f"{''.join(_ROUTE_SIGNS.get(sign, sign) for sign in route)}WebsocketsRoute"


def bucket(name: str) -> str:
    return f"S3Bucket{alphanumeric(name)}"


def topic(name: str) -> str:
    return f"SNSTopic{alphanumeric(name)}"


def topic_subscription(key: str, name: str) -> str:
    return f"{normalise(key)}SnsSubscription{alphanumeric(name)}"


def schedule_rule(key: str, number: int) -> str:
    return f"{normalise(key)}EventsRuleSchedule{number}"


def scheduler_schedule(key: str, number: int) -> str:
    return f"{normalise(key)}SchedulerSchedule{number}"


def event_source_mapping(key: str, kind: str, name: str) -> str:
    """The mapping of a queue or stream (kind: SQS, Dynamodb, Kinesis, …) to a function."""
    return f"{normalise(key)}EventSourceMapping{kind}{name}"


def stream_consumer(name: str) -> str:
    return f"{alphanumeric(name)}StreamConsumer"


def event_bus(name: str) -> str:
    return f"{normalise(name)}EventBridgeEventBus"


def event_bridge_rule(unshortened: str) -> str:
    return f"{alphanumeric(unshortened)}EventBridgeRule"


def event_bridge_permission(key: str, number: int) -> str:
    return f"{normalise(key)}EventBridgeLambdaPermission{number}"


def event_bridge_rule_name(function: str, number: int) -> str:
    """The rule's own name; a digest takes the place of the middle where it exceeds AWS's 64 characters.

    `function` is the function's name in Lambda.
    """
    return _shortened_middle(function, f"-rule-{number}")


def event_bridge_target_id(rule_name: str) -> str:
    return _shortened_middle(rule_name, "-target")


def _shortened_middle(start: str, end: str) -> str:
    if len(start) + len(end) <= 64:
        return start + end
    digest = hashlib.md5((start + end).encode(), usedforsecurity=False).hexdigest()
    return start[: 64 - len(end) - len(digest)] + digest + end


def shortened(name: str) -> str:
    """A name of more than 64 characters as its first 32 and the MD5 of all of it."""
    if len(name) <= 64:
        return name
    return name[:32] + hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


def cache_policy(name: str) -> str:
    return f"CloudFrontCachePolicy{normalise(name)}"


def custom_resource_function(kind: str) -> str:
    return f"custom-resource-{kind}"


def source_name(arn: Json) -> str | None:
    """The name inside an event source's ARN, from text or from the intrinsics that usually give one."""
    if isinstance(arn, str):
        return arn.rpartition(":")[2]
    if not isinstance(arn, dict):
        return None
    if "Fn::GetAtt" in arn:
        attribute = arn["Fn::GetAtt"]
        name = str(next(iter(attribute), "")) if isinstance(attribute, list) else str(attribute)
        return name.partition(".")[0] or None
    if "Fn::ImportValue" in arn:
        value = arn["Fn::ImportValue"]
        return value if isinstance(value, str) else None
    if "Ref" in arn:
        return str(arn["Ref"])
    parts = arn.get("Fn::Join")
    if isinstance(parts, list) and len(parts) == 2 and isinstance(parts[1], list) and parts[1]:
        last = parts[1][-1]
        return last.rpartition(":")[2] if isinstance(last, str) else None
    return None
