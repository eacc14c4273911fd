"""`http`: one REST API for the service. Read `compile_events` top to bottom for what it is made of.

The stage itself is made by the deployment resource; throttling, tracing and logs of a stage are settings that the
deployer makes by API calls afterwards, so only their log group and role stand in the template.
"""

import re

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.account_log_role import compile_account_log_role
from pileus.compile.compilation import Compilation
from pileus.compile.events.http import authorizers, cors, keys, methods, paths, rest_api
from pileus.compile.events.http.endpoint import Endpoint, endpoints
from pileus.service.model import Event, Function
from pileus.service.tree import Json

_STAGE = re.compile(r"[-_a-zA-Z0-9]+\Z")


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    stage = c.service.setting("apiGateway", "stage") or c.service.stage
    if not _STAGE.match(stage):
        message = f"'{stage}' cannot be the name of an API's stage"
        c.mistake(message, ("provider", "stage"), "use letters, digits, - and _ only")
    found = endpoints(c, uses)
    if c.errors:
        return
    api = rest_api.compile_rest_api(c)
    resource_ids = paths.compile_paths(c, api, found)
    preflights = cors.compile_preflights(c, api, found, resource_ids)
    method_ids = [methods.compile_method(c, api, endpoint, resource_ids) for endpoint in found]
    methods.compile_validation(c, api, found)
    authorizers.compile_authorizers(c, api, found)
    _deployment(c, api, stage, [*preflights, *method_ids])
    keys.compile_keys(c, api)
    _permissions(c, api, found)
    if _logged(c):
        _logs(c)
    url: list[Json] = [
        "https://",
        api.id,
        ".execute-api.",
        fn.REGION,
        ".",
        fn.URL_SUFFIX,
        f"/{c.service.stage}",
    ]
    c.output("ServiceEndpoint", fn.join("", url), "URL of the service endpoint")


def _deployment(c: Compilation, api: rest_api.Api, stage: str, depends_on: list[str]) -> None:
    properties: dict[str, Json] = {"RestApiId": api.id, "StageName": stage}
    if description := c.service.setting("apiGateway", "description"):
        properties["Description"] = description
    resource = {
        "Type": "AWS::ApiGateway::Deployment",
        "Properties": properties,
        "DependsOn": depends_on,
    }
    c.add(naming.rest_deployment(c.service.instance), resource)


def _permissions(c: Compilation, api: rest_api.Api, found: list[Endpoint]) -> None:
    source_arn = fn.execute_api_arn(api.id, "/*/*")
    called = {naming.permission(endpoint.function.key, "ApiGateway") for endpoint in found}
    for endpoint in found:
        permission = naming.permission(endpoint.function.key, "ApiGateway")
        c.permit(permission, endpoint.function, "apigateway.amazonaws.com", source_arn=source_arn)
        authorizers.permit(c, endpoint, source_arn, called)


def _logged(c: Compilation) -> bool:
    logs = c.service.setting("logs", "restApi")
    kinds = ("accessLogging", "executionLogging")
    return bool(logs) and not (isinstance(logs, dict) and all(logs.get(kind) is False for kind in kinds))


def _logs(c: Compilation) -> None:
    group: dict[str, Json] = {"LogGroupName": f"/aws/api-gateway/{c.service.name}-{c.service.stage}"}
    if retention := c.service.setting("logRetentionInDays"):
        group["RetentionInDays"] = retention
    c.add(naming.REST_LOG_GROUP, {"Type": "AWS::Logs::LogGroup", "Properties": group})
    compile_account_log_role(c)
